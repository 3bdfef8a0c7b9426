#include "ledger.hpp"

#include "listener_counts.hpp"

#include <stele/schema/time.hpp>

#include <utility>

namespace stele {
namespace {

std::int64_t micros(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp time_of(std::int64_t micros) { return Timestamp{std::chrono::microseconds{micros}}; }

void bind(sql::Statement& statement, int parameter, const std::optional<Timestamp>& time) {
    if (time) {
        statement.bind(parameter, micros(*time));
    } else {
        statement.bind(parameter, nullptr);
    }
}

ParkedDelivery parked_delivery(const sql::Statement& row) {
    ParkedDelivery delivery;
    delivery.key = row.text(0);
    delivery.position = Position{row.integer(1)};
    delivery.attempts = static_cast<int>(row.integer(2));
    delivery.made = static_cast<int>(row.integer(3));
    return delivery;
}

// Of failures that go on for very long, the first and the last ones are kept.
constexpr int kept_attempts = 50;

}  // namespace

Ledger::Ledger(ControlDb& control, std::string listener) : control_(control), listener_(std::move(listener)) {}

sql::Statement& Ledger::prepared(std::optional<sql::Statement>& statement, sqlite3* db, const char* text) {
    if (!statement) statement.emplace(db, text);
    return *statement;
}

std::optional<ListenerPlace> Ledger::place() {
    return control_.read([&](sqlite3* db) -> std::optional<ListenerPlace> {
        sql::Statement row{
            db,
            "SELECT state, position, read_to, under_way, epoch, error, counts, breaker FROM listeners "
            "WHERE name = ?1"};
        row.bind(1, listener_);
        if (!row.step()) return std::nullopt;
        ListenerPlace place;
        place.state = row.text(0);
        place.position = Position{row.integer(1)};
        place.read_to = Position{row.integer(2)};
        place.under_way = under_way_of(row.text(3));
        place.epoch = row.integer(4);
        place.error = row.text(5);
        place.counts = counts_of(row.text(6));
        place.breaker = breaker_of(row.text(7));
        return place;
    });
}

void Ledger::begin(Position start, const std::string& queue, const std::string& sink) {
    const auto time = micros(now());
    const auto counts = counts_json({});
    control_.write(ControlDb::Sync::full, [&](sqlite3* db) {
        sql::Statement row{
            db,
            "INSERT OR IGNORE INTO listeners (name, state, since, token, epoch, start, position, read_to, "
            "under_way, stored_at, beat, failed_position, error, counts, breaker, queue, sink) VALUES "
            "(?1, 'live', ?2, 0, 0, ?3, ?3, ?3, '[]', ?2, 0, 0, '', ?4, '{}', ?5, ?6)"};
        row.bind(1, listener_);
        row.bind(2, time);
        row.bind(3, start.value());
        row.bind(4, counts);
        row.bind(5, queue);
        row.bind(6, sink);
        row.run();
    });
}

bool Ledger::claim(std::int64_t token, const std::string& queue, const std::string& sink) {
    return control_.write(ControlDb::Sync::full, [&](sqlite3* db) {
        sql::Statement row{db,
                           "UPDATE listeners SET token = ?2, queue = ?3, sink = ?4 WHERE name = ?1 AND token <= ?2 "
                           "RETURNING 1"};
        row.bind(1, listener_);
        row.bind(2, token);
        row.bind(3, queue);
        row.bind(4, sink);
        return row.step();
    });
}

void Ledger::free_first_of_keys(Timestamp now) {
    control_.write(ControlDb::Sync::full, [&](sqlite3* db) {
        sql::Statement free{
            db,
            "UPDATE parked SET due = ?2 WHERE listener = ?1 AND due IS NULL AND held = 0 AND NOT EXISTS "
            "(SELECT 1 FROM parked AS before WHERE before.listener = parked.listener AND before.key = "
            "parked.key AND before.position < parked.position)"};
        free.bind(1, listener_);
        free.bind(2, micros(now));
        free.run();
    });
}

void Ledger::tell(std::string_view trouble, std::int64_t token) {
    control_.write(ControlDb::Sync::none, [&](sqlite3* db) {
        sql::Statement tell{db,
                            "UPDATE listeners SET error = ?2 WHERE name = ?1 AND token = ?3 AND state = 'live'"};
        tell.bind(1, listener_);
        tell.bind(2, trouble);
        tell.bind(3, token);
        tell.run();
    });
}

std::int64_t Ledger::token() {
    return control_.read([&](sqlite3* db) {
        sql::Statement row{db, "SELECT token FROM listeners WHERE name = ?1"};
        row.bind(1, listener_);
        return row.step() ? row.integer(0) : 0;
    });
}

// ---- Settling

Ledger::Settled Ledger::settle(const Settlement& settlement, const ListenerPlace& place, std::int64_t token,
                               Timestamp clock_now, bool is_beat) {
    const auto time = micros(now());
    const auto under_way = under_way_json(place.under_way);
    const auto counts = counts_json(place.counts);
    const auto breaker = breaker_json(place.breaker);
    // A sign of life need not survive a power cut; what was delivered must, or it is delivered again.
    const auto sync = is_beat ? ControlDb::Sync::none : ControlDb::Sync::full;
    return control_.write(sync, [&](sqlite3* db) {
        auto& look = prepared(statements_.look, db, "SELECT token, epoch FROM listeners WHERE name = ?1");
        look.bind(1, listener_);
        const bool there = look.step();
        const auto found_token = there ? look.integer(0) : -1;
        const auto found_epoch = there ? look.integer(1) : -1;
        look.reset();
        if (found_token != token) return Settled{Outcome::fenced, 0};
        if (found_epoch != place.epoch) return Settled{Outcome::moved, 0};

        if (is_beat) {
            auto& beat = prepared(statements_.beat, db,
                                  "UPDATE listeners SET beat = beat + 1, breaker = ?2 WHERE name = ?1");
            beat.bind(1, listener_);
            beat.bind(2, breaker);
            beat.run();
            return Settled{};
        }

        write_claims(db, settlement);
        write_parked(db, settlement.parked);
        write_waiting(db, settlement.waiting, clock_now);
        write_failures(db, settlement.failures);
        write_deaths(db, settlement.deaths);
        write_done(db, settlement.done);

        const bool stops = settlement.stop.has_value();
        auto& move = prepared(statements_.move, db,
                              "UPDATE listeners SET position = ?2, read_to = ?3, under_way = ?4, stored_at = ?5, "
                              "counts = ?6, breaker = ?7, beat = beat + 1, state = iif(?8, 'failed', state), "
                              "since = iif(?8, ?5, since), failed_position = iif(?8, ?9, failed_position), "
                              "error = iif(?8, ?10, error) WHERE name = ?1");
        move.bind(1, listener_);
        move.bind(2, place.position.value());
        move.bind(3, place.read_to.value());
        move.bind(4, under_way);
        move.bind(5, time);
        move.bind(6, counts);
        move.bind(7, breaker);
        move.bind(8, stops ? 1 : 0);
        move.bind(9, stops ? settlement.stop->position.value() : 0);
        move.bind(10, stops ? std::string_view{settlement.stop->error} : std::string_view{});
        move.run();

        Settled settled;
        if (!settlement.deaths.empty()) {
            sql::Statement count{db, "SELECT count(*) FROM dead_letters WHERE listener = ?1"};
            count.bind(1, listener_);
            if (count.step()) settled.dead = count.integer(0);
        }
        return settled;
    });
}

void Ledger::write_claims(sqlite3* db, const Settlement& settlement) {
    if (settlement.claims.empty()) return;
    auto& claim = prepared(statements_.claim, db,
                           "INSERT INTO deduplicated (listener, value, until, position) VALUES (?1, ?2, ?3, ?4) ON "
                           "CONFLICT (listener, value) DO UPDATE SET until = excluded.until, position = "
                           "excluded.position");
    for (const auto& [value, recorded_at, until, position] : settlement.claims) {
        claim.bind(1, listener_);
        claim.bind(2, value);
        claim.bind(3, micros(until));
        claim.bind(4, position.value());
        claim.run();
    }
    constexpr int sweep_every = 1'000;
    claims_since_sweep_ += static_cast<int>(settlement.claims.size());
    if (claims_since_sweep_ < sweep_every) return;
    claims_since_sweep_ = 0;
    // recorded_at never goes down, so a window that ended before the newest claim began is never looked at again,
    // but for rewinds, which are meant to deliver again.
    sql::Statement sweep{db, "DELETE FROM deduplicated WHERE listener = ?1 AND until < ?2"};
    sweep.bind(1, listener_);
    sweep.bind(2, micros(settlement.claims.back().recorded_at));
    sweep.run();
}

// What waits behind nothing any more, as an operator has discarded what it would wait for, is due at once.
void Ledger::write_waiting(sqlite3* db, const std::vector<Settlement::Park>& waiting, Timestamp now) {
    for (const auto& park : waiting) {
        auto& wait = prepared(statements_.wait, db,
                              "INSERT OR IGNORE INTO parked (listener, key, position, attempts, due, held) SELECT "
                              "?1, ?2, ?3, ?4, CASE WHEN EXISTS (SELECT 1 FROM parked WHERE listener = ?1 AND key "
                              "= ?2 AND position < ?3) THEN NULL ELSE ?5 END, 0");
        wait.bind(1, listener_);
        wait.bind(2, park.key);
        wait.bind(3, park.position.value());
        wait.bind(4, park.attempts);
        wait.bind(5, micros(now));
        wait.run();
    }
}

void Ledger::write_parked(sqlite3* db, const std::vector<Settlement::Park>& parked) {
    for (const auto& park : parked) {
        if (park.again && is_gone(db, park.position)) continue;
        auto& write =
            prepared(statements_.park, db,
                     "INSERT INTO parked (listener, key, position, attempts, due, held) VALUES (?1, ?2, ?3, "
                     "?4, ?5, ?6) ON CONFLICT (listener, key, position) DO UPDATE SET attempts = "
                     "excluded.attempts, due = excluded.due, held = excluded.held");
        write.bind(1, listener_);
        write.bind(2, park.key);
        write.bind(3, park.position.value());
        write.bind(4, park.attempts);
        bind(write, 5, park.due);
        write.bind(6, park.held ? 1 : 0);
        write.run();
    }
}

// Whether an operator has discarded what was parked, while it was under way.
bool Ledger::is_gone(sqlite3* db, Position position) {
    auto& stands =
        prepared(statements_.stands, db, "SELECT 1 FROM parked WHERE listener = ?1 AND position = ?2 LIMIT 1");
    stands.bind(1, listener_);
    stands.bind(2, position.value());
    const bool is_there = stands.step();
    stands.reset();
    return !is_there;
}

void Ledger::write_failures(sqlite3* db, const std::vector<Settlement::Failure>& failures) {
    for (const auto& failure : failures) {
        if (failure.again && is_gone(db, failure.position)) continue;
        auto& fail =
            prepared(statements_.fail, db,
                     "INSERT INTO attempts (listener, position, number, at, duration, cause, error) SELECT "
                     "?1, ?2, coalesce(max(number), 0) + 1, ?3, ?4, ?5, ?6 FROM attempts WHERE listener = "
                     "?1 AND position = ?2 RETURNING number");
        fail.bind(1, listener_);
        fail.bind(2, failure.position.value());
        fail.bind(3, micros(failure.at));
        fail.bind(4, failure.duration.count());
        fail.bind(5, failure.cause);
        fail.bind(6, failure.error);
        const auto number = fail.step() ? fail.integer(0) : 0;
        fail.reset();
        if (number <= 2 * kept_attempts) continue;
        auto& thin_out = prepared(statements_.thin_out, db,
                                  "DELETE FROM attempts WHERE listener = ?1 AND position = ?2 AND number > ?3 AND "
                                  "number <= ?4");
        thin_out.bind(1, listener_);
        thin_out.bind(2, failure.position.value());
        thin_out.bind(3, kept_attempts);
        thin_out.bind(4, number - kept_attempts);
        thin_out.run();
    }
}

// A letter that an operator had tried again, and that died again, keeps its number.
void Ledger::write_deaths(sqlite3* db, const std::vector<Settlement::Death>& deaths) {
    for (const auto& death : deaths) {
        if (death.again && is_gone(db, death.position)) continue;
        auto& die = prepared(
            statements_.die, db,
            "INSERT INTO dead_letters (listener, key, position, event_id, stream, type, attempts, first_failed_at, "
            "last_failed_at, cause, error) SELECT ?1, ?2, ?3, ?4, ?5, ?6, max(number), min(at), max(at), (SELECT "
            "cause FROM attempts WHERE listener = ?1 AND position = ?3 ORDER BY number DESC LIMIT 1), (SELECT "
            "error "
            "FROM attempts WHERE listener = ?1 AND position = ?3 ORDER BY number DESC LIMIT 1) FROM attempts WHERE "
            "listener = ?1 AND position = ?3 ON CONFLICT (listener, position) DO UPDATE SET key = excluded.key, "
            "attempts = excluded.attempts, first_failed_at = excluded.first_failed_at, last_failed_at = "
            "excluded.last_failed_at, cause = excluded.cause, error = excluded.error");
        const auto id = death.event_id.to_string();
        die.bind(1, listener_);
        die.bind(2, death.key);
        die.bind(3, death.position.value());
        die.bind(4, id);
        die.bind(5, death.stream);
        die.bind(6, death.type);
        die.run();
    }
}

void Ledger::write_done(sqlite3* db, const std::vector<Settlement::Done>& done) {
    for (const auto& [key, position, was_delivered] : done) {
        auto& unpark = prepared(statements_.unpark, db,
                                "DELETE FROM parked WHERE listener = ?1 AND key = ?2 AND position = ?3");
        unpark.bind(1, listener_);
        unpark.bind(2, key);
        unpark.bind(3, position.value());
        unpark.run();
        if (!was_delivered) continue;
        auto& forget =
            prepared(statements_.forget, db, "DELETE FROM attempts WHERE listener = ?1 AND position = ?2");
        forget.bind(1, listener_);
        forget.bind(2, position.value());
        forget.run();
        auto& resurrect =
            prepared(statements_.resurrect, db, "DELETE FROM dead_letters WHERE listener = ?1 AND position = ?2");
        resurrect.bind(1, listener_);
        resurrect.bind(2, position.value());
        resurrect.run();
    }
}

Ledger::Sign Ledger::sign(Timestamp now) {
    return control_.read([&](sqlite3* db) {
        sql::Statement row{
            db,
            "SELECT state, position, read_to, beat, EXISTS (SELECT 1 FROM parked AS p WHERE listener = ?1 "
            "AND due IS NOT NULL AND due <= ?2 AND NOT EXISTS (SELECT 1 FROM parked AS before WHERE "
            "before.listener = p.listener AND before.key = p.key AND before.position < p.position)) "
            "FROM listeners WHERE name = ?1"};
        row.bind(1, listener_);
        row.bind(2, micros(now));
        Sign sign;
        if (!row.step()) return sign;
        sign.state = row.text(0);
        sign.position = Position{row.integer(1)};
        sign.read_to = Position{row.integer(2)};
        sign.beat = row.integer(3);
        sign.is_overdue = row.integer(4) != 0;
        return sign;
    });
}

void Ledger::bury(const Settlement::Death& death, const Settlement::Failure& failure) {
    control_.write(ControlDb::Sync::full, [&](sqlite3* db) {
        write_failures(db, {failure});
        write_deaths(db, {death});
    });
}

// ---- What waits

std::vector<ParkedDelivery> Ledger::due(Timestamp now, std::size_t most) {
    return control_.read([&](sqlite3* db) {
        sql::Statement rows{
            db,
            "SELECT key, position, attempts, (SELECT coalesce(max(number), 0) FROM attempts AS a WHERE "
            "a.listener = p.listener AND a.position = p.position) FROM parked AS p WHERE listener = ?1 "
            "AND due IS NOT NULL AND due <= ?2 AND NOT EXISTS (SELECT 1 FROM parked AS before WHERE "
            "before.listener = p.listener AND before.key = p.key AND before.position < p.position) "
            "ORDER BY due LIMIT ?3"};
        rows.bind(1, listener_);
        rows.bind(2, micros(now));
        rows.bind(3, static_cast<std::int64_t>(most));
        std::vector<ParkedDelivery> found;
        while (rows.step()) found.push_back(parked_delivery(rows));
        return found;
    });
}

std::optional<Timestamp> Ledger::next_due(Timestamp behind) {
    return control_.read([&](sqlite3* db) -> std::optional<Timestamp> {
        sql::Statement row{db, "SELECT min(due) FROM parked WHERE listener = ?1 AND due IS NOT NULL AND due > ?2"};
        row.bind(1, listener_);
        row.bind(2, micros(behind));
        if (!row.step() || row.is_null(0)) return std::nullopt;
        return time_of(row.integer(0));
    });
}

Ledger::OfKey Ledger::of_key(std::string_view key, Timestamp now, std::size_t most) {
    return control_.read([&](sqlite3* db) {
        sql::Statement rows{
            db,
            "SELECT key, position, attempts, (SELECT coalesce(max(number), 0) FROM attempts AS a WHERE "
            "a.listener = p.listener AND a.position = p.position), due, held FROM parked AS p WHERE "
            "listener = ?1 AND key = ?2 ORDER BY position LIMIT ?3"};
        rows.bind(1, listener_);
        rows.bind(2, key);
        rows.bind(3, static_cast<std::int64_t>(most));
        OfKey found;
        while (rows.step()) {
            const bool waits = (!rows.is_null(4) && rows.integer(4) > micros(now)) || rows.integer(5) != 0;
            if (waits) {
                found.is_blocked = found.deliveries.empty();
                break;
            }
            found.deliveries.push_back(parked_delivery(rows));
        }
        rows.reset();
        auto& epoch = prepared(statements_.epoch, db, "SELECT epoch FROM listeners WHERE name = ?1");
        epoch.bind(1, listener_);
        found.epoch = epoch.step() ? epoch.integer(0) : -1;
        epoch.reset();
        return found;
    });
}

bool Ledger::is_parked(std::string_view key) {
    return control_.read([&](sqlite3* db) {
        auto& row =
            prepared(statements_.is_parked, db, "SELECT 1 FROM parked WHERE listener = ?1 AND key = ?2 LIMIT 1");
        row.bind(1, listener_);
        row.bind(2, key);
        const bool found = row.step();
        row.reset();
        return found;
    });
}

std::vector<std::string> Ledger::parked_keys(std::size_t most) {
    return control_.read([&](sqlite3* db) {
        sql::Statement rows{db, "SELECT DISTINCT key FROM parked WHERE listener = ?1 LIMIT ?2"};
        rows.bind(1, listener_);
        rows.bind(2, static_cast<std::int64_t>(most));
        std::vector<std::string> keys;
        while (rows.step()) keys.emplace_back(rows.text(0));
        return keys;
    });
}

bool Ledger::is_claimed(std::string_view value, Timestamp recorded_at, Position position) {
    return control_.read([&](sqlite3* db) {
        auto& row =
            prepared(statements_.is_claimed, db,
                     "SELECT 1 FROM deduplicated WHERE listener = ?1 AND value = ?2 AND until > ?3 AND position "
                     "< ?4");
        row.bind(1, listener_);
        row.bind(2, value);
        row.bind(3, micros(recorded_at));
        row.bind(4, position.value());
        const bool found = row.step();
        row.reset();
        return found;
    });
}

std::int64_t Ledger::data_version() {
    return control_.read([&](sqlite3* db) {
        sql::Statement row{db, "PRAGMA data_version"};
        return row.step() ? row.integer(0) : 0;
    });
}

}  // namespace stele
