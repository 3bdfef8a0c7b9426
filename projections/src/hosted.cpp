#include "hosted.hpp"

#include "same_log.hpp"
#include "troubles.hpp"

#include <stele/projections/read_model.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace stele {
namespace {

using namespace std::chrono_literals;

// Positions that pass over events of others are written this long after there was something to write.
constexpr auto write_positions_after = 100ms;
// How long to wait after trouble: doubled each time, up to the longest.
constexpr auto first_retry = 100ms;
constexpr auto longest_retry = 5'000ms;
constexpr int clean_every = 20;  // looks

std::string called(const std::string& name) { return "projection \"" + name + "\""; }

}  // namespace

Hosted::Open::Open(const RunnerContext& context, const Projection& projection, const ModelsFolder& models,
                   GenerationFile opened, std::function<void(const FoldProgress&)> progress)
    : others(models),
      file(std::move(opened)),
      model(file.db(), projection.name()),
      fold((model.seal(), context.store), projection, file, model,
           {.state = "live",
            .batch = context.options.batch,
            .progress = std::move(progress),
            .stop = {},
            .passes_silently = true,
            .others = &others}) {}

Hosted::Hosted(RunnerContext context, std::shared_ptr<const Projection> projection)
    : context_(std::move(context)),
      projection_(std::move(projection)),
      models_(context_.store.models_folder(), projection_->name()),
      lease_("projection/" + projection_->name()),
      patience_(context_.options.takeover_after) {}

Hosted::~Hosted() { close(); }

// ---- Working on it

Hosted::Turn Hosted::turn(std::size_t max, const std::stop_token& stop) noexcept {
    const std::lock_guard lock{working_};
    if (open_) open_->fold.stop_by(stop);
    return work(max, stop, true);
}

void Hosted::keep_in_step(const Committed& committed) noexcept {
    if (!in_step_) return;
    const std::lock_guard lock{working_};
    // A generation that was replaced meanwhile is found by the first turn, the one in its place is read by the
    // next.
    while (in_step_ && (!open_ || open_->fold.looked_to() < committed.last)) {
        if (open_) open_->fold.stop_by({});
        (void)work(std::numeric_limits<std::size_t>::max(), {}, false, &committed);
    }
}

void Hosted::settle() noexcept {
    const std::lock_guard lock{working_};
    if (!open_ || !unwritten_since_) return;
    unwritten_since_ = Time::min();
    (void)work(0, {}, false);
}

void Hosted::close() noexcept {
    const std::lock_guard lock{working_};
    try {
        if (open_ && unwritten_since_) write_position();
    } catch (const std::exception&) {
        // The next owner passes over the same events again.
    }
    open_.reset();
    end_trouble();
    publish(Phase::elsewhere);
    try {
        if (token_ != 0) context_.leases.release(lease_, token_);
    } catch (const std::exception&) {
        // The lease is free anyway once this runner is gone.
    }
    token_ = 0;
    next_look_ = {};
    sighting_.reset();
}

// What stands in the way of a turn is told and tried again; what a handler did wrong is the projection's state.
Hosted::Turn Hosted::work(std::size_t max, const std::stop_token& stop, bool may_build,
                          const Committed* committed) {
    try {
        auto turn = look(stop, may_build);
        if (!turn) turn = advance(max, committed);
        if (turn->next != Next::more || turn->events > 0) end_trouble();
        return *turn;
    } catch (const HandlerFailed& error) {
        leave(Phase::failed, RunnerNews::Kind::failed, error.what());
        return look_again();
    } catch (const ProjectionError& error) {
        if (error.code() == "projection_fenced") {
            token_ = 0;
            leave(Phase::elsewhere, RunnerNews::Kind::lost,
                  called(projection_->name()) + " was taken over by another runner");
            return look_again();
        }
        if (error.code() == "projection_busy") {  // somebody else builds or advances it: his business
            open_.reset();
            next_look_ = {};
            publish(Phase::elsewhere);
            return look_again();
        }
        if (error.code() == "projection_setup") {
            leave(Phase::failed, RunnerNews::Kind::failed, error.what());
            return look_again();
        }
        return be_in_trouble(error.what());
    } catch (const std::exception& error) {
        return be_in_trouble(called(projection_->name()) + ": " + error.what());
    } catch (...) {
        return be_in_trouble(called(projection_->name()) + ": something was thrown that is no std::exception");
    }
}

