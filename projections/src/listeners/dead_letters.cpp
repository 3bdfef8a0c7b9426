#include <stele/projections/listeners/dead_letters.hpp>

#include "listener_rows.hpp"

namespace stele {
namespace {

constexpr auto columns =
    "SELECT d.id, d.listener, d.key, d.position, d.stream, d.type, d.event_id, d.attempts, d.first_failed_at, "
    "d.last_failed_at, d.cause, d.error, p.held FROM dead_letters AS d LEFT JOIN parked AS p ON p.listener = "
    "d.listener AND p.key = d.key AND p.position = d.position";

// The letters of a filter, as SQL. What is not asked for is not in it, so that an index serves what is.
class Selected {
public:
    Selected(sqlite3* db, const std::string& select, const DeadLetterFilter& filter, const std::string& behind)
        : statement_(db, select + where(filter) + behind) {
        int parameter = 0;
        for (const auto* text : {&filter.listener, &filter.type, &filter.key, &filter.cause})
            if (*text) statement_.bind(++parameter, std::string_view{**text});
        if (filter.since) statement_.bind(++parameter, to_micros(*filter.since));
        if (filter.id) statement_.bind(++parameter, *filter.id);
        statement_.bind(++parameter, filter.limit ? static_cast<std::int64_t>(*filter.limit) : std::int64_t{-1});
    }

    [[nodiscard]] bool step() { return statement_.step(); }
    [[nodiscard]] const sql::Statement& row() const noexcept { return statement_; }

private:
    static std::string where(const DeadLetterFilter& filter) {
        std::string text = " WHERE true";
        int parameter = 0;
        const auto add = [&](bool wanted, const char* condition) {
            if (!wanted) return;
            ++parameter;
            text += " AND " + std::string{condition} + "?" + std::to_string(parameter);
        };
        add(filter.listener.has_value(), "d.listener = ");
        add(filter.type.has_value(), "d.type = ");
        add(filter.key.has_value(), "d.key = ");
        add(filter.cause.has_value(), "d.cause = ");
        add(filter.since.has_value(), "d.last_failed_at >= ");
        add(filter.id.has_value(), "d.id = ");
        return text;
    }

