// Runner: keeps read models up with the log by itself, and has listeners deliver what they select.
//
//   Runner runner{store};
//   runner.add(registry);
//   runner.start();                                       // threads of its own; or step() in a loop of yours
//   const auto appended = store.append(…);
//   runner.wait_for("tenant_stats", appended.last_position, 1s);   // read your writes
//   runner.model("tenant_stats").query(…);
//
// What it does with each projection, until it is stopped:
//   - builds it where it is absent, or was built by another definition: beside the old generation, which its
//     readers have until then (P2).
//     It leaves alone what was built by a later version of it, and what somebody has rebuilt by another definition
//     while it ran: then it is for a runner that has that one;
//   - takes in what was appended, by this process or another. `async` projections follow; `sync` ones are up to
//     date before append() returns;
//   - leaves it where it is while it is paused or dropped, and at the event that its handler failed at, until it is
//     resumed or rebuilt, by whoever and in whatever process, or its definition is another. No projection holds up
//     another.
//
// Any number of runners, in any number of processes, may run the same projections: each projection is advanced by
// one of them at a time, its owner. When the owner's process dies another takes over at its next look; when it
// hangs (events are waiting, and nothing has moved for Options::takeover_after), another takes over too. A fencing
// token in the read model's own file keeps an owner that comes back too late from writing (P1).
//
// Listeners (listeners/listener.hpp) are added and run in the same way: one owner at a time, over all runners. Each
// has a queue, whose workers deliver.
//
// An idle runner writes nothing, and looks around a few times a second.
//
// fork() takes no thread along but keeps files open: where a child lives on without exec(), the runner's locks look
// held as long as the child lives, and nobody takes over when the parent dies. So start() behind fork(), or exec().
#pragma once

#include <stele/projections/listeners/listener_registry.hpp>
#include <stele/projections/live_model.hpp>
#include <stele/projections/projection.hpp>
#include <stele/projections/projection_registry.hpp>
#include <stele/projections/projection_status.hpp>
#include <stele/projections/rebuild.hpp>
#include <stele/store/event_store.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

/// Something an operator may want to know.
struct RunnerNews {
    enum class Kind {
        owned,     ///< this runner advances the projection from now on
        lost,      ///< another one does
        building,  ///< a generation is being built
        built,     ///< and it is the current one now
        live,      ///< it follows the log
        paused,
        failed,      ///< a handler failed
        dropped,     ///< the projection is gone, and this runner leaves it alone
        trouble,     ///< a disk, a lock or a file is in the way; the runner tries again. Told when it begins, or is
                     ///< another
        dead,        ///< a listener has made a dead letter
        superseded,  ///< the projection was built by a later version, or another definition: see Runner
    };
    Kind kind;
    std::string projection;  ///< empty: it is about a listener
    std::string text;        ///< a sentence for people
    std::string listener{};  ///< empty: it is about a projection
};

/// False where the environment has STELE_LISTENERS=off (or 0, no, false; in any case).
[[nodiscard]] bool listeners_are_on();

