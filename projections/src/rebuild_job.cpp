#include "rebuild_job.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>

namespace stele {
namespace {

// Who advances the projection, or will when it is there, starts with his token.
std::int64_t token_of_owner(ControlDb& control, const std::string& projection) {
    const auto holder = Leases::holder(control, "projection/" + projection);
    return holder ? holder->token : 0;
}

}  // namespace

std::optional<Position> bound_of(const EventStore& store, const RebuildOptions& options) {
    if (options.until && options.as_of) {
        throw InvalidInput{"as_of", "either a position or a time", "both"};
    }
    if (options.as_of) return store.position_at(*options.as_of);
    const auto head = store.head();
    if (options.until && (*options.until > head || *options.until < Position{0})) {
        throw InvalidInput{"until", "a position from 0 to the log's head, " + std::to_string(head.value()),
                           std::to_string(options.until->value())};
    }
    return options.until;
}

RebuildJob::RebuildJob(const EventStore& store, const Projection& projection, const RebuildOptions& options,
                       std::optional<Position> until)
    : store_(store),
      projection_(projection),
      options_(options),
      control_(store.models_folder().parent_path(), options.sqlite_vfs),
      builder_(control_.folder(), "rebuild, process " + std::to_string(::getpid())),
      begun_(begin(until)),
      build_(*begun_),
      progress_(control_, builder_, projection, build_.number(), build_.begins_at(), until.value_or(store.head())),
      tell_([this](const FoldProgress& fold) {
          progress_.update(fold.position, fold.target, fold.events);
          if (options_.progress) options_.progress(fold);
      }) {
    build_.take_charge();
}

RebuildJob::~RebuildJob() = default;

// What cannot be set up is shown to others as an event is that a build stops at: nobody gets on by trying again.
std::unique_ptr<GenerationBuild> RebuildJob::begin(std::optional<Position> until) {
    try {
        return std::make_unique<GenerationBuild>(store_, projection_, options_, until);
    } catch (const ProjectionError& error) {
        if (error.code() == "projection_setup")
            BuildProgress::never_began(control_, builder_, projection_, 0, error);
        throw;
    }
}

// Whether the next build can go on from here when what was in the way is gone. A file that is damaged is of no use,
// and on a disk that is full its space is needed more.
bool can_be_gone_on_from(const sql::SqlError& error) {
    constexpr int primary = 0xff;
    const auto code = error.result_code() & primary;
    return error.is_of_the_machine() && code != SQLITE_CORRUPT && code != SQLITE_NOTADB && code != SQLITE_FULL;
}

// Runs `work`; an event that it stops at is shown to others, and what a disk or a lock kept from its end is not
// lost.
template <class Work>
auto RebuildJob::shown(const Work& work) {
    try {
        return work();
    } catch (const HandlerFailed& error) {
        progress_.failed(error);
        throw;
    } catch (const sql::SqlError& error) {
        if (can_be_gone_on_from(error)) build_.stay_resumable();
        throw;
    } catch (const StoreError&) {
        build_.stay_resumable();
        throw;
    } catch (const std::filesystem::filesystem_error&) {
        build_.stay_resumable();
        throw;
    }
}

void RebuildJob::head_for(Position target) {
    fed_ = std::make_unique<Fold>(store_, projection_, build_.file(), build_.model(),
                                  Fold::Settings{"building", options_.batch, tell_, options_.stop});
    fed_->head_for(target);
}

void RebuildJob::take(const Event& event) {
    if (event.position <= build_.begins_at() || !projection_.query().matches(event)) return;
    shown([&] { fed_->take(event); });
}

void RebuildJob::pass(Position through) { fed_->skip_to(through); }

void RebuildJob::end_feeding() {
    if (!fed_) return;
    fed_->commit();
    build_.count(fed_->events());
    fed_.reset();
}

std::optional<Rebuilt> RebuildJob::finish() {
    return shown([&]() -> std::optional<Rebuilt> {
        end_feeding();
        std::optional<Rebuilt> rebuilt;
        if (build_.run(tell_)) {
            control_.set_dropped(projection_.name(), false);
            rebuilt = build_.adopt(tell_, token_of_owner(control_, projection_.name()));
        }
        if (!rebuilt && options_.resumable) build_.stay_resumable();
        return rebuilt;
    });
}

}  // namespace stele
