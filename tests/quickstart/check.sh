#!/usr/bin/env bash
# tools/quickstart ends well on the example as it is, and says so when the answer is not the expected one.
#
# usage: check.sh SOURCE PRESET right|wrong
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
esac