    sql::Statement statement_;
};

DeadLetter letter_in(const sql::Statement& row) {
    DeadLetter letter;
    int column = 0;
    letter.id = row.integer(column++);
    letter.listener = row.text(column++);
    letter.key = row.text(column++);
    letter.position = Position{row.integer(column++)};
    letter.stream = row.text(column++);
    letter.type = row.text(column++);
    letter.event_id = EventId::parse(row.text(column++));
    letter.attempts = static_cast<int>(row.integer(column++));
    letter.first_failed_at = from_micros(row.integer(column++));
    letter.last_failed_at = from_micros(row.integer(column++));
    letter.cause = row.text(column++);
    letter.error = row.text(column++);
    // A letter whose event is parked holds its key, or is tried again.
    const bool is_parked = !row.is_null(column);
    letter.holds_key = is_parked && row.integer(column) != 0;
    letter.retrying = is_parked && !letter.holds_key;
    return letter;
}

// `narrowed`: a further condition.
std::vector<DeadLetter> selected(sqlite3* db, const DeadLetterFilter& filter, const std::string& narrowed = {}) {
    Selected rows{db, columns, filter, narrowed + " ORDER BY d.id LIMIT ?"};
    std::vector<DeadLetter> letters;
    while (rows.step()) letters.push_back(letter_in(rows.row()));
    return letters;
}

// What a change of some letters is: `change(db, letter)` for each that is there, as it stands there then (trap 7: a
// letter whose event was delivered since somebody looked is not there any more).
template <class Change>
std::vector<DeadLetter> change_each(const EventStore& store, const DeadLetterFilter& filter,
                                    const std::string& narrowed, bool dry_run, const std::string& sqlite_vfs,
                                    const Change& change) {
    const auto control = ControlDb::open_existing(folder_of(store), sqlite_vfs);
    if (!control) return {};
    if (dry_run) return control->read([&](sqlite3* db) { return selected(db, filter, narrowed); });
    return control->write(ControlDb::Sync::full, [&](sqlite3* db) {
        auto letters = selected(db, filter, narrowed);
        change(db, letters);
        return letters;
    });
}

void bind_place(sql::Statement& statement, const DeadLetter& letter) {
    statement.bind(1, std::string_view{letter.listener});
    statement.bind(2, letter.position.value());
}

}  // namespace

std::vector<DeadLetter> dead_letters(const EventStore& store, const DeadLetterFilter& filter,
                                     const std::string& sqlite_vfs) {
    const auto control = ControlDb::open_existing(folder_of(store), sqlite_vfs);
    if (!control) return {};
    return control->read([&](sqlite3* db) { return selected(db, filter); });
}

std::vector<Attempt> attempts_of(const EventStore& store, std::int64_t dead_letter, const std::string& sqlite_vfs) {
    const auto control = ControlDb::open_existing(folder_of(store), sqlite_vfs);
    const auto none = [&] {
        return NotFound{
            "no dead letter " + std::to_string(dead_letter) + " (delivered or discarded, or never there)",
            {{"id", dead_letter}}};
    };
    if (!control) throw none();
    return control->read([&](sqlite3* db) {
        const ControlSnapshot snapshot{db};
        sql::Statement letter{db, "SELECT 1 FROM dead_letters WHERE id = ?1"};
        letter.bind(1, dead_letter);
        if (!letter.step()) throw none();
        sql::Statement rows{
            db,
            "SELECT a.number, a.at, a.duration, a.cause, a.error FROM dead_letters AS d JOIN attempts "
            "AS a ON a.listener = d.listener AND a.position = d.position WHERE d.id = ?1 ORDER BY "
            "a.number"};
        rows.bind(1, dead_letter);
        std::vector<Attempt> attempts;
        while (rows.step()) {
            attempts.push_back({static_cast<int>(rows.integer(0)), from_micros(rows.integer(1)),
                                std::chrono::microseconds{rows.integer(2)}, std::string{rows.text(3)},
                                std::string{rows.text(4)}});
        }
        return attempts;
    });
}

std::vector<DeadLetter> retry_dead_letters(const EventStore& store, const DeadLetterFilter& filter, bool dry_run,
                                           const std::string& sqlite_vfs) {
    const auto due = to_micros(now());
    // Nobody looks at what is parked for a listener that has no queue.
    const auto* const has_place =
        " AND EXISTS (SELECT 1 FROM listeners AS l WHERE l.name = d.listener AND l.queue <> '')";
    return change_each(
        store, filter, has_place, dry_run, sqlite_vfs, [&](sqlite3* db, std::vector<DeadLetter>& letters) {
            // The position is the event's own: the retry reads it from the log (trap 8).
            sql::Statement park{
                db,
                "INSERT OR REPLACE INTO parked (listener, position, key, attempts, due, held) VALUES (?1, "
                "?2, ?3, 0, ?4, 0)"};
            for (auto& letter : letters) {
                bind_place(park, letter);
                park.bind(3, std::string_view{letter.key});
                park.bind(4, due);
                park.run();
                letter.retrying = true;
                letter.holds_key = false;
            }
        });
}

std::vector<DeadLetter> discard_dead_letters(const EventStore& store, const DeadLetterFilter& filter, bool dry_run,
                                             const std::string& sqlite_vfs) {
    const auto due = to_micros(now());
    return change_each(
        store, filter, {}, dry_run, sqlite_vfs, [&](sqlite3* db, const std::vector<DeadLetter>& letters) {
            sql::Statement bury{db, "DELETE FROM dead_letters WHERE listener = ?1 AND position = ?2"};
            sql::Statement forget{db, "DELETE FROM attempts WHERE listener = ?1 AND position = ?2"};
            sql::Statement unpark{db, "DELETE FROM parked WHERE listener = ?1 AND position = ?2 AND key = ?3"};
            // Where the first of the key waits for nothing but what was before it, its time has come. One that
            // waits for its own next attempt, or for an operator, goes on waiting.
            sql::Statement free_key{
                db,
                "UPDATE parked SET due = ?3 WHERE listener = ?1 AND key = ?2 AND due IS NULL AND held "
                "= 0 AND position = (SELECT min(position) FROM parked WHERE listener = ?1 AND key = "
                "?2)"};
            for (const auto& letter : letters) {
                for (auto* statement : {&bury, &forget}) {
                    bind_place(*statement, letter);
                    statement->run();
                }
                bind_place(unpark, letter);
                unpark.bind(3, std::string_view{letter.key});
                unpark.run();
                if (!letter.holds_key && !letter.retrying) continue;
                free_key.bind(1, std::string_view{letter.listener});
                free_key.bind(2, std::string_view{letter.key});
                free_key.bind(3, due);
                free_key.run();
            }
        });
}

std::vector<DeadLetterStats> dead_letter_stats(const EventStore& store, const DeadLetterFilter& filter,
                                               const std::string& sqlite_vfs) {
    const auto control = ControlDb::open_existing(folder_of(store), sqlite_vfs);
    if (!control) return {};
    return control->read([&](sqlite3* db) {
        Selected rows{db,
                      "SELECT d.listener, d.type, d.cause, count(*), min(d.first_failed_at), max(d.last_failed_at) "
                      "FROM dead_letters AS d",
                      filter,
                      " GROUP BY d.listener, d.type, d.cause ORDER BY count(*) DESC, d.listener, d.type, d.cause "
                      "LIMIT ?"};
        std::vector<DeadLetterStats> stats;
        while (rows.step()) {
            const auto& row = rows.row();
            stats.push_back({std::string{row.text(0)}, std::string{row.text(1)}, std::string{row.text(2)},
                             row.integer(3), from_micros(row.integer(4)), from_micros(row.integer(5))});
        }
        return stats;
    });
}

}  // namespace stele
