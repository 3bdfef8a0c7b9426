// The contract: what every backend owes, as one suite that runs over each of them.
//
// A test names no backend. It is written with TEST_CASE_METHOD(Contract, …), which runs it once for each backend
// that this build knows, every time on a store that is new and empty:
//
//   TEST_CASE_METHOD(Contract, "an empty store has no head", "[contract]") {
//       auto store = open();
//       CHECK(store.head() == Position{0});
//   }
//
// open() again gives a second handle, or, when the first is gone, the store as it was left.
#pragma once

#include <stele/test/catch.hpp>
#include <stele/test/process.hpp>
#include <stele/test/store.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace stele::test {

/// One store of one kind, and what a test may do to it past Stele.
class Backend {
public:
    virtual ~Backend() = default;

    /// "sqlite"
    [[nodiscard]] virtual std::string name() const = 0;
    /// What EventStore::open() takes, in this process or another.
    [[nodiscard]] virtual std::string address() const = 0;

    /// All tables of the store.
    [[nodiscard]] virtual std::vector<std::string> tables() = 0;
    [[nodiscard]] virtual std::vector<std::string> columns(const std::string& table) = 0;
    /// The tables that the log consists of: all but the one that says how far sources were taken in. Rows of them
    /// are never changed and never deleted (L1).
    [[nodiscard]] std::vector<std::string> log_tables();
    /// Runs one statement on the database itself, on a connection of its own. Throws std::runtime_error with the
    /// database's words. Returns the first column of the rows.
    virtual std::vector<std::string> execute(const std::string& sql) = 0;
    /// Keeps every append waiting, as another process in the middle of a transaction does, until the last copy of
    /// the pointer goes.
    [[nodiscard]] virtual std::shared_ptr<void> hold_write_lock() = 0;
    /// What the database's own check of the store finds wrong.
    [[nodiscard]] virtual std::vector<std::string> damage() = 0;
    /// How many transactions that wrote something were committed so far, by anyone.
    [[nodiscard]] virtual std::int64_t commits() const = 0;

    /// Each table with its number of rows, in one line: what must not change when an append is refused.
    [[nodiscard]] std::string rows();
};

/// A fixture for one test on one backend.
class Contract {
public:
    Contract();

    [[nodiscard]] EventStore open(const Options& options = {}) const {
        return EventStore::open(backend().address(), options);
    }
    [[nodiscard]] Backend& backend() const { return *backend_; }

    /// Another process with this store open (peer.cpp says what it can be told to do).
    [[nodiscard]] Process peer(std::vector<std::string> words) const;

private:
    std::unique_ptr<Backend> backend_;
    Catch::ScopedMessage which_;  ///< names the backend beside each failure
};

}  // namespace stele::test
