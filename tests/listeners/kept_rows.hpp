// KeptRows: what a listener's deliveries leave in control.db, written without anybody who delivers.
#pragma once

#include "control_db.hpp"
#include "listeners/listener_counts.hpp"
#include "listeners/listener_rows.hpp"

#include <stele/projections/listeners/cpp_listener.hpp>
#include <stele/projections/listeners/dead_letters.hpp>
#include <stele/test/store.hpp>

#include <optional>
#include <string>
#include <vector>

namespace stele::test {

/// A listener of every event, or of those of some types, that does nothing.
inline std::shared_ptr<const Listener> idle_listener(const std::string& name, const Query& query = {},
                                                     const ListenerOptions& options = {}) {
    return listener(
        name, query, [](const Event&, const Delivery&) {}, options);
}

class KeptRows {
public:
    explicit KeptRows(const EventStore& store) : control_(folder_of(store)) {}

    struct Place {
        std::string state = "live";
        std::int64_t start = 0;
        std::int64_t position = 0;
        std::int64_t read_to = 0;
        std::vector<Position> under_way{};
        Timestamp stored_at = now();
        std::int64_t failed_position = 0;
        std::string error{};
        std::optional<BreakerStatus> breaker{};
        ListenerCounts counts{};
    };
    void place(const std::string& name, const Place& place) {
        control_.write(ControlDb::Sync::none, [&](sqlite3* db) {
            sql::Statement row{
                db,
                "INSERT OR REPLACE INTO listeners (name, state, since, token, epoch, start, position, "
                "read_to, under_way, stored_at, beat, failed_position, error, counts, breaker, queue, "
                "sink) VALUES (?1, ?2, ?3, 1, 0, ?4, ?5, ?6, ?7, ?8, 0, ?9, ?10, ?11, ?12, 'default', "
                "'code')"};
            const auto under_way = under_way_json(place.under_way);
            const auto counts = counts_json(place.counts);
            const auto breaker = breaker_json(place.breaker);
            row.bind(1, std::string_view{name});
            row.bind(2, std::string_view{place.state});
            row.bind(3, to_micros(now()));
            row.bind(4, place.start);
            row.bind(5, place.position);
            row.bind(6, place.read_to);
            row.bind(7, std::string_view{under_way});
            row.bind(8, to_micros(place.stored_at));
            row.bind(9, place.failed_position);
            row.bind(10, std::string_view{place.error});
            row.bind(11, std::string_view{counts});
            row.bind(12, std::string_view{breaker});
            row.run();
        });
    }

    struct Parked {
        std::string key = "S/1";
        std::optional<Timestamp> due{};
        bool held = false;
        int attempts = 1;
        friend bool operator==(const Parked&, const Parked&) = default;
    };
    void park(const std::string& listener, std::int64_t position, const Parked& parked) {
        control_.write(ControlDb::Sync::none, [&](sqlite3* db) {
            sql::Statement row{
                db,
                "INSERT INTO parked (listener, key, position, attempts, due, held) VALUES (?1, ?2, ?3, "
                "?4, ?5, ?6)"};
            row.bind(1, std::string_view{listener});
            row.bind(2, std::string_view{parked.key});
            row.bind(3, position);
            row.bind(4, parked.attempts);
            if (parked.due) {
                row.bind(5, to_micros(*parked.due));
            } else {
                row.bind(5, nullptr);
            }
            row.bind(6, parked.held ? 1 : 0);
            row.run();
        });
    }
    [[nodiscard]] std::optional<Parked> parked(const std::string& listener, std::int64_t position) {
        return control_.read([&](sqlite3* db) -> std::optional<Parked> {
            sql::Statement row{db,
                               "SELECT key, due, held, attempts FROM parked WHERE listener = ?1 AND position = ?2"};
            row.bind(1, std::string_view{listener});
            row.bind(2, position);
            if (!row.step()) return std::nullopt;
            Parked found;
            found.key = row.text(0);
            if (!row.is_null(1)) found.due = from_micros(row.integer(1));
            found.held = row.integer(2) != 0;
            found.attempts = static_cast<int>(row.integer(3));
            return found;
        });
    }

    /// A failed attempt, the next one of its event.
    void fail(const std::string& listener, std::int64_t position, const std::string& cause,
              const std::string& error, Timestamp at = now()) {
        control_.write(ControlDb::Sync::none, [&](sqlite3* db) {
            sql::Statement row{
                db,
                "INSERT INTO attempts (listener, position, number, at, duration, cause, error) SELECT "
                "?1, ?2, count(*) + 1, ?3, 1500, ?4, ?5 FROM attempts WHERE listener = ?1 AND position "
                "= ?2"};
            row.bind(1, std::string_view{listener});
            row.bind(2, position);
            row.bind(3, to_micros(at));
            row.bind(4, std::string_view{cause});
            row.bind(5, std::string_view{error});
            row.run();
        });
    }

    /// A dead letter of `event`, of the one attempt that failed. Gives its id.
    std::int64_t die(const std::string& listener, const Event& event, const std::string& cause = "exception",
                     const std::string& error = "no", Timestamp at = now()) {
        fail(listener, event.position.value(), cause, error, at);
        return control_.write(ControlDb::Sync::none, [&](sqlite3* db) {
            sql::Statement row{
                db,
                "INSERT INTO dead_letters (listener, key, position, event_id, stream, type, attempts, "
                "first_failed_at, last_failed_at, cause, error) VALUES (?1, ?2, ?3, ?4, ?2, ?5, 1, ?6, "
                "?6, ?7, ?8) RETURNING id"};
            const auto id = event.id.to_string();
            row.bind(1, std::string_view{listener});
            row.bind(2, std::string_view{event.stream.name()});
            row.bind(3, event.position.value());
            row.bind(4, std::string_view{id});
            row.bind(5, std::string_view{event.type});
            row.bind(6, to_micros(at));
            row.bind(7, std::string_view{cause});
            row.bind(8, std::string_view{error});
            const auto made = row.step() ? row.integer(0) : 0;
            row.reset();
            return made;
        });
    }

    /// What a delivery that succeeds leaves of its event: nothing.
    void deliver(const std::string& listener, std::int64_t position) {
        control_.write(ControlDb::Sync::none, [&](sqlite3* db) {
            for (const auto* const table : {"parked", "attempts", "dead_letters"}) {
                sql::Statement row{db,
                                   std::string{"DELETE FROM "} + table + " WHERE listener = ?1 AND position = ?2"};
                row.bind(1, std::string_view{listener});
                row.bind(2, position);
                row.run();
            }
        });
    }

    [[nodiscard]] std::int64_t number(const std::string& query) {
        return control_.read([&](sqlite3* db) {
            sql::Statement row{db, query};
            return row.step() ? row.integer(0) : std::int64_t{-1};
        });
    }

    [[nodiscard]] ControlDb& control() noexcept { return control_; }

private:
    ControlDb control_;
};

}  // namespace stele::test