Hosted::Turn Hosted::be_in_trouble(const std::string& text) {
    open_.reset();
    next_look_ = {};
    publish(Phase::preparing);
    bool is_another = false;
    {
        const std::lock_guard lock{watching_};
        is_another = trouble_ != text;
        trouble_ = text;
    }
    if (is_another) {
        tell(RunnerNews::Kind::trouble, text + "; trying again");
        shows_trouble_ = false;
    }
    if (!shows_trouble_) {
        try {
            show_trouble(context_.control, context_.member, projection_->name(), text);
            shows_trouble_ = true;
        } catch (const std::exception&) {
            // Perhaps that is the trouble. status() of this runner tells it, and the next time it is tried again.
        }
    }
    const auto wait =
        std::min<std::chrono::milliseconds>(longest_retry, first_retry * (1 << std::min(troubles_, 6)));
    ++troubles_;
    return Turn{Next::change, 0, wait};
}

void Hosted::end_trouble() noexcept {
    if (troubles_ == 0) return;
    troubles_ = 0;
    {
        const std::lock_guard lock{watching_};
        trouble_.clear();
    }
    try {
        if (std::exchange(shows_trouble_, false))
            stele::end_trouble(context_.control, context_.member, projection_->name());
    } catch (const std::exception&) {
        // It stays to be seen until this runner is gone, or has another.
    }
}

// Finds out what there is to do. Empty: a generation is open that we may advance.
std::optional<Hosted::Turn> Hosted::look(const std::stop_token& stop, bool may_build) {
    const auto time = std::chrono::steady_clock::now();
    if (open_ && time < next_look_) return std::nullopt;
    next_look_ = time + context_.options.look_every;

    if (context_.control.is_dropped(projection_->name())) {
        if (place().phase != Phase::paused)
            leave(Phase::paused, RunnerNews::Kind::dropped, called(projection_->name()) + " was dropped");
        return look_again();
    }
    if (!own()) return look_again();
    auto turn = open_current(stop, may_build);
    if (clean_at_ && time >= *clean_at_) clean_up();
    return turn;
}

// An old generation outlives the rebuild that has replaced it while somebody reads it; we did so ourselves until
// just now. So it goes a little later, or when the last one has closed it.
void Hosted::clean_up() {
    const auto lock = ProjectionLock::try_share(models_);
    const bool all_done = lock && models_.clean(true, context_.options.sqlite_vfs);
    if (all_done) {
        clean_at_.reset();
    } else {
        clean_at_ = std::chrono::steady_clock::now() + clean_every * context_.options.look_every;
    }
}

// Whether the lease is ours, now that it was asked for.
bool Hosted::own() {
    if (token_ != 0 && context_.leases.holds(lease_, token_)) return true;
    if (token_ != 0) {
        token_ = 0;
        leave(Phase::elsewhere, RunnerNews::Kind::lost,
              called(projection_->name()) + " was taken over by another runner");
    }

    const auto holder = Leases::holder(context_.control, lease_);
    const auto found = current_generation();
    had_ours_ = had_ours_ || (found && is_by_our_definition(*found));
    if (is_superseded(found)) {
        leave_to_another(*found);
        return false;
    }
    if (place().phase == Phase::superseded) publish(Phase::elsewhere);
    std::optional<std::int64_t> token;
    std::string from;
    if (holder && holder->owner != context_.member.number() && context_.member.sees(holder->owner)) {
        if (!is_hung(*holder, found)) return false;
        token = context_.leases.seize(lease_, holder->token);
        from = ", taken over from " + holder->label + ", which hangs";
    } else {
        token = context_.leases.take(lease_, found ? found->token : 0);
    }
    if (!token) return false;  // another one was quicker
    tell(RunnerNews::Kind::owned, called(projection_->name()) + ": owned by this runner" + from);
    token_ = *token;
    sighting_.reset();
    publish(Phase::preparing);
    return true;
}

// An owner that is alive and does not move although events are waiting. Each time that it helped nothing to take
// the projection over at a position, the patience with the next owner is doubled: a handler that needs very long
// for an event is to get through with it once.
bool Hosted::is_hung(const LeaseHolder& holder, const std::optional<Generation>& found) {
    Sighting seen;
    seen.token = holder.token;
    if (found) {
        seen.position = found->position;
        seen.state = found->state;
    }
    const auto build = build_of(context_.control, projection_->name());
    if (build) seen.built = build->position.value();
    // What did not get through is not tried again until somebody resumes it, or has another definition.
    const bool has_failed = build && has_failed_by_our_definition(*build);
    const auto time = std::chrono::steady_clock::now();
    const bool waits =
        has_failed || seen.state == "paused" || seen.state == "failed" || seen.position >= context_.store.head();
    const bool moved = !sighting_ || sighting_->token != seen.token || sighting_->position != seen.position ||
                       sighting_->state != seen.state || sighting_->built != seen.built;
    if (waits || moved) {
        seen.since = time;
        sighting_ = seen;
        return false;
    }
    if (time - sighting_->since < patience_) return false;
    patience_ = seen.position == seized_at_ ? patience_ * 2 : context_.options.takeover_after;
    seized_at_ = seen.position;
    return true;
}

