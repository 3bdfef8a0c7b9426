# Debian packages that Stele is built and tested with, and installing those that are missing. Sourced, not run.

# What cmake and the compiler ask for where STELE_BUILD_TESTS is off. README.md and docs/embed.md name the same.
build_packages=(
    g++ cmake ninja-build
    libsqlite3-dev libsqlitecpp-dev  # storage
    libssl-dev                       # hashes and signatures
    nlohmann-json3-dev libsimdjson-dev libboost-dev
    libvalijson-dev libpcre2-dev     # schemas of events, and the patterns in them
    libcurl4-openssl-dev             # webhooks and mails
    prometheus-cpp-dev               # metrics
    libcli11-dev libtomlplusplus-dev zlib1g-dev # the tool
)
# What the tests ask for beyond that. python3 runs the snippets of the documents, sqlite3 is what some of them
# show; aiosmtpd is a mail server, and openssl makes its certificate. The Perl library brings the JSON Schema
# Test Suite.
test_packages=(catch2 librange-v3-dev python3 sqlite3 python3-aiosmtpd openssl libtest-json-schema-acceptance-perl)
# The layout of the sources is checked by the one version that it was made with; later ones lay out differently.
test_packages_where_offered=(clang-format-14)

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Whether the package sources that apt knows offer it.
is_offered() { [[ $(LC_ALL=C apt-cache policy "$1" 2>/dev/null) == *'Candidate: '[^\(]* ]]; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# What the last call of apt-get printed.
apt_output=''

fail_with_apt_output() {
    printf '%s\n' "$apt_output" >&2
    fail "$1" "the lines above are apt's own" "${@:2}"
}

apt_lists_are_fresh=no
update_apt_lists() {
    if [ "$apt_lists_are_fresh" = yes ]; then return; fi
    say "apt-get update"
    apt_output=$(as_root apt-get update -qq 2>&1) || fail_with_apt_output "apt-get update failed"
    apt_lists_are_fresh=yes
}

# A machine that has just started may still be installing its own updates: their end is waited for.
apt_install() {
    apt_output=$(as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
        install -y -qq --no-install-recommends "$@" 2>&1)
}

# Ends the script, unless apt offers all of these packages.
expect_offered() {
    local unknown=() package
    for package in "$@"; do is_offered "$package" || unknown+=("$package"); done
    if [ ${#unknown[@]} -eq 0 ]; then return; fi
    # Without a network, apt-get update warns and ends well.
    if [ -n "$apt_output" ]; then
        fail_with_apt_output "apt could not fetch all of its lists, and does not know: ${unknown[*]}" "is there a network?"
    fi
    fail "apt does not offer: ${unknown[*]}" \
        "Stele needs Debian 12 or later, or a system that offers the same packages"
}

# Whether we are root, or sudo makes us so; it may ask for a password.
may_become_root() { [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null && sudo -v; }; }


# Effect: every package named is installed, those after "--" only if apt has them.
ensure_packages() {
    if [ -n "${STELE_NO_INSTALL:-}" ]; then
        say "STELE_NO_INSTALL is set: nothing is installed"
        return
    fi
    local needed=() wanted=() package
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        needed+=("$1")
        shift
    done
    if [ $# -gt 0 ]; then wanted=("${@:2}"); fi
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        fail "this is not Debian, so nothing can be installed by itself" \
            "Stele is built with what Debian 12 and later call: ${needed[*]}" \
            "install the same, then run: STELE_NO_INSTALL=1 $0"
    fi

    local missing=() missing_wanted=() there=0
    for package in "${needed[@]}"; do
        if is_installed "$package"; then there=$((there + 1)); else missing+=("$package"); fi
    done
    for package in "${wanted[@]}"; do
        if is_installed "$package"; then there=$((there + 1)); else missing_wanted+=("$package"); fi
    done

    if [ ${#missing[@]} -gt 0 ]; then
        may_become_root || fail "packages are missing, and only root can install them (we are not, and sudo does not help)" \
            "as root: apt-get install ${missing[*]}"
        # An apt that has no lists yet knows of nothing.
        for package in "${missing[@]}"; do is_offered "$package" || update_apt_lists; done
        expect_offered "${missing[@]}"
    fi
    for package in "${missing_wanted[@]}"; do
        if ! is_offered "$package"; then
            say "not offered here, done without: $package"
        elif may_become_root; then
            missing+=("$package")
        else
            say "only root can install it, done without: $package"
        fi
    done
    if [ ${#missing[@]} -eq 0 ]; then
        say "nothing to install: $there packages are there already"
        return
    fi

    if [ "$there" -gt 0 ]; then say "$there packages are there already"; fi
    say "installing: ${missing[*]}"
    if ! apt_install "${missing[@]}"; then
        apt_output=$(as_root dpkg --configure -a 2>&1) || true # an earlier run may have been interrupted
        update_apt_lists                                       # old lists name files that the mirror no longer has
        apt_install "${missing[@]}" || fail_with_apt_output "apt-get install failed"
    fi
}
