# Debian packages that Stele is built and tested with, and installing those that are missing. Sourced, not run.

build_packages=(
    g++ cmake ninja-build
    libsqlite3-dev libsqlitecpp-dev  # storage
    libssl-dev                       # hashes and signatures
    nlohmann-json3-dev libsimdjson-dev libboost-dev librange-v3-dev
    libcli11-dev libtomlplusplus-dev zlib1g-dev # the tool
    catch2                                      # the tests
)
# python3 runs the snippets of the documents, sqlite3 is what some of them show.
test_packages=(python3 sqlite3)
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

apt_lists_are_fresh=no
update_apt_lists() {
    if [ "$apt_lists_are_fresh" = no ]; then
        say "apt-get update"
        as_root apt-get update -qq >"$apt_log" 2>&1 || fail_with_apt_log "apt-get update failed"
        apt_lists_are_fresh=yes
    fi
}

fail_with_apt_log() {
    cat "$apt_log" >&2
    fail "$1" "the lines above are apt's own"
}

apt_install() { as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$apt_log" 2>&1; }

# Effect: every package named is installed, those after "--" only if apt has them.
ensure_packages() {
    if [ -n "${STELE_NO_INSTALL:-}" ]; then
        say "STELE_NO_INSTALL is set: nothing is installed"
        return
    fi
    local needed=() wanted=() list=needed
    for package in "$@"; do
        if [ "$package" = -- ]; then list=wanted; else declare -n into=$list && into+=("$package"); fi
    done
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        fail "this is not Debian, so nothing can be installed by itself" \
            "Stele is built with what Debian 12 and later call: ${needed[*]}" \
            "install the same, then run: STELE_NO_INSTALL=1 $0"
    fi

    local missing=() missing_wanted=() there=0 package
    for package in "${needed[@]}"; do
        if is_installed "$package"; then there=$((there + 1)); else missing+=("$package"); fi
    done
    for package in "${wanted[@]}"; do
        if is_installed "$package"; then there=$((there + 1)); else missing_wanted+=("$package"); fi
    done
    [ "$there" -eq 0 ] || say "$there packages are there already"
    if [ ${#missing[@]} -eq 0 ] && [ ${#missing_wanted[@]} -eq 0 ]; then return; fi

    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        [ ${#missing[@]} -gt 0 ] || return 0
        fail "packages are missing, and only root can install them (there is no sudo)" \
            "as root: apt-get install ${missing[*]}"
    fi
    apt_log=$(mktemp)
    trap 'rm -f "$apt_log"' EXIT
    for package in "${missing[@]}"; do is_offered "$package" || update_apt_lists; done
    local unknown=()
    for package in "${missing[@]}"; do is_offered "$package" || unknown+=("$package"); done
    [ ${#unknown[@]} -eq 0 ] || fail "apt does not offer: ${unknown[*]}" \
        "Stele needs Debian 12 or later, or a system that offers the same packages"
    for package in "${missing_wanted[@]}"; do
        if is_offered "$package"; then missing+=("$package"); else say "not offered here, done without: $package"; fi
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    say "installing: ${missing[*]}"
    if ! apt_install "${missing[@]}"; then
        update_apt_lists # old lists name files that the mirror no longer has
        apt_install "${missing[@]}" || fail_with_apt_log "apt-get install failed"
    fi
}