std::optional<Hosted::Turn> Hosted::open_current(const std::stop_token& stop, bool may_build) {
    if (open_ && models_.current() == generation_) {
        const auto state = open_->file.generation().state;
        if (state == "live" || state == "building") return std::nullopt;
    }
    open_.reset();

    const auto found = current_generation();
    if (found && found->state == "paused") {
        stay(Phase::paused, RunnerNews::Kind::paused, called(projection_->name()) + " is paused", found->position);
        return look_again();
    }
    if (is_superseded(found)) {
        context_.leases.release(lease_, std::exchange(token_, 0));
        leave_to_another(*found);
        return look_again();
    }
    const bool is_ours = found && is_by_our_definition(*found) && !not_of_this_log(context_.store, *found);
    had_ours_ = had_ours_ || is_ours;
    if (is_ours && found->state == "failed") {
        stay(Phase::failed, RunnerNews::Kind::failed, found->error, found->position);
        return look_again();
    }
    if (!is_ours) {
        const auto last = build_of(context_.control, projection_->name());
        if (last && has_failed_by_our_definition(*last)) {
            stay(Phase::failed, RunnerNews::Kind::failed, last->error, found ? found->position : Position{});
            return look_again();
        }
        publish(Phase::preparing);
        if (!may_build) return look_again(Next::more);
        return build(stop);
    }

    auto file = GenerationFile::open(models_.file(found->number), context_.options.sqlite_vfs);
    if (found->token != token_) {
        const Precedence first{models_};
        file.claim(token_);
    }
    generation_ = found->number;
    open_ = std::make_unique<Open>(context_, *projection_, models_, std::move(file),
                                   [this](const FoldProgress&) { publish(place().phase); });
    open_->fold.stop_by(stop);
    clean_at_ = std::chrono::steady_clock::now() + context_.options.look_every;
    unwritten_since_.reset();
    if (in_step_ && is_far_behind(place().position)) {
        // One has gone back to it. What it lacks is for the projection's own thread, not for whoever appends.
        publish(Phase::preparing);
        if (!may_build) return look_again(Next::more);
    }
    return std::nullopt;
}

// Whether what is open lacks more than a batch of what we had already.
bool Hosted::is_far_behind(Position had) const {
    const auto batch = static_cast<std::int64_t>(context_.options.batch);
    return had.value() - open_->fold.position().value() > batch;
}

bool Hosted::is_by_our_definition(const Generation& generation) const {
    return generation.fingerprint == projection_->fingerprint() && generation.version == projection_->version();
}

bool Hosted::has_failed_by_our_definition(const Build& build) const {
    return !build.error.empty() && build.fingerprint == projection_->fingerprint() &&
           build.version == projection_->version();
}

// Whether somebody has gone on from our definition: to a later version, or, while we ran, to whatever he rebuilt it
// by. To build ours again would take his away, and two runners of different definitions would do so in turns.
bool Hosted::is_superseded(const std::optional<Generation>& found) const {
    return found && found->state != "paused" && !is_by_our_definition(*found) &&
           (had_ours_ || found->version > projection_->version()) && !not_of_this_log(context_.store, *found);
}

void Hosted::leave_to_another(const Generation& found) {
    const auto ours = projection_->version();
    const auto definition = found.version == ours ? "another definition of version " + std::to_string(ours)
                                                  : "version " + std::to_string(found.version);
    stay(Phase::superseded, RunnerNews::Kind::superseded,
         called(projection_->name()) + " was built by " + definition + "; this runner has version " +
             std::to_string(ours) + " as it was when it started, and leaves it alone",
         found.position);
}

// What is there now; empty where nothing is. What cannot be read is trouble, and no reason to build it anew: it may
// be there again when the disk is.
std::optional<Generation> Hosted::current_generation() const {
    try {
        return ReadModel::open(models_.folder(), projection_->name(), context_.options.sqlite_vfs).generation();
    } catch (const NotFound&) {
        return std::nullopt;
    }
}

