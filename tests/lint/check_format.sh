#!/usr/bin/env bash
# Every source file is laid out as .clang-format says. Prints what is not, and the command that mends it.
#
# usage: check_format.sh SOURCE_FOLDER [FILE…]    without files: all C++ files of the project
# exit status: 0 all are · 1 some are not · 77 there is no clang-format 14 (other versions lay out differently)
set -euo pipefail
cd "$1"
shift

clang_format=''
for candidate in clang-format-14 clang-format; do
    if "$candidate" --version 2>/dev/null | grep -q ' 14\.'; then
        clang_format=$candidate
        break
    fi
done
if [ -z "$clang_format" ]; then
    echo "skipped: clang-format 14 is not installed"
    exit 77
fi

files=("$@")
if [ ${#files[@]} -eq 0 ]; then
    mapfile -t files < <(find . -name build -prune -o \( -name '*.cpp' -o -name '*.hpp' \) -print | sort)
fi
[ ${#files[@]} -gt 0 ] || {
    echo "expected C++ files below $PWD, found none"
    exit 1
}
if ! "$clang_format" --dry-run --Werror "${files[@]}"; then
    echo "mend with: $clang_format -i FILE…"
    exit 1
fi
echo "${#files[@]} files are laid out as .clang-format says"
