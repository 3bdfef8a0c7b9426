#include "database.hpp"

#include <sqlite3.h>

namespace stele {

void CloseDatabase::operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }

Database open_database(const std::filesystem::path& file, Access access, const std::string& sqlite_vfs,
                       int busy_ms) {
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (access == Access::read) flags |= SQLITE_OPEN_READONLY;
    if (access != Access::read) flags |= SQLITE_OPEN_READWRITE;
    if (access == Access::create) flags |= SQLITE_OPEN_CREATE;

    sqlite3* raw = nullptr;
    const auto rc = sqlite3_open_v2(file.c_str(), &raw, flags, sqlite_vfs.empty() ? nullptr : sqlite_vfs.c_str());
    Database db{raw};
    if (rc != SQLITE_OK) throw sql::SqlError{db.get(), "opening " + file.string()};
    sqlite3_busy_timeout(db.get(), busy_ms);
    return db;
}

WriteTransaction::WriteTransaction(sqlite3* db) : db_(db) { sql::execute(db_, "BEGIN IMMEDIATE"); }

WriteTransaction::WriteTransaction(TransactionStatements& statements)
    : db_(sqlite3_db_handle(statements.begin.get())), commit_(&statements.commit) {
    statements.begin.run();
}

WriteTransaction::~WriteTransaction() {
    // SQLite may have rolled back by itself, as it does when the disk is full.
    if (sqlite3_get_autocommit(db_) == 0) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void WriteTransaction::commit() {
    if (commit_ == nullptr) return sql::execute(db_, "COMMIT");
    commit_->run();
}

bool set_journal_mode(sqlite3* db, const std::string& mode) {
    sql::Statement pragma{db, "PRAGMA journal_mode = " + mode};
    const bool is_set = pragma.step() && pragma.text(0) == mode;
    // The row comes before the commit that writes the mode into the file: only the end tells whether that
    // succeeded.
    pragma.run();
    return is_set;
}

}  // namespace stele