Hosted::Turn Hosted::build(const std::stop_token& stop) {
    if (!context_.builds.try_acquire()) return look_again();
    struct Release {
        std::counting_semaphore<>& builds;
        ~Release() { builds.release(); }
    } const release{context_.builds};
    if (!std::exchange(says_it_builds_, true)) {
        // News are told between turns, and this one is to be told before the build.
        tell(RunnerNews::Kind::building,
             called(projection_->name()) + ": building version " + std::to_string(projection_->version()));
        return look_again(Next::more);
    }
    RebuildOptions options;
    options.grace = context_.options.grace;
    options.sqlite_vfs = context_.options.sqlite_vfs;
    options.stop = stop;
    options.resumable = true;
    next_look_ = {};
    const auto built = rebuild(context_.store, *projection_, options);
    if (!built) return look_again();
    says_it_builds_ = false;
    tell(RunnerNews::Kind::built, called(projection_->name()) + ": generation " +
                                      std::to_string(built->generation.number) + ", " +
                                      std::to_string(built->events) + " events up to position " +
                                      std::to_string(built->generation.position.value()));
    return {Next::more, static_cast<std::size_t>(built->events), {}};
}

// Takes in what is there. Next::events when nothing is left.
Hosted::Turn Hosted::advance(std::size_t max, const Committed* committed) {
    auto& fold = open_->fold;
    const auto before = fold.events();
    const auto head = committed != nullptr ? committed->last : context_.store.head();
    if (fold.looked_to() < head && max > 0) {
        fold.run(head, max, committed != nullptr ? committed->events : std::span<const Event>{});
        if (fold.outcome() != Advance::done) {
            open_.reset();
            next_look_ = {};
            return {Next::more, 0, {}};
        }
    }
    const auto events = static_cast<std::size_t>(fold.events() - before);

    const auto time = std::chrono::steady_clock::now();
    if (fold.looked_to() == fold.position()) {
        unwritten_since_.reset();
    } else if (!unwritten_since_) {
        unwritten_since_ = time;
    } else if (time >= *unwritten_since_ + write_positions_after) {
        write_position();
        if (!open_) return {Next::more, events, {}};
    }
    const bool done = fold.looked_to() >= head;
    if (done && place().phase != Phase::following)
        tell(RunnerNews::Kind::live, called(projection_->name()) + " follows the log");
    if (done) publish(Phase::following);
    return {done ? Next::events : Next::more, events,
            unwritten_since_ ? std::chrono::milliseconds{write_positions_after} : context_.options.look_every};
}

void Hosted::write_position() {
    unwritten_since_.reset();
    open_->fold.pass();
    if (open_->fold.outcome() == Advance::done) return;
    open_.reset();
    next_look_ = {};
}

void Hosted::stay(Phase phase, RunnerNews::Kind kind, const std::string& text, Position position) {
    const bool is_news = place().phase != phase;
    {
        const std::lock_guard lock{watching_};
        place_.position = position;
    }
    publish(phase);
    if (is_news) tell(kind, text);
}

void Hosted::leave(Phase phase, RunnerNews::Kind kind, const std::string& text) {
    const auto position = open_ ? std::optional{open_->fold.position()} : std::nullopt;
    says_it_builds_ = false;
    end_trouble();
    open_.reset();
    next_look_ = {};
    publish(phase);
    if (position) {
        const std::lock_guard lock{watching_};
        place_.position = *position;
    }
    tell(kind, text);
}

void Hosted::tell(RunnerNews::Kind kind, const std::string& text) {
    context_.news({kind, projection_->name(), text});
}

// ---- Watching it

void Hosted::publish(Phase phase) {
    const std::lock_guard lock{watching_};
    place_.phase = phase;
    if (open_) {
        place_.position = open_->fold.looked_to();
        place_.generation = generation_;
    }
    place_.in_step = is_sync() && open_ && phase == Phase::following;
    in_step_ = place_.in_step;
    moved_.notify_all();
}

Hosted::Place Hosted::place() const {
    const std::lock_guard lock{watching_};
    return place_;
}

std::string Hosted::trouble() const {
    const std::lock_guard lock{watching_};
    return trouble_;
}

Hosted::Place Hosted::await(std::chrono::steady_clock::time_point deadline,
                            const std::function<bool(const Place&)>& enough) const {
    std::unique_lock lock{watching_};
    moved_.wait_until(lock, deadline, [&] { return enough(place_); });
    return place_;
}

void Hosted::sleep(std::chrono::milliseconds time, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock{mutex};
    never.wait_for(lock, stop, time, [] { return false; });
}

}  // namespace stele
