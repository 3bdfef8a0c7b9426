// Courier: one listener in the care of a runner.
//
// turn() is all of it, but for the deliveries themselves: it owns the lease, reads the log, hands out runs of
// events of one key to the queue, takes in what became of them, and settles it (ledger.hpp). One thread at a time.
// Workers carry() runs, and leave their reports where the next turn finds them.
//
// An event is in one place at a time: not read yet; queued in memory behind others of its key; under way with a
// worker; parked in control.db; or settled. Its key is in one place too: in `keys_` as long as anything of it is
// queued or under way, in the table `parked` as long as anything of it is parked; while it is parked, what comes is
// put behind it there.
//
// What happens is decided from what control.db says at that moment, so whatever other processes do to a listener
// (pause it, move it, take it over, have dead letters tried again) is found at the next look, or at the next
// settlement, which writes nothing then.
#pragma once

#include "../leases.hpp"
#include "breaker.hpp"
#include "delivery_key.hpp"
#include "ledger.hpp"
#include "outstanding.hpp"
#include "parked_keys.hpp"
#include "selection.hpp"
#include "work_queue.hpp"

#include <stele/projections/runner.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

namespace stele {

/// What all couriers of a runner share. Stays longer than they do.
struct CourierContext {
    EventStore& store;
    const RunnerOptions& options;
    ControlDb& control;
    const Member& member;
    Leases& leases;
    const DeliveryKeys& keys;
    std::function<void(RunnerNews)> news;
};

class Courier {
public:
    Courier(const CourierContext& context, std::shared_ptr<const Listener> listener, WorkQueue& queue,
            std::shared_ptr<Breaker> breaker);
    ~Courier();
    Courier(const Courier&) = delete;
    Courier& operator=(const Courier&) = delete;

    [[nodiscard]] const Listener& listener() const noexcept { return *listener_; }

    // ---- Taking care. Any thread; one at a time.

    struct Turn {
        bool has_more = false;             ///< call again at once
        std::chrono::milliseconds wait{};  ///< else: when something happens, or this has passed
        std::size_t events = 0;            ///< that were taken up
    };
    /// A piece of work: takes up at most `max` events. Nothing is thrown: trouble is told as news and tried again.
    Turn turn(std::size_t max) noexcept;

    /// Has the next turn look for what others did.
    void look_now() noexcept;
    /// Hands out nothing more, and has workers hand back what they have not begun.
    void hold() noexcept;
    /// Ends: settles what is done, and gives the lease back. What becomes of deliveries that are under way still is
    /// not waited for; they are made again.
    void close() noexcept;

    /// Waits until there is something for a turn to do, for `most` at most.
    void await(std::chrono::milliseconds most, const std::stop_token& stop);
    /// The log has grown, or control.db has changed.
    void wake() noexcept;

    /// Waits until everything up to `position` is settled, or parked, or dead; what came of it.
    [[nodiscard]] WaitResult wait_for(Position position, std::chrono::steady_clock::time_point deadline) const;

    // ---- Delivering. Workers.

    /// Delivers the events of a run one after another, up to one that fails. `keep_rate` is called before each.
    void carry(Run run, const std::function<void()>& keep_rate) noexcept;
    /// A run that was not begun.
    void take_back(Run run) noexcept;

    /// Has deliveries that are under way look at Delivery::stop().
    void abort() noexcept { abort_.request_stop(); }

private:
    using Time = std::chrono::steady_clock::time_point;

    struct Failure {
        Timestamp at;
        std::chrono::microseconds duration{};
        std::string cause;
        std::string error;
        bool is_permanent = false;
        bool counts = true;  ///< against the number of attempts
        std::optional<std::chrono::milliseconds> asked_wait;
    };
    struct Success {
        Position position;
        std::chrono::microseconds duration{};
        std::size_t bytes = 0;
        bool is_retry = false;
    };
    /// An append that was composed for an event.
    struct Effect {
        std::string key;
        RunItem item;
        Append append;
        std::chrono::microseconds duration{};
    };
    /// What became of a run, or of its first part.
    struct Report {
        std::int64_t life = 0;
        std::string key;
        bool is_parked = false;
        bool is_trial = false;
        std::vector<Success> delivered;
        std::optional<RunItem> failed;   ///< the event that was not delivered
        std::optional<Failure> failure;  ///< and why
        std::vector<RunItem> rest;       ///< that was not tried
        bool has_ended = false;
    };
    struct Key {
        std::deque<RunItem> queued;
        bool is_out = false;     ///< a worker has a run of it
        bool is_parked = false;  ///< and that run is of what is parked
    };

    // Workers.
    std::optional<Failure> attempt(const RunItem& item, const Event& piece, bool is_trial, Success& success,
                                   const std::function<void(const Delivery&)>& deliver);
    std::optional<Failure> deliver_pieces(RunItem& item, std::unique_ptr<ListenerHandler>& handler, bool is_trial,
                                          Success& success);
    void deliver(ListenerHandler& handler, const Event& event, const Delivery& delivery);
    [[nodiscard]] std::unique_ptr<ListenerHandler> take_handler();
    void put_back(std::unique_ptr<ListenerHandler> handler);
    void report(Report&& part);

