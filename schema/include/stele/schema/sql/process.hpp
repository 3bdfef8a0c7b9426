// What a program may set for SQLite as a whole.
#pragma once

namespace stele::sql {

/// Tells SQLite not to count the memory it uses. Counting takes a lock of the whole process at every allocation,
/// and threads that work on different databases then wait for each other: two that rebuild projections are no
/// faster than one.
///
/// A program calls it first thing in main(), if it calls it at all: behind the first use of SQLite it has no
/// effect, and false is returned. What it costs: sqlite3_memory_used() and SQLite's limits on its heap do not work
/// any more (sqlite.org/c3ref/c_config_covering_index_scan.html, SQLITE_CONFIG_MEMSTATUS). The `stele` command does
/// it.
///
/// Threads  call it while there is only one.
bool stop_counting_memory() noexcept;

}  // namespace stele::sql
