#include <stele/schema/sql/process.hpp>

#include <sqlite3.h>

namespace stele::sql {

bool stop_counting_memory() noexcept { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK; }

}  // namespace stele::sql