    // Each of these with care_ locked:
    Turn work(std::size_t max);
    Turn trouble(const std::string& text);
    bool look();
    bool own();
    bool is_hung(const LeaseHolder& holder);
    [[nodiscard]] Position start() const;
    void load();
    void unload();
    void lose(const std::string& text);
    void collect();
    void take_in(Report& part);
    void fail(Report& part, const RunItem& item, const Failure& failure);
    void bury(const Report& part, const Event& event, const Failure& failure);
    void park_behind(Report& part);
    void settle_one(Position position, std::size_t bytes);
    [[nodiscard]] static std::size_t size_of(const RunItem& item);
    [[nodiscard]] bool may_deliver() const noexcept;
    [[nodiscard]] bool has_room() const noexcept;
    void change_state(const ListenerPlace& place);
    // From the log:
    std::size_t feed(std::size_t max);
    void read_on(std::size_t max, std::size_t& taken);
    void take_up_again();
    void tell_halt();
    void feed_next(std::size_t& taken);
    [[nodiscard]] std::optional<RunItem> stored_at(Position position) const;
    bool take_up(RunItem item, bool is_again);
    [[nodiscard]] std::optional<RunItem> selected(const RunItem& item);
    [[nodiscard]] bool is_repetition(const Event& event);
    [[nodiscard]] bool is_own_effect(const Event& event) const;
    void queue_up(const std::string& key, RunItem item);
    // From what is parked:
    void deliver_due();
    bool push_due(Timestamp now, std::size_t most, bool is_trial);
    bool push_parked(const std::vector<ParkedDelivery>& deliveries, bool is_trial);
    [[nodiscard]] std::optional<RunItem> still_selected(const std::string& key, const ParkedDelivery& delivery);
    void fail_parked(const std::string& key, const ParkedDelivery& delivery, const Failure& failure);
    [[nodiscard]] Failure upcast_failure(const char* error) const;
    [[nodiscard]] Failure selection_failure(const char* error) const;
    // To the workers:
    void dispatch();
    void try_one_of_ready();
    [[nodiscard]] Run run_of(const std::string& name, std::size_t most);
    // Effects that are appends:
    void append_effects();
    bool compose(std::unique_ptr<ListenerHandler>& handler, Effect& effect);
    void fail_effect(const Effect& effect, const Failure& failure);
    void commit(std::vector<Effect*>& effects);
    void commit_alone(Effect& effect);
    void effect_done(const Effect& effect);

    void settle();
    void settle_now(bool is_beat);
    void go_on_with_keys();
    void go_on_with(const std::string& key);
    [[nodiscard]] ListenerPlace place_now() const;
    [[nodiscard]] static ListenerPlace stopped_place(const std::string& error);
    [[nodiscard]] std::chrono::milliseconds next_wait(Timestamp time) const;
    void publish();
    void tell(RunnerNews::Kind kind, const std::string& text);

    const CourierContext context_;
    const std::shared_ptr<const Listener> listener_;
    WorkQueue& queue_;
    const std::shared_ptr<Breaker> breaker_;
    const std::string lease_;
    const std::string source_;  ///< of tracking, for one that appends

    mutable std::mutex care_;  ///< guards what follows
    Ledger ledger_;
    Selection selection_;
    ParkedKeys parked_keys_;
    std::int64_t token_ = 0;             ///< of our lease; 0: we have none
    bool is_loaded_ = false;             ///< what follows is what control.db said, and what came of it since
    std::atomic<std::int64_t> life_{0};  ///< rises when what is in memory is thrown away; workers look at it
    std::string state_;                  ///< as control.db said last: "live", "paused", "failed"; empty: not ours
    std::int64_t epoch_ = 0;
    std::int64_t seen_version_ = -1;  ///< of control.db
    ListenerCounts counts_;
    Outstanding outstanding_;
    std::deque<Position> under_way_;  ///< outstanding since before load(), and not taken up yet
    std::size_t bytes_ = 0;           ///< of events in memory
    std::unordered_map<std::string, Key> keys_;
    std::deque<std::string> ready_;      ///< keys that are queued and not out
    std::vector<Effect> effects_;        ///< taken up, and not composed yet
    std::vector<std::string> to_go_on_;  ///< parked keys of which a run has ended
    std::size_t parked_out_ = 0;         ///< runs of what is parked, with workers
    std::optional<EventRange> range_;
    EventRange::iterator next_{};
    Position range_end_;
    Settlement settlement_;
    std::unordered_map<std::string, std::pair<Timestamp, Position>> claims_;  ///< of `settlement_`
    std::int64_t unstored_ = 0;  ///< events settled since the place was stored
    Position stored_read_to_;
    Time stored_at_{};
    Time next_look_{};
    std::optional<Timestamp> next_due_;
    bool is_due_known_ = false;
    bool has_passed_over_due_ = false;  ///< as events of the same key are in memory still
    Time reload_keys_at_{};
    /// Of events that failed at a further piece: which one, while they are parked and this courier goes on with
    /// them.
    std::unordered_map<std::int64_t, std::size_t> next_pieces_;
    std::string halt_;       ///< why the log cannot be read on: an event that cannot be upcast; empty: it can
    std::string told_halt_;  ///< as control.db has it
    Position halted_at_;     ///< where it was told
    int troubles_ = 0;       ///< in a row
    std::string last_trouble_;
    std::minstd_rand random_{std::random_device{}()};

    struct Sighting {
        std::int64_t token = 0;
        Position position;
        Position read_to;
        std::int64_t beat = 0;
        Time since{};
    };
    std::optional<Sighting> sighting_;

    /// Why nothing that was not begun is to begin, as bits; 0: nothing holds it up.
    std::atomic<unsigned> holds_{0};
    static constexpr unsigned hold_for_end = 1;
    static constexpr unsigned hold_for_state = 2;    ///< it is paused, or has failed
    static constexpr unsigned hold_for_trouble = 4;  ///< what happened cannot be written
    std::stop_source abort_;
    std::mutex handlers_mutex_;
    std::vector<std::unique_ptr<ListenerHandler>> handlers_;

    mutable std::mutex exchange_;  ///< guards what follows
    mutable std::condition_variable_any happened_;
    std::vector<Report> reports_;
    bool is_woken_ = false;
    Position settled_to_;  ///< as last published
    std::string seen_state_;
};

}  // namespace stele
