// Hosted: one projection in the care of a runner.
//
// What happens to it is decided in turn(), from what is there at that moment and not from what was there before:
// who owns the lease, which generation is current, what state it is in. So whatever other processes did to it
// meanwhile (paused it, rebuilt it, dropped it, took it over) is found at the next look, or at the next write,
// which fails.
#pragma once

#include "build_progress.hpp"
#include "control_db.hpp"
#include "fold.hpp"
#include "generation_file.hpp"
#include "leases.hpp"
#include "models_folder.hpp"

#include <stele/projections/runner.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <stop_token>

namespace stele {

/// What all projections of a runner share. Stays longer than they do.
struct RunnerContext {
    EventStore& store;
    const RunnerOptions& options;
    ControlDb& control;
    const Member& member;
    Leases& leases;
    std::counting_semaphore<>& builds;     ///< as many as may be built at once
    std::function<void(RunnerNews)> news;  ///< keeps it, for whoever tells it when no lock is held
};

class Hosted {
public:
    Hosted(RunnerContext context, std::shared_ptr<const Projection> projection);
    /// close()s.
    ~Hosted();
    Hosted(const Hosted&) = delete;
    Hosted& operator=(const Hosted&) = delete;

    [[nodiscard]] const Projection& projection() const noexcept { return *projection_; }
    [[nodiscard]] bool is_sync() const noexcept { return projection_->mode() == ProjectionMode::sync; }

    // ---- Working on it. Any thread; one at a time.

    enum class Next {
        more,    ///< there is more to do: call again
        events,  ///< nothing until the log grows, or `wait` has passed
        change,  ///< nothing until somebody changes something: look again when `wait` has passed
    };
    struct Turn {
        Next next = Next::change;
        std::size_t events = 0;  ///< that were taken in
        std::chrono::milliseconds wait{};
    };
    /// A piece of work: at most `max` events, or one build. Failures end in the projection's state, or are told as
    /// news and tried again; nothing is thrown.
    Turn turn(std::size_t max, const std::stop_token& stop) noexcept;

    /// For sync projections, between a commit and its answer: when it returns what was committed is taken in,
    /// unless the projection is not in step (it is being built, is paused, has failed, is another's, or somebody
    /// has gone back to a generation that lacks much).
    void keep_in_step(const Committed& committed) noexcept;

    /// Writes how far it is, where that has not been written yet.
    void settle() noexcept;

    /// Finishes, and gives it free.
    void close() noexcept;

    // ---- Watching it. Any thread.

    enum class Phase {
        elsewhere,  ///< somebody else advances it, or nobody: its file says how far it is
        preparing,  ///< it is being opened, or built
        following,
        paused,  ///< or dropped
        failed,
        superseded,  ///< by another definition, which this runner leaves alone
    };
    struct Place {
        Phase phase = Phase::elsewhere;
        Position position;            ///< the rows are the fold of the log up to here; where it is ours
        std::int64_t generation = 0;  ///< that is so far
        bool in_step = false;
    };
    [[nodiscard]] Place place() const;
    /// What stands in the way just now; empty where nothing does.
    [[nodiscard]] std::string trouble() const;
    /// Waits until `enough` says so of the place, for `timeout` at most; returns the place.
    Place await(std::chrono::steady_clock::time_point deadline,
                const std::function<bool(const Place&)>& enough) const;

    /// Where the projection's thread sleeps when there is nothing to wait for in the log.
    void sleep(std::chrono::milliseconds time, const std::stop_token& stop);

private:
    using Time = std::chrono::steady_clock::time_point;

    /// A generation that we advance.
    struct Open {
        Open(const RunnerContext& context, const Projection& projection, const ModelsFolder& models,
             GenerationFile opened, std::function<void(const FoldProgress&)> progress);
        LetOthersFirst others;
        GenerationFile file;
        Model model;
        Fold fold;
    };

    // Each of these with working_ locked:
    Turn work(std::size_t max, const std::stop_token& stop, bool may_build, const Committed* committed = nullptr);
    std::optional<Turn> look(const std::stop_token& stop, bool may_build);
    bool own();
    bool is_hung(const LeaseHolder& holder, const std::optional<Generation>& found);
    [[nodiscard]] std::optional<Generation> current_generation() const;
    [[nodiscard]] bool is_by_our_definition(const Generation& generation) const;
    [[nodiscard]] bool has_failed_by_our_definition(const Build& build) const;
    [[nodiscard]] bool is_superseded(const std::optional<Generation>& found) const;
    std::optional<Turn> open_current(const std::stop_token& stop, bool may_build);
    [[nodiscard]] bool is_far_behind(Position had) const;
    Turn build(const std::stop_token& stop);
    Turn advance(std::size_t max, const Committed* committed);
    void write_position();
    void stay(Phase phase, RunnerNews::Kind kind, const std::string& text, Position position);
    void leave(Phase phase, RunnerNews::Kind kind, const std::string& text);
    void leave_to_another(const Generation& found);
    Turn be_in_trouble(const std::string& text);
    void end_trouble() noexcept;
    void publish(Phase phase);

    void clean_up();
    [[nodiscard]] Turn look_again(Next next = Next::change) const { return {next, 0, context_.options.look_every}; }
    void tell(RunnerNews::Kind kind, const std::string& text);

    RunnerContext context_;
    std::shared_ptr<const Projection> projection_;
    ModelsFolder models_;
    const std::string lease_;

    std::mutex working_;      ///< guards what follows
    std::int64_t token_ = 0;  ///< of our lease; 0: we have none
    std::unique_ptr<Open> open_;
    bool had_ours_ = false;  ///< the current generation was built by our definition, when we last looked or before
    std::int64_t generation_ = 0;  ///< that is open
    Time next_look_{};
    std::optional<Time> clean_at_;         ///< when to look for files that their readers have left
    std::optional<Time> unwritten_since_;  ///< the fold is further than its file says
    bool says_it_builds_ = false;          ///< it is news already
    int troubles_ = 0;                     ///< in a row
    bool shows_trouble_ = false;           ///< in control.db, as it is in trouble_

    // What a watcher last saw of an owner, to tell whether it hangs.
    struct Sighting {
        std::int64_t token = 0;
        Position position;
        std::string state;
        std::int64_t built = 0;
        Time since{};
    };
    std::optional<Sighting> sighting_;
    std::chrono::milliseconds patience_;
    Position seized_at_;

    mutable std::mutex watching_;  ///< guards what follows
    mutable std::condition_variable_any moved_;
    Place place_;
    std::string trouble_;
    std::atomic<bool> in_step_{false};
};

}  // namespace stele
