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

# configure PRESET: quick when nothing has changed. With ccache where it is installed.
configure() {
    if [ -z "${CMAKE_CXX_COMPILER_LAUNCHER:-}" ] && command -v ccache >/dev/null; then
        export CMAKE_CXX_COMPILER_LAUNCHER=ccache
    fi
    local log
    log=$(mktemp)
    if ! cmake --preset "$1" >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        fail "cmake --preset $1 failed" "the lines above are its own"
    fi
    rm -f "$log"
}

# build PRESET [TARGET…]: everything where no target is named.
build() {
    local preset=$1
    shift
    cmake --build --preset "$preset" -j "$(build_jobs)" ${1:+--target "$@"} ||
        fail "the build of preset $preset failed" "the lines above are the compiler's own"
}