struct RunnerOptions {
    /// Events per transaction, at most.
    std::size_t batch = 1'000;
    /// An owner that is alive, has events to take in, and has not moved for so long is taken over.
    std::chrono::milliseconds takeover_after{10'000};
    /// How often, at least, to look at what other processes did to a projection.
    std::chrono::milliseconds look_every{250};
    /// How long start() waits for sync projections to come into step with the log.
    std::chrono::milliseconds sync_wait{5'000};
    /// Who this is, for the column "owner" of a status; empty: the process and its number.
    std::string label{};
    /// Called behind what happens, in order and one call at a time, by a thread of the runner or whoever calls
    /// step() or stop(). It may append, and ask the runner for status() and model(); not start, step, stop or wait
    /// for it. What it throws is passed over. Where it takes long, the projections may have to wait for it.
    std::function<void(const RunnerNews&)> news{};
    /// For the builds that the runner begins by itself: see RebuildOptions.
    std::chrono::milliseconds grace{50};
    /// The SQLite VFS for read models and control.db; empty: the system's. The seam that fault tests use.
    std::string sqlite_vfs{};

    // ---- Listeners

    /// Off: no listener delivers. Nothing is lost by it: switched on, they go on from where they were.
    bool listeners_enabled = listeners_are_on();
    /// What is said of queues; one that a listener names and that is not here has what QueueOptions has by default.
    std::vector<QueueOptions> queues{};
    /// Events that a listener has in memory, at most: being delivered, or waiting for a worker. A crash has at most
    /// so many of them delivered again.
    std::size_t window = 2'048;
    /// How long stop() lets deliveries finish before it asks them to give up (Delivery::stop()).
    std::chrono::milliseconds stop_within{10'000};
    /// Gives the times of attempts, by which retries are due; tests hand in their own.
    Clock clock = stele::now;
};

/// What came of waiting for a projection.
enum class WaitResult {
    reached,     ///< it is at the position, or further
    timed_out,   ///< not yet
    failed,      ///< it stopped before that: projection_status() says at what
    paused,      ///< it is paused, or dropped, before that
    superseded,  ///< it is by another definition, which the runner leaves alone
};

/// Threads  every member may be called from any thread.
class Runner {
public:
    using Options = RunnerOptions;

    /// Nothing happens before start() or step(). `store` stays longer. Sync projections are in step with what is
    /// appended through this very object; what other objects and processes append follows.
    explicit Runner(EventStore& store, Options options = {});
    /// stop()s.
    ~Runner();
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    /// Adds a projection or a listener, or all of a registry. Throws InvalidInput where there is one of that name,
    /// or the runner has started.
    void add(std::shared_ptr<const Projection> projection);
    void add(const ProjectionRegistry& registry);
    void add(std::shared_ptr<const Listener> listener);
    void add(const ListenerRegistry& registry);
    [[nodiscard]] const ProjectionRegistry& registry() const noexcept;
    [[nodiscard]] const ListenerRegistry& listeners() const noexcept;

    /// Begins: a thread for each projection, so that a slow one delays no other. Returns when the sync projections
    /// that this runner owns are in step with the log (those that need longer than Options::sync_wait come into
    /// step later: until then append() does not wait for them). Harmless when repeated.
    /// Throws StoreError         "control_file": control.db cannot be made, or read.
    ///        std::system_error  there are no more threads to be had; stop() ends those that there are.
    void start();

    /// Ends: each projection finishes the batch that it is at; a build that is under way is given up, and the next
    /// runner takes it up again. When it returns nothing of the runner works, and its projections are free for
    /// others. It may be started again. Harmless when repeated.
    void stop();

    /// start(), then waits until `stop` is requested, then stop().
    void run(const std::stop_token& stop);

    /// Without threads: gives each projection in turn a piece of its work, in the calling thread, until `max`
    /// events were taken in or nothing is left to do. Returns how many were taken in: 0 means that all is done for
    /// now. A projection that has to be built is built, whole, within the step, by a thread for which it
    /// waits. The next step goes on with the projection behind the one that this one ended at, so that each gets
    /// its share however small `max` is. Not for a runner that was start()ed.
    ///
    /// Sync projections that step() has brought into step are up to date from then on when append() returns.
    std::size_t step(std::size_t max = std::numeric_limits<std::size_t>::max(), const std::stop_token& stop = {});

    /// Waits until the projection's rows are the fold of the log up to `position`, at least, by the definition that
    /// the runner has: whoever owns it.
    /// Throws NotFound         the runner has no such projection.
    ///        ProjectionError  "projection_file": its read model cannot be read.
    ///        StoreError       the log cannot be.
    [[nodiscard]] WaitResult wait_for(std::string_view name, Position position, std::chrono::milliseconds timeout);

    /// Waits until the listener has settled everything that it selects up to `position`: delivered, parked, or
    /// dead. Whoever owns it. Throws NotFound where the runner has no such listener.
    [[nodiscard]] WaitResult wait_for_listener(std::string_view name, Position position,
                                               std::chrono::milliseconds timeout);

    /// Runs of events that wait for a worker, by queue; empty while the runner is stopped.
    [[nodiscard]] std::map<std::string, std::size_t> queue_depths() const;

    /// A handle for readers, which follows switches of generation and may outlive the runner.
    /// Throws NotFound where the runner has no such projection.
    [[nodiscard]] LiveModel model(std::string_view name) const;

    /// projection_status() with the runner's projections, with the trouble that this runner has, even where
    /// control.db cannot be written.
    [[nodiscard]] std::vector<ProjectionStatus> status() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace stele
