// Listener: what is to be done with events outside of the store, and how to go about it when that fails.
//
// A listener sees every event that it selects at least once, in the order of its key (D1). Which of them are dealt
// with is kept in control.db; a process that dies repeats what was under way. A delivery that fails parks its key:
// later events of that key wait behind it, other keys go on (D2). It is tried again by the schedule, whose times
// outlive restarts; after the last attempt it becomes a dead letter (D3), and the key is free again, or held, or
// the listener stops.
//
// Two kinds come with Stele: listener<T>() and listener(name, …, function), a struct or a function of yours
// (cpp_listener.hpp), and those of stele.toml, which have a sink.
#pragma once

#include <stele/projections/listeners/delivery.hpp>
#include <stele/schema/sql/text.hpp>
#include <stele/schema/time.hpp>
#include <stele/store/append.hpp>
#include <stele/store/query.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stele {

/// Which events must be delivered one after another.
struct OrderBy {
    enum class Kind {
        stream,      ///< those of a stream
        expression,  ///< those for which `expression` gives the same value; NULL is a value like any other
        global,      ///< all of them
        none,        ///< no two
    };
    Kind kind = Kind::stream;
    sql::SqlText expression{};  ///< SQL over the event, such as `$data(customer)`
};

/// When to try again, and how often.
struct RetryPolicy {
    int attempts = 10;  ///< at most, the first included; at least 1, at most 1,000
    /// Waits behind the first, the second, … failure; the last one stands for all further ones. Empty: exponential,
    /// as follows.
    std::vector<std::chrono::milliseconds> delays{};
    std::chrono::milliseconds first{1'000};
    double factor = 2;
    std::chrono::milliseconds longest{std::chrono::hours{1}};
    /// Of each wait, so much is random: 0.2 makes 10 s something between 8 and 12 s. 0 to 1.
    double jitter = 0.2;

    /// The wait behind failure number `failures` (from 1). `random` is from 0 to 1.
    [[nodiscard]] std::chrono::milliseconds wait_behind(int failures, double random) const;
    friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

/// What happens to an event, and to its key, when the last attempt has failed or none will help.
enum class AfterLast {
    free_key,  ///< a dead letter; later events of the key are delivered
    hold_key,  ///< a dead letter; later events of the key wait until it was retried or discarded
    stop,      ///< the listener stops at it until it is resumed
};

/// A target that fails again and again is left alone for a while: nothing is sent, and no attempt is spent.
struct BreakerPolicy {
    int failures = 0;                        ///< in a row, that open it; 0: there is none
    std::chrono::milliseconds open{30'000};  ///< for so long; then one delivery is tried
    std::string target{};  ///< listeners that name the same one share it; empty: this listener's own
};

/// Of events with the same value, only the first within a window is delivered.
struct Deduplication {
    sql::SqlText by{};                   ///< SQL over the event; where it gives NULL the event is delivered
    std::chrono::milliseconds within{};  ///< behind the event that was delivered, by recorded_at
};

enum class ListenerMode {
    /// By the workers of a queue, behind the log, with all that listeners have.
    queued,
    /// By the thread that appends, before append() returns: for counters and caches in memory. It sees what is
    /// appended from the time on that its runner began; it is tried once, and what fails is a dead letter. Its
    /// position is not stored. It must not append: it would wait for itself.
    sync,
};

/// Where a listener begins that was never run on this store.
struct StartAt {
    enum class Kind { beginning, now, position, time };
    Kind kind = Kind::beginning;
    Position position{};  ///< with Kind::position: the first event is the one behind it
    Timestamp time{};     ///< with Kind::time: the first event is the first one recorded at or after it
};

/// Delivers. One thread at a time; a listener's workers have one each.
class ListenerHandler {
public:
    ListenerHandler() = default;
    ListenerHandler(const ListenerHandler&) = delete;
    ListenerHandler& operator=(const ListenerHandler&) = delete;
    virtual ~ListenerHandler() = default;

    /// Delivers one event. Returning means that it is done. Throwing means that it is not: Permanent makes it a
    /// dead letter at once, anything else has it tried again.
    virtual void deliver(const Event& event, const Delivery& delivery) = 0;

    /// What to append for an event, for a listener whose effect is an append (Listener::appends()): it is added to
    /// `append`, which is committed together with the listener's position, exactly once. Ids of the events are
    /// given by the engine, so what is added has to follow from the event alone. Fails as deliver() does.
    virtual void compose(const Event& event, const Delivery& delivery, Append& append);
};

/// Immutable: any thread may use it at any time.
class Listener {
public:
    struct Head {
        std::string name;      ///< letters, digits, _ and -, at most 100
        Query query{};         ///< what it selects …
        sql::SqlText where{};  ///< … of which those for which this SQL is true; empty: all
        ListenerMode mode = ListenerMode::queued;
        OrderBy order{};
        RetryPolicy retry{};
        AfterLast after_last = AfterLast::free_key;
        std::int64_t stop_after_dead = 0;  ///< stop when so many dead letters are there; 0: never
        BreakerPolicy breaker{};
        std::optional<Deduplication> deduplication{};
        StartAt start{};
        std::string queue = "default";
        int priority = 0;           ///< of what is ready in a queue, the highest goes first
        bool appends = false;       ///< its effect is an append to the same store: see ListenerHandler::compose()
        std::string sink = "code";  ///< what it does, in a word, for listings: "webhook", "exec" …
    };

    virtual ~Listener() = default;
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    [[nodiscard]] const Head& head() const noexcept { return head_; }
    [[nodiscard]] const std::string& name() const noexcept { return head_.name; }

    /// A handler for one worker. It goes before this.
    [[nodiscard]] virtual std::unique_ptr<ListenerHandler> handler() const = 0;

protected:
    /// Throws InvalidInput that names the field where something of the head breaks a rule, sql::DefinitionError
    /// where SQL of it does.
    explicit Listener(Head head);

private:
    Head head_;
};

/// A number of workers that some listeners share, and others do not: a slow queue takes no worker from another.
/// Listeners that name no queue have one each, of four workers; where options speak of the queue "default", they
/// share that.
struct QueueOptions {
    std::string name = "default";
    int workers = 4;   ///< threads, begun as they are needed; 1 to 1,000
    double rate = 0;   ///< deliveries begun a second, at most, over all workers of this process; 0: no limit
    int priority = 0;  ///< where the processor is short, workers of queues with a higher one go first
};

}  // namespace stele
