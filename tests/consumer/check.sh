#!/usr/bin/env bash
# A project that embeds Stele builds, runs, and gets no more than it asked for.
#
# usage: check.sh install BUILD PREFIX               install a build tree, and look at what was installed
#        check.sh package PREFIX TARGET WORK         build the consumer against the installed package
#        check.sh subdirectory SOURCE TARGET WORK    build it with add_subdirectory()
#        check.sh refuses PREFIX WORK MESSAGE ARG…   find_package(stele ARG…) fails, and says MESSAGE
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

configure() { # WORK ARG…
    local work=$1
    shift
    rm -rf "$work"
    cmake -S "$here/project" -B "$work" -G Ninja "$@"
}

# The consumer asked for no warnings, no sanitizers and no optimization, so it must be compiled without them. (Boost
# has a definition of its own.)
expect_quiet_flags() { # WORK
    local flags
    flags=$(grep -o '"command": .*-c [^ ]*/project/[a-z]*.cpp' "$1/compile_commands.json" | tr ' ' '\n' |
        grep -E '^-(W|f|O|D)' | grep -v '^-DBOOST_' || true)
    [ -z "$flags" ] || fail "flags that the consumer did not ask for: $flags"
}

# Only the libraries that embedding stele::store is said to pull in: SQLite, OpenSSL, JSON, and PCRE2 for its schemas.
expect_few_libraries() { # PROGRAM
    local others
    others=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
        grep -vE '^(libsqlite3|libSQLiteCpp|libcrypto|libsimdjson|libpcre2-8|libstdc\+\+|libm|libgcc_s|libc|ld-linux.*)\.so' || true)
    [ -z "$others" ] || fail "libraries beyond SQLite, OpenSSL, JSON and PCRE2: $others"
}

# What the consumer of a target does when it works.
outcome() { # PROGRAM TARGET
    case $2 in
    stele::tools)
        local store
        store=$(mktemp -d)
        "$1" --store "$store" append Site/1 SiteCreated --json | grep -o '"version":[0-9]*'
        "$1" --store "$store" projection rebuild event_count | grep -o 'generation [0-9]*'
        "$1" --store "$store" projection query event_count --json
        rm -r "$store"
        ;;
    stele::testing) "$1" | grep -o 'All tests passed ([0-9]* assertions' ;;
    *) "$1" ;;
    esac
}

expect_works() { # WORK TARGET
    cmake --build "$1" --target consumer
    local printed expected
    printed=$(outcome "$1/consumer" "$2")
    case $2 in
    stele::store) expected=$'Site/site-42 v1 SiteCreated\nSite/site-42 v2 SitePublished' ;;
    stele::stele) expected=$'{"$type":"SitePublished","domain":"example.org"}\ngeneration 1 at 2' ;;
    stele::testing) expected='All tests passed (3 assertions' ;;
    stele::sinks) expected='webhook https://example.com/hook' ;;
    stele::tools) expected=$'"version":1\ngeneration 1\n{"n":1}' ;;
    esac
    [ "$printed" = "$expected" ] || fail "the consumer printed: $printed, expected: $expected"
    expect_quiet_flags "$1"
    if [ "$2" = stele::store ]; then expect_few_libraries "$1/consumer"; fi
}

case $1 in
install)
    build=$2 prefix=$3
    rm -rf "$prefix"
    cmake --install "$build" --prefix "$prefix"
    for header in stele/schema/event.hpp stele/store/event_store.hpp; do
        [ -f "$prefix/include/$header" ] || fail "not installed: include/$header"
    done
    source=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$build/CMakeCache.txt")
    ! grep -rnF "$source" "$prefix"/lib*/cmake "$prefix"/lib/*/cmake 2>/dev/null ||
        fail "the installed package names the tree that it was built in"
    ! grep -rnE 'Catch2|fsanitize|-Werror|-Wall' "$prefix"/lib*/cmake "$prefix"/lib/*/cmake 2>/dev/null ||
        fail "the installed package carries what is for our own build"
    ;;
package)
    prefix=$2 target=$3 work=$4
    configure "$work" -DCMAKE_PREFIX_PATH="$prefix" -DSTELE_LINK="$target"
    expect_works "$work" "$target"
    ;;
subdirectory)
    source=$2 target=$3 work=$4
    configure "$work" -DSTELE_SOURCE="$source" -DSTELE_LINK="$target"
    ! cmake --build "$work" --target help | grep -E 'stele/(tests|tools|examples)/' ||
        fail "tests or the tool are in the consumer's build"
    ! grep -l 'Catch2' "$work/CMakeCache.txt" || fail "the consumer's build looked for Catch2"
    expect_works "$work" "$target"
    ;;
refuses)
    prefix=$2 work=$3 message=$4
    shift 4
    rm -rf "$work"
    mkdir -p "$work"
    printf 'cmake_minimum_required(VERSION 3.25)\nproject(consumer LANGUAGES CXX)\nfind_package(stele %s)\n' "$*" \
        >"$work/CMakeLists.txt"
    ! cmake -S "$work" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >"$work/output" 2>&1 ||
        fail "find_package(stele $*) succeeded"
    tr -s ' \n' ' ' <"$work/output" | grep -F "$message" || {
        cat "$work/output"
        fail "find_package(stele $*) did not say: $message"
    }
    ;;
*)
    sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
