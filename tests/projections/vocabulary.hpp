// What the tests of projections say often: some events, a projection of them, and its rows.
#pragma once

#include <stele/projections/rebuild.hpp>
#include <stele/projections/sql_projection.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/store.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::test {

using Lines = std::vector<std::string>;

/// The rows of a query, their columns joined by blanks; NULL for NULL.
[[nodiscard]] inline Lines lines_of(Rows rows) {
    Lines lines;
    for (const Row& row : rows) {
        std::string line;
        for (int column = 0; column < row.size(); ++column) {
            line += column > 0 ? " " : "";
            line += row.is_null(column) ? "NULL" : std::string{row.text(column)};
        }
        lines.push_back(std::move(line));
    }
    return lines;
}
[[nodiscard]] inline Lines rows(const EventStore& store, std::string_view name, std::string_view query) {
    return lines_of(ReadModel::open(store, name).query(query));
}

/// How often each stream was paid, and how much in all, in the order of its first payment; rows depend on the order
/// of events and on every one of them.
inline constexpr auto payments_sql = R"sql(
--@ projection payments version 1
--@ create
CREATE TABLE payments (stream TEXT PRIMARY KEY, n INTEGER NOT NULL, amount INTEGER NOT NULL, last INTEGER NOT NULL);
--@ on Paid
INSERT INTO payments (stream, n, amount, last) VALUES ($stream, 1, $data(amount), $position)
ON CONFLICT (stream) DO UPDATE SET n = n + 1, amount = amount + excluded.amount, last = excluded.last;
--@ on Refunded
UPDATE payments SET amount = amount - $data(amount), last = $position WHERE stream = $stream;
)sql";
[[nodiscard]] inline std::shared_ptr<const SqlProjection> payments() {
    return SqlProjection::parse(payments_sql, "payments.sql");
}

/// Rebuilds without the moment that others' readers get: those of these tests look up no links.
inline Rebuilt rebuild_now(const EventStore& store, const Projection& projection, RebuildOptions options = {}) {
    options.grace = {};
    const auto rebuilt = rebuild(store, projection, options);
    REQUIRE(rebuilt);
    return *rebuilt;
}

inline constexpr auto all_payments = "SELECT stream, n, amount, last FROM payments ORDER BY stream";

/// What `payments` has to hold up to `until`, computed without SQL.
[[nodiscard]] Lines expected_payments(const EventStore& store, Position until);

/// Appends `count` events of types Paid, Refunded and Noted to a handful of streams, in appends of `each`.
void pay(EventStore& store, int count, int each = 7);

/// The files in the folder of read models, in order, without locks.
[[nodiscard]] Lines model_files(const EventStore& store);

/// What a rebuild has left that did not end, and that can be gone on from.
[[nodiscard]] std::optional<Generation> unfinished(const EventStore& store, std::string_view name);

/// The error that `use` throws, of type E; fails the test where it throws none.
template <class E, class Use>
[[nodiscard]] E error_of(const Use& use) {
    try {
        use();
    } catch (const E& error) {
        return error;
    }
    FAIL("expected an error, found none");
    throw std::logic_error{"FAIL returned"};
}

}  // namespace stele::test
