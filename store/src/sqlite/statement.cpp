#include "statement.hpp"

#include <stele/store/append.hpp>

namespace stele::sqlite {

namespace {

struct Kind {
    const char* code;
    const char* advice;
};

Kind kind_of(int code) {
    switch (code & 0xff) {
        case SQLITE_FULL:
            return {"disk_full", "make space and try again"};
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return {"corrupt", "do not write to it; restore it from a backup"};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {"busy", "try again when the other process is done"};
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_CANTOPEN:
            return {"access", "check who may write to the folder and its files"};
        default:
            return {"io", "check the disk"};
    }
}

[[noreturn]] void throw_error(const std::string& file, int code, std::string_view doing, const std::string& said) {
    const auto kind = kind_of(code);
    throw StoreError{kind.code,
                     file + ": " + std::string(doing) + ": " + said + " (SQLite error " + std::to_string(code) +
                         "); " + kind.advice,
                     {{"sqlite", code}, {"doing", std::string(doing)}}};
}

}  // namespace

void throw_error(sqlite3* db, int code, std::string_view doing) {
    const char* file = db == nullptr ? nullptr : sqlite3_db_filename(db, "main");
    const int extended = db == nullptr ? code : sqlite3_extended_errcode(db);
    throw_error(file == nullptr ? "store" : file, extended, doing,
                db == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(db));
}

void throw_error(const std::string& file, const SQLite::Exception& error, std::string_view doing) {
    throw_error(file, error.getExtendedErrorCode(), doing, error.what());
}

Statement::Statement(sqlite3* db, std::string_view sql) {
    const int code = sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                        &statement_, nullptr);
    if (code != SQLITE_OK) throw_error(db, code, sql);
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::fail(int code) { throw_error(sqlite3_db_handle(statement_), code, sqlite3_sql(statement_)); }

}  // namespace stele::sqlite
