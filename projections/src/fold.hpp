// Fold: events of the log into a generation's tables, a transaction at a time (P1).
#pragma once

#include "generation_file.hpp"

#include <stele/projections/rebuild.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
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
    };

    /// Goes on from the generation's position. All of these stay longer.
    Fold(const EventStore& store, const Projection& projection, GenerationFile& file, Model& model,
         Settings settings);

    /// Takes in the events up to `target`, or `limit` of them. On return everything is committed, and position() is
    /// `target` unless the limit was reached, a stop requested, or somebody has paused or retired the generation:
    /// then outcome() says so, and a batch that was under way is undone.
    /// Throws HandlerFailed; then everything before the event is committed, with the state "failed".
    void run(Position target, std::optional<std::size_t> limit = {});

    /// Writes that the fold has come to looked_to(), where its file does not say so yet; outcome() as with run().
    void pass();

    /// Whose request ends run() from now on.
    void stop_by(std::stop_token stop) { settings_.stop = std::move(stop); }

    [[nodiscard]] Position position() const noexcept { return position_; }  ///< committed
    /// The rows are the fold up to here too: what is between is not for this projection.
    [[nodiscard]] Position looked_to() const noexcept { return std::max(position_, looked_to_); }
    [[nodiscard]] std::int64_t events() const noexcept { return events_; }
    [[nodiscard]] std::int64_t skipped() const noexcept { return skipped_; }
    [[nodiscard]] Advance outcome() const noexcept { return outcome_; }
    [[nodiscard]] bool stopped() const { return settings_.stop.stop_requested(); }

private:
    /// Whether each event has a savepoint of its own, so that it can be undone alone.
    enum class Care { none, each_event };

    [[nodiscard]] EventRange events_up_to(Position target) const;
    [[nodiscard]] double rate(std::int64_t taken) const;
    bool take_batch(EventRange::iterator& event, Position target, std::size_t most, Care care);

    const EventStore& store_;
    const Projection& projection_;
    GenerationFile& file_;
    Model& model_;
    Settings settings_;
    std::unique_ptr<ProjectionHandler> handler_;
    Position position_;
    Position looked_to_;
    std::chrono::steady_clock::time_point started_;
    std::int64_t events_at_start_ = 0;
    std::int64_t events_ = 0;
    std::int64_t skipped_ = 0;
    double last_rate_ = 0;
    Advance outcome_ = Advance::done;
};

}  // namespace stele
