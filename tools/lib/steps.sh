# Numbered steps with their times, for the scripts in tools/. Sourced, not run.
#
#   steps 3                    there will be three steps
#   step "Build the tool"      begins the next one, and closes the one before with the time that it took
#   say "…"                    a line within a step
#   steps_done                 closes the last one
#   fail "…"                   says what is wrong, and what now, and ends the script with status 1

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
    bold='' dim='' red='' green='' plain=''
fi

script_started=$EPOCHREALTIME
step_total=0
step_number=0

# In: two values of EPOCHREALTIME, whose separator depends on the locale.  Out: the seconds between, as 12.3
seconds_between() {
    local from=${1//[.,]/} to=${2//[.,]/}
    local tenths=$(((to - from) / 100000))
    printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

steps() { step_total=$1; }

close_step() {
    if [ "$step_number" -gt 0 ]; then
        printf '      %s%s s%s\n' "$dim" "$(seconds_between "$step_started" "$EPOCHREALTIME")" "$plain"
    fi
}

step() {
    close_step
    step_number=$((step_number + 1))
    step_started=$EPOCHREALTIME
    printf '%s[%d/%d] %s%s\n' "$bold" "$step_number" "$step_total" "$1" "$plain"
}

steps_done() {
    close_step
    step_number=0
}

say() { printf '      %s\n' "$*"; }

fail() {
    printf '%s%s: %s%s\n' "$red" "$(basename "$0")" "$1" "$plain" >&2
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 1
}

total_seconds() { seconds_between "$script_started" "$EPOCHREALTIME"; }
