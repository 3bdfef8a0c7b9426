// A store of SQLite in a temporary folder, as the contract sees it.
#pragma once

#include "contract.hpp"

#include <stele/test/temporary_folder.hpp>

struct sqlite3;

namespace stele::test {

/// A plain connection to a SQLite file, with nothing of Stele in it.
class RawConnection {
public:
    explicit RawConnection(const std::string& file);
    ~RawConnection();
    RawConnection(const RawConnection&) = delete;
    RawConnection& operator=(const RawConnection&) = delete;

    /// Runs one statement or several; returns the first column of all rows, NULL as "NULL".
    /// Throws std::runtime_error with SQLite's message.
    std::vector<std::string> execute(const std::string& sql);
    /// As rows of columns.
    std::vector<std::vector<std::string>> rows(const std::string& sql);

    [[nodiscard]] sqlite3* handle() const noexcept { return connection_; }

private:
    sqlite3* connection_ = nullptr;
};

class SqliteBackend : public Backend {
public:
    [[nodiscard]] std::string name() const override { return "sqlite"; }
    [[nodiscard]] std::string address() const override { return (folder_ / "log.stele").string(); }
    [[nodiscard]] std::vector<std::string> tables() override;
    [[nodiscard]] std::vector<std::string> columns(const std::string& table) override;
    std::vector<std::string> execute(const std::string& sql) override;
    [[nodiscard]] std::shared_ptr<void> hold_write_lock() override;
    [[nodiscard]] std::vector<std::string> damage() override;
    [[nodiscard]] std::int64_t commits() const override;

    /// A connection to the log that knows nothing of Stele.
    [[nodiscard]] std::unique_ptr<RawConnection> connect() const { return std::make_unique<RawConnection>(file()); }
    /// The database file of the log.
    [[nodiscard]] std::string file() const { return address() + "/events.db"; }

private:
    TemporaryFolder folder_;
};

}  // namespace stele::test
