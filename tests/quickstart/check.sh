#!/usr/bin/env bash
# tools/quickstart ends well on the example as it is, and says so when the answer is not the expected one. What it
# asks a new machine for is what it installs, and what the documents name.
#
# usage: check.sh SOURCE PRESET right|wrong|new|packages
set -euo pipefail
source=$1 preset=$2 answer=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
folder="$work/my orders"
mkdir "$folder"
cp -r "$source/examples/quickstart/." "$folder"
rm -rf "$folder/orders.stele"
export STELE_NO_INSTALL=1

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

case $answer in
right)
    cd "$work"
    "$source/tools/quickstart" --help | grep -q '^usage: ' || fail "it does not say from another folder what it is for"
    for run in first second; do
        "$source/tools/quickstart" --preset "$preset" --folder "my orders" | tee "$folder/output"
        grep -q '3,794 events in, 21 of 21 countries right' "$folder/output" || fail "the $run run does not say that it ended well"
    done
    ;;
wrong)
    sed -i 's/"Norway": "5735.1500"/"Norway": "5735.1501"/' "$folder/data/expected.json"
    if "$source/tools/quickstart" --preset "$preset" --folder "$folder" >"$folder/output" 2>&1; then
        fail "a wrong answer went unnoticed"
    fi
    grep -q '> Norway 5735.1500' "$folder/output" || fail "the output does not show the row that differs"
    ;;
new)
    # A copy in which nothing was built yet, and a ninja that builds no command: looking for packages is all there is.
    mkdir "$work/copy" "$work/bin"
    tar -C "$source" --exclude=./build --exclude=./.git -c . | tar -C "$work/copy" -x
    printf '#!/bin/sh\ncase "$*" in *stele_command*) exit 1 ;; esac\nexec %s "$@"\n' "$(command -v ninja)" >"$work/bin/ninja"
    chmod +x "$work/bin/ninja"
    cache=$work/copy/build/release/CMakeCache.txt
    comes_to_build() {
        if PATH=$work/bin:$PATH "$work/copy/tools/quickstart" >"$work/output" 2>&1; then fail "it went on without a command"; fi
        grep -q 'the build of preset release failed' "$work/output" || fail "it did not come to build: $(cat "$work/output")"
        grep -q '^STELE_BUILD_TESTS:BOOL=OFF' "$cache" || fail "the tests are part of it"
    }
    comes_to_build
    grep -q '^SQLiteCpp_DIR:' "$cache" || fail "the cache does not say what was looked for"
    if grep -iE '^(Catch2_DIR|range-v3_DIR|STELE_JSON_SCHEMA_SUITE|_?Python3_EXECUTABLE)[:=]' "$cache"; then
        fail "packages were looked for that the quickstart does not install"
    fi
    comes_to_build # a second time
    # Where somebody looked for what the tests need, in vain; and what was built on another machine.
    rm "$work/copy/build/release/build.ninja"
    sed -i 's/^STELE_BUILD_TESTS:BOOL=OFF/STELE_BUILD_TESTS:BOOL=ON/' "$cache"
    comes_to_build
    sed -i 's/^STELE_BUILD_TESTS:BOOL=OFF/STELE_BUILD_TESTS:BOOL=ON/
        s,^\(CMAKE_HOME_DIRECTORY:INTERNAL\)=.*,\1=/elsewhere,' "$cache"
    comes_to_build
    ;;
packages)
    # shellcheck source=../../tools/lib/packages.sh
    source "$source/tools/lib/packages.sh"
    sorted() { tr -s ' \\\n' '\n' | sed '/^$/d' | sort; }
    installed=$(printf '%s\n' "${build_packages[@]}" | sorted)
    named=$(sed -n '/these packages: /,/;/p' "$source/README.md" | tr '\n' ' ' | sed 's/.*these packages: //; s/;.*//' | sorted)
    [ "$named" = "$installed" ] || fail "README.md and tools/lib/packages.sh differ: $(diff <(echo "$named") <(echo "$installed"))"
    named=$(sed -n '/^apt-get install /,/^cmake/p' "$source/docs/embed.md" | sed '/^cmake/d; s/^apt-get install //' | sorted)
    [ "$named" = "$installed" ] || fail "docs/embed.md and tools/lib/packages.sh differ: $(diff <(echo "$named") <(echo "$installed"))"
    ;;
*) fail "no such check: $answer" ;;
esac
