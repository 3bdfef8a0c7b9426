// Model: the tables of a projection, as the projection itself sees them while it folds events into them.
//
//   void on(const Event& e, Model& model) {
//       model.exec("INSERT INTO sites (id, at) VALUES (?1, ?2)", e.stream.aggregate_id(), e.occurred_at);
//   }
//
// All that a handler writes is committed together with the position of its events (P1); a handler that throws
// leaves nothing behind. So it cannot begin or end transactions, and as its rows have to be the same whenever they
// are computed, the clock, random numbers and other databases are out of reach: see schema/sql/compiler.hpp.
#pragma once

#include <stele/projections/rows.hpp>
#include <stele/schema/event.hpp>
#include <stele/schema/sql/compiler.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace stele {

namespace detail {
/// A value for a parameter of a statement. Texts that it was given are not copied, those it had to make are its
/// own.
class Argument {
public:
    Argument(std::nullptr_t) {}                          // NOLINT(google-explicit-constructor): all of these
    Argument(double value) : value_(value) {}            // NOLINT
    Argument(float value) : value_(double{value}) {}     // NOLINT
    Argument(std::string_view value) : value_(value) {}  // NOLINT
    Argument(const std::string& value) : value_(std::string_view{value}) {}      // NOLINT
    Argument(const char* value) : value_(std::string_view{value}) {}             // NOLINT
    Argument(const JsonText& value) : value_(std::string_view{value.text()}) {}  // NOLINT
    Argument(Timestamp value) : value_(to_rfc3339(value)) {}                     // NOLINT
    Argument(const EventId& value) : value_(value.to_string()) {}                // NOLINT
    template <std::integral I>
    Argument(I value) : value_(static_cast<std::int64_t>(value)) {}  // NOLINT
    template <class Tag>
    Argument(Ordinal<Tag> value) : value_(value.value()) {}  // NOLINT
    template <class T>
    Argument(const std::optional<T>& value)  // NOLINT: empty is NULL
        : Argument(value.has_value() ? Argument{value.value()} : Argument{nullptr}) {}

    void bind(sql::Statement& statement, int parameter) const;
    void bind_copy(sql::Statement& statement, int parameter) const;  ///< texts may go before it is run

private:
    std::variant<std::nullptr_t, std::int64_t, double, std::string_view, std::string> value_ = nullptr;
};
}  // namespace detail

/// Use it in the thread that calls the handler, during the call.
class Model {
public:
    /// For engines and tests: on a connection that stays open longer. `name` is the projection's.
    Model(sqlite3* db, std::string name);
    ~Model();
    Model(const Model&) = delete;
    Model& operator=(const Model&) = delete;

    /// Runs one statement, its parameters ?1, ?2, … bound to `arguments`: numbers, texts, times (as RFC 3339), ids,
    /// positions and versions, JSON texts, nullptr and optionals (NULL where empty). In setup(), several statements
    /// may stand in `sql` where there are no arguments.
    ///
    /// Throws sql::DefinitionError where SQLite cannot compile the statement or it does what it must not, and
    /// sql::SqlError where it fails. Cost: the statement is compiled once, and kept for the next time.
    template <class... A>
    void exec(std::string_view sql, const A&... arguments) {
        run(sql, std::array<detail::Argument, sizeof...(A)>{detail::Argument{arguments}...});
    }

    /// The rows of one query, with its parameters bound likewise. Throws as exec() does.
    template <class... A>
    [[nodiscard]] Rows query(std::string_view sql, const A&... arguments) {
        return select(sql, std::array<detail::Argument, sizeof...(A)>{detail::Argument{arguments}...});
    }

    /// For classes that implement Projection: compiles SQL for this model's connection.
    [[nodiscard]] sql::Compiler& compiler() noexcept;

    /// For engines: setup() is done; from now on rows may change and tables may not, and only within a transaction.
    void seal() noexcept;

    /// For engines: the error of a statement that took the transaction with it, since the last call. From then on
    /// exec() and query() throw it again, until there is another transaction: what a handler that caught it does
    /// next would be committed at once.
    [[nodiscard]] std::optional<sql::SqlError> what_rolled_back() noexcept;

private:
    void run(std::string_view sql, std::span<const detail::Argument> arguments);
    Rows select(std::string_view sql, std::span<const detail::Argument> arguments);

    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace stele
