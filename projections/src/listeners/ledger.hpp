// Ledger: what control.db keeps of one listener's deliveries, as the one who delivers reads and writes it.
//
// Whatever becomes of deliveries is put into a Settlement, and a Settlement is one transaction: the place moves on,
// what failed is parked or dead, what succeeded is parked no longer. So an event is settled or it is not, and a
// dead letter is there if and only if the place has gone past its event. The transaction checks the token of
// whoever writes (D4), so that one who was replaced without noticing changes nothing.
#pragma once

#include "../control_db.hpp"

#include <stele/projections/listeners/listener_status.hpp>
#include <stele/schema/event.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

/// Where a listener is.
struct ListenerPlace {
    std::string state = "live";  ///< "live", "paused", "failed"
    Position position;
    Position read_to;
    std::vector<Position> under_way;
    std::int64_t epoch = 0;
    std::string error;
    ListenerCounts counts;
    std::optional<BreakerStatus> breaker;
};

/// A delivery that waits in control.db.
struct ParkedDelivery {
    std::string key;
    Position position;
    int attempts = 0;  ///< that count
    int made = 0;      ///< in all
};

/// What became of deliveries since the last Settlement.
struct Settlement {
    struct Park {
        std::string key;
        Position position;
        int attempts = 0;
        std::optional<Timestamp> due;  ///< empty: it waits behind another one, or is held
        bool held = false;
        bool again = false;  ///< it stands there; where an operator took it away meanwhile it stays away
    };
    struct Failure {
        Position position;
        Timestamp at;
        std::chrono::microseconds duration{};
        std::string cause;
        std::string error;
        bool again = false;  ///< as of Park
    };
    struct Death {
        std::string key;
        Position position;
        EventId event_id;
        std::string stream;
        std::string type;
        bool again = false;  ///< as of Park
    };
    struct Done {
        std::string key;
        Position position;
        bool was_delivered = true;  ///< else it is dead: its attempts and its dead letter stay
    };
    struct Claim {
        std::string value;
        Timestamp recorded_at;
        Timestamp until;
        Position position;
    };
    struct Stop {
        Position position;
        std::string error;
    };

    std::vector<Claim> claims;
    std::vector<Park> waiting;      ///< put behind others of their key, where they are not there already
    std::vector<Park> parked;       ///< parked, or parked anew
    std::vector<Failure> failures;  ///< of what is parked or dead
    std::vector<Death> deaths;      ///< behind their failures
    std::vector<Done> done;         ///< parked no longer
    std::optional<Stop> stop;

    [[nodiscard]] bool is_empty() const noexcept {
        return claims.empty() && waiting.empty() && parked.empty() && failures.empty() && deaths.empty() &&
               done.empty() && !stop;
    }
};

/// Threads  one at a time. `control` stays longer.
class Ledger {
public:
    Ledger(ControlDb& control, std::string listener);

    /// Where the listener is; empty where it was never run.
    [[nodiscard]] std::optional<ListenerPlace> place();
    /// Makes the listener's row, to begin behind `start`.
    void begin(Position start, const std::string& queue, const std::string& sink);
    /// From now on only who shows `token`, or a higher one, writes. False where a higher one stands there.
    [[nodiscard]] bool claim(std::int64_t token, const std::string& queue, const std::string& sink);
    /// Has the first delivery of each key go on at `now` where it waits for nothing: a process that ended between
    /// the delivery of a key's first event and those behind it left them so.
    void free_first_of_keys(Timestamp now);
    /// Shows what keeps a live listener from going on, to who asks how it stands; empty: nothing does.
    void tell(std::string_view trouble, std::int64_t token);
    /// The token that stands there, 0 without a row.
    [[nodiscard]] std::int64_t token();

    enum class Outcome {
        done,
        fenced,  ///< somebody else delivers now: nothing was written
        moved,   ///< an operator has moved the place: nothing was written; read it again
    };
    struct Settled {
        Outcome outcome = Outcome::done;
        std::int64_t dead = 0;  ///< how many dead letters there are now, where some were made
    };
    /// Writes a settlement, with the place as it is thereby. `now` is the time by which retries are due. A place
    /// of which only `beat` differs is a sign of life.
    [[nodiscard]] Settled settle(const Settlement& settlement, const ListenerPlace& place, std::int64_t token,
                                 Timestamp now, bool is_beat = false);

    /// Deliveries whose next attempt is due and that are the first of their key, the longest due first.
    [[nodiscard]] std::vector<ParkedDelivery> due(Timestamp now, std::size_t most);
    /// When the first attempt behind `behind` is due.
    [[nodiscard]] std::optional<Timestamp> next_due(Timestamp behind);
    /// The first deliveries of a key. Empty: it is not parked. Where the first one is held, or not due, that is
    /// said.
    struct OfKey {
        std::vector<ParkedDelivery> deliveries;
        bool is_blocked = false;
        std::int64_t epoch = 0;  ///< of the place, no earlier than the rest was read
    };
    [[nodiscard]] OfKey of_key(std::string_view key, Timestamp now, std::size_t most);
    [[nodiscard]] bool is_parked(std::string_view key);
    /// Parked keys, in no order.
    [[nodiscard]] std::vector<std::string> parked_keys(std::size_t most);

    /// Whether an event before `position` was taken up with this value, whose window holds `recorded_at`.
    [[nodiscard]] bool is_claimed(std::string_view value, Timestamp recorded_at, Position position);

    /// What others see of whoever delivers.
    struct Sign {
        std::string state;
        Position position;
        Position read_to;
        std::int64_t beat = 0;
        bool is_overdue = false;  ///< an attempt is
    };
    [[nodiscard]] Sign sign(Timestamp now);

    /// A dead letter of a listener that stores no place (ListenerMode::sync).
    void bury(const Settlement::Death& death, const Settlement::Failure& failure);

    /// Changes whenever anybody else has committed to control.db.
    [[nodiscard]] std::int64_t data_version();

private:
    sql::Statement& prepared(std::optional<sql::Statement>& statement, sqlite3* db, const char* text);
    bool is_gone(sqlite3* db, Position position);
    void write_claims(sqlite3* db, const Settlement& settlement);
    void write_waiting(sqlite3* db, const std::vector<Settlement::Park>& waiting, Timestamp now);
    void write_parked(sqlite3* db, const std::vector<Settlement::Park>& parked);
    void write_failures(sqlite3* db, const std::vector<Settlement::Failure>& failures);
    void write_deaths(sqlite3* db, const std::vector<Settlement::Death>& deaths);
    void write_done(sqlite3* db, const std::vector<Settlement::Done>& done);

    ControlDb& control_;
    const std::string listener_;
    int claims_since_sweep_ = 0;

    struct Statements {
        std::optional<sql::Statement> look, move, beat, wait, park, fail, thin_out, die, unpark, forget, resurrect,
            claim, is_parked, is_claimed, stands, epoch;
    };
    Statements statements_;
};

}  // namespace stele
