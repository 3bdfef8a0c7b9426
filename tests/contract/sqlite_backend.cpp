#include "sqlite_backend.hpp"

#include <sqlite3.h>

#include <fstream>
#include <stdexcept>

namespace stele::test {

RawConnection::RawConnection(const std::string& file) {
    if (sqlite3_open(file.c_str(), &connection_) != SQLITE_OK) {
        const std::string message = sqlite3_errmsg(connection_);
        sqlite3_close(connection_);
        throw std::runtime_error(file + ": " + message);
    }
    sqlite3_busy_timeout(connection_, 30'000);
    // A checkpoint must not run beside a commit of the store (trap 33).
    sqlite3_wal_autocheckpoint(connection_, 0);
    sqlite3_db_config(connection_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

RawConnection::~RawConnection() { sqlite3_close(connection_); }

std::vector<std::vector<std::string>> RawConnection::rows(const std::string& sql) {
    std::vector<std::vector<std::string>> found;
    const auto keep = [](void* to, int columns, char** values, char**) {
        auto& row = static_cast<std::vector<std::vector<std::string>>*>(to)->emplace_back();
        for (int i = 0; i < columns; ++i) row.emplace_back(values[i] == nullptr ? "NULL" : values[i]);
        return 0;
    };
    char* message = nullptr;
    if (sqlite3_exec(connection_, sql.c_str(), keep, &found, &message) != SQLITE_OK) {
        const std::runtime_error error{message == nullptr ? "unknown" : message};
        sqlite3_free(message);
        throw error;
    }
    return found;
}

std::vector<std::string> RawConnection::execute(const std::string& sql) {
    std::vector<std::string> first;
    for (auto& row : rows(sql)) first.push_back(std::move(row.front()));
    return first;
}

std::vector<std::string> SqliteBackend::columns(const std::string& table) {
    return execute("SELECT name FROM pragma_table_info('" + table + "')");
}

std::vector<std::string> SqliteBackend::tables() {
    // Asked of the file, so that a table that is added later is held to the promises too.
    return execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name");
}

std::vector<std::string> SqliteBackend::execute(const std::string& sql) {
    return RawConnection{file()}.execute(sql);
}

std::shared_ptr<void> SqliteBackend::hold_write_lock() {
    auto connection = std::make_shared<RawConnection>(file());
    connection->execute("BEGIN IMMEDIATE");
    return connection;  // closing it rolls back
}

std::vector<std::string> SqliteBackend::damage() {
    auto found = execute("PRAGMA integrity_check");
    std::erase(found, "ok");
    return found;
}

std::int64_t SqliteBackend::commits() const {
    // In the WAL, the last frame of each transaction says how many pages the database has then; the others say 0
    // (sqlite.org/fileformat.html, 4.1). Frames of an earlier round of the WAL carry another salt.
    std::ifstream wal{file() + "-wal", std::ios::binary};
    unsigned char header[32];
    if (!wal.read(reinterpret_cast<char*>(header), sizeof header)) return 0;
    const auto number = [](const unsigned char* at) {
        return std::int64_t{at[0]} << 24 | std::int64_t{at[1]} << 16 | std::int64_t{at[2]} << 8 |
               std::int64_t{at[3]};
    };
    const std::int64_t page_size = number(header + 8);
    std::int64_t commits = 0;
    for (unsigned char frame[24]; wal.read(reinterpret_cast<char*>(frame), sizeof frame);) {
        if (number(frame + 8) != number(header + 16) || number(frame + 12) != number(header + 20)) break;
        if (number(frame + 4) != 0) ++commits;
        wal.seekg(page_size, std::ios::cur);
    }
    return commits;
}

}  // namespace stele::test
