# Configuring and building by preset, for the scripts in tools/. Sourced, not run.

# One compiler a core, but no more than the memory carries: the largest of our files takes about 1 GiB.
build_jobs() {
    local cores memory_kib jobs
    cores=$(nproc)
    memory_kib=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
    jobs=$((memory_kib / 1048576))
    if [ "$jobs" -gt "$cores" ]; then jobs=$cores; fi
    if [ "$jobs" -lt 1 ]; then jobs=1; fi
    printf '%d' "$jobs"
}

# A full disk, which cmake and the compilers report among a hundred other lines. Nothing where there is room.
full_disk_hint() {
    local mib_left
    mib_left=$(df -Pm build | sed -n '2s/^[^ ]* *[0-9]* *[0-9]* *\([0-9]*\) .*/\1/p')
    if [ "${mib_left:-1000}" -lt 300 ]; then printf '%s' "the disk is all but full: $mib_left MiB are left for $PWD/build"; fi
}

# configure PRESET [ARGUMENT…] [-- ARGUMENT…]: quick when nothing has changed. With ccache where it is installed; cmake
# is given the arguments too, those behind -- where the build folder is new.
#
# A build folder that cmake cannot go on with (its compiler is gone, or the project was moved or copied since) is
# configured anew.
configure() {
    if [ -z "${CMAKE_CXX_COMPILER_LAUNCHER:-}" ] && command -v ccache >/dev/null; then
        export CMAKE_CXX_COMPILER_LAUNCHER=ccache
    fi
    local preset=$1 folder=build/$1 output
    local always=() when_new=()
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        always+=("$1")
        shift
    done
    if [ $# -gt 0 ]; then when_new=("${@:2}"); fi
    if ! { mkdir -p "$folder" && [ -w "$folder" ]; } 2>/dev/null; then
        fail "$PWD/$folder cannot be written to" "what is built goes there: work in a copy of the project that is yours"
    fi
    local arguments=("${always[@]}")
    if [ ! -f "$folder/build.ninja" ]; then arguments+=("${when_new[@]}"); fi
    if output=$(cmake --preset "$preset" "${arguments[@]}" 2>&1); then return; fi
    if [ -f "$folder/CMakeCache.txt" ] && output=$(cmake --fresh --preset "$preset" "${always[@]}" "${when_new[@]}" 2>&1); then
        say "$folder was made elsewhere or with another compiler: configured anew"
        return
    fi
    printf '%s\n' "$output" >&2
    local hint
    hint=$(full_disk_hint)
    fail "cmake --preset $preset failed" "the lines above are its own" ${hint:+"$hint"}
}

# build PRESET [TARGET…]: everything where no target is named.
build() {
    local preset=$1
    shift
    if cmake --build --preset "$preset" -j "$(build_jobs)" ${1:+--target "$@"}; then return; fi
    local hint
    hint=$(full_disk_hint)
    fail "the build of preset $preset failed" "the lines above are the compiler's own" ${hint:+"$hint"}
}
