// Fold: events of the log into a generation's tables, a transaction at a time (P1).
//
// A batch is a transaction: rows, position and state together. The position is written there and nowhere else, so
// events that the projection does not select cost nothing, however many lie between two that it does.
//
// A handler that fails spoils its transaction. So that what came before it is kept, that transaction is undone and
// its events are taken again with care, each with a savepoint of its own and flushed by itself; and so are the
// events of the next batch, as what fails once often fails again. Without care an event costs no savepoint. A
// failure that takes the whole transaction with it, savepoints and all, costs those before it once more, and they
// are committed at once.
//
// Where a stored event was split by upcasters, its pieces share their position, and so one transaction: a batch
// never ends between them, a limit and a stop wait for the last one, and what fails at one of them takes those
// before it back. An event that cannot be upcast is treated as one that the handler failed at.
#pragma once

#include "generation_file.hpp"
#include "precedence.hpp"

#include <stele/projections/rebuild.hpp>
#include <stele/schema/upcaster.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace stele {

class Fold {
public:
    struct Settings {
        std::string state;  ///< of the generation while all is well
        std::size_t batch;  ///< events per transaction
        std::function<void(const FoldProgress&)> progress;
        std::stop_token stop;
        /// Events that the projection does not take are passed over without a write, until pass().
        bool passes_silently = false;
        /// A second thread reads, where there is much to read.
        bool reads_ahead = false;
        /// Where others may want to write to the generation's file: they go first, before each transaction.
        const LetOthersFirst* others = nullptr;
        /// A transaction that has lasted so long is ended behind the event that it is at: so slow handlers do not
        /// look as if they hung, and nobody waits long for the file.
        std::chrono::milliseconds longest{500};
    };

    /// Goes on from the generation's position. All of these stay longer.
    Fold(const EventStore& store, const Projection& projection, GenerationFile& file, Model& model,
         Settings settings);

    /// Takes in the events up to `target`, or `limit` of them. On return everything is committed, and position() is
    /// `target` unless the limit was reached, a stop requested, or somebody has paused or retired the generation:
    /// then outcome() says so, and a batch that was under way is undone. What it lacks is read, unless it is just
    /// `at_hand`: events that stand one behind the other in the log, as a read gives them.
    /// Throws HandlerFailed; then everything before the event is committed, with the state "failed".
    void run(Position target, std::optional<std::size_t> limit = {}, std::span<const Event> at_hand = {});

    /// Writes that the fold has come to looked_to(), where its file does not say so yet; outcome() as with run().
    void pass();

    /// Whose request ends run() from now on.
    void stop_by(std::stop_token stop) { settings_.stop = std::move(stop); }

    // For whoever reads the log for several projections. In order: each event that the query selects, from the one
    // behind position() on, and at times, at the end above all, skip_to() and commit(). Where outcome() is not
    // Advance::done any more, nothing is taken.

    /// Where it is going, as progress says.
    void head_for(Position target) noexcept { target_ = target; }
    /// Takes in the next event; commits where that fills a batch. Throws HandlerFailed, as run() does.
    void take(const Event& event);
    /// The query selects nothing more up to `through`: the next commit passes over it.
    void skip_to(Position through);
    /// Ends the batch. Nothing is written where nothing was taken, or skipped.
    void commit();

    [[nodiscard]] Position position() const noexcept { return position_; }  ///< committed
    /// The rows are the fold up to here too: what is between is not for this projection.
    [[nodiscard]] Position looked_to() const noexcept { return std::max(position_, looked_to_); }
    [[nodiscard]] std::int64_t events() const noexcept { return events_; }
    [[nodiscard]] std::int64_t skipped() const noexcept { return skipped_; }
    [[nodiscard]] Advance outcome() const noexcept { return outcome_; }
    [[nodiscard]] bool stopped() const { return settings_.stop.stop_requested(); }

private:
    template <class Work>
    void undoing(const Work& work);
    struct Failure;
    template <class Work>
    [[nodiscard]] std::optional<Failure> failure_of(const Work& work);
    void begin();
    void take_one(const Event& event);
    void take_with_care(const Event& event);
    void take_again(Position last, int pieces = std::numeric_limits<int>::max());
    [[nodiscard]] bool is_amid_pieces(const Event& next) const noexcept;
    template <class Visit>
    void read_events(Position target, const Visit& visit);
    void pass_over(const UpcastError& error);
    void stop_at(const Event& event, const std::string& place, const std::string& reason);
    void end_batch();
    void write(std::string_view state, std::string_view error, std::string_view place);
    [[nodiscard]] std::optional<EventId> id_of(Position reached) const;
    [[nodiscard]] const Event& of_its_parts(const Event& event);
    void undo() noexcept;
    [[nodiscard]] bool has_transaction() const;
    void require_transaction() const;
    void start_batch() noexcept;
    [[nodiscard]] bool is_long() const;
    [[nodiscard]] EventRange events_between(Position after, Position target) const;
    [[nodiscard]] double rate() const;

    const EventStore& store_;
    const Projection& projection_;
    GenerationFile& file_;
    Model& model_;
    Settings settings_;
    std::unique_ptr<ProjectionHandler> handler_;  ///< null where it has seen events that the tables have not
    Position position_;
    Position looked_to_;
    Position target_;       ///< for progress
    std::size_t care_ = 0;  ///< so many events are taken with care

    /// The batch under way; what is in it counts when it is committed.
    struct Batch {
        Position reached;  ///< by events taken and skipped
        Position last;     ///< the last event taken
        EventId last_id{};
        std::size_t taken = 0;
        std::int64_t skipped = 0;
        bool is_complete = false;  ///< however few are in it
        bool is_due = false;       ///< it ends behind the last piece of the event that it is at
    };
    Batch batch_;
    std::optional<Event> narrowed_;  ///< an event without what the projection does not look at; keeps its memory
    std::optional<WriteTransaction> transaction_;
    std::chrono::nanoseconds transaction_began_{};  ///< by the coarse clock
    std::chrono::steady_clock::time_point started_;
    std::int64_t events_at_start_ = 0;
    std::int64_t events_ = 0;
    std::int64_t skipped_ = 0;
    double last_rate_ = 0;
    Advance outcome_ = Advance::done;
};

}  // namespace stele
