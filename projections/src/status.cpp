#include <stele/projections/projection_status.hpp>

#include "build_progress.hpp"
#include "control_db.hpp"
#include "for_store.hpp"
#include "leases.hpp"
#include "models_folder.hpp"
#include "same_log.hpp"
#include "troubles.hpp"

#include <stele/projections/read_model.hpp>
#include <stele/store/event_store.hpp>

#include <algorithm>
#include <set>

namespace stele {
namespace {

std::string rebuild_command(const std::string& name) { return "`stele projection rebuild " + name + "`"; }

// What control.db says of a projection, where there is one.
struct Control {
    std::unique_ptr<ControlDb> db;
    std::filesystem::path folder;

    [[nodiscard]] bool is_alive(std::int64_t member) const { return Member::is_alive(folder, member); }
};

BuildStatus building_of(const Build& build) {
    BuildStatus status;
    status.generation = build.generation;
    status.version = build.version;
    status.position = build.position;
    status.target = build.target;
    status.events = build.events;
    status.started_at = build.started_at;
    if (build.target.value() > 0) {
        status.percent =
            100.0 * static_cast<double>(build.position.value()) / static_cast<double>(build.target.value());
    }
    // What an earlier build has done, which this one goes on from, took none of its time.
    const std::chrono::duration<double> passed = build.updated_at - build.started_at;
    const auto done = build.position.value() - build.began.value();
    if (passed.count() <= 0 || done <= 0) return status;
    status.events_per_second = static_cast<double>(build.events) / passed.count();
    const auto left = static_cast<double>(std::max<std::int64_t>(0, build.target.value() - build.position.value()));
    status.seconds_left = left * passed.count() / static_cast<double>(done);
    return status;
}

void add_generation(ProjectionStatus& status, const Generation& generation, const Projection* definition) {
    status.version = generation.version;
    status.generation = generation.number;
    status.position = generation.position;
    status.since = generation.since;
    status.stored_at = generation.updated_at;
    status.rate = generation.rate;
    status.skipped = generation.skipped;
    status.state = generation.state;
    status.error = generation.error;
    if (definition == nullptr) {
        status.state = "retired";
    } else if (generation.state != "paused" && (generation.fingerprint != definition->fingerprint() ||
                                                generation.version != definition->version())) {
        status.state = "changed";
    }
}

void add_failure(ProjectionStatus& status, const EventStore& store, const Generation& generation) {
    ProjectionFailure failure;
    failure.position = generation.position.next();
    failure.error = generation.error;
    if (const auto event = stored_at(store, failure.position)) failure.type = event->type;
    failure.place = generation.error_place;
    status.failure = std::move(failure);
}

void add_control(ProjectionStatus& status, const Control& control, const Projection* definition) {
    if (!control.db) return;
    if (const auto holder = Leases::holder(*control.db, "projection/" + status.name)) {
        if (control.is_alive(holder->owner)) status.owner = holder->label;
    }
    const bool waits_for_build = status.state == "absent" || status.state == "changed";
    if (const auto build = build_of(*control.db, status.name)) {
        if (build->error.empty() && control.is_alive(build->builder)) {
            status.building = building_of(*build);
            if (waits_for_build) {
                status.state = "building";
                status.since = build->started_at;
            }
        } else if (!build->error.empty() && waits_for_build && definition != nullptr &&
                   build->fingerprint == definition->fingerprint() && build->version == definition->version()) {
            status.state = "failed";
            status.since = build->updated_at;
            status.error = build->error;
            status.failure =
                ProjectionFailure{build->failed_position, build->failed_type, build->failed_place, build->error};
        }
    }
    if (const auto trouble = trouble_of(*control.db, status.name)) {
        if (control.is_alive(trouble->runner)) status.trouble = trouble->text;
    }
    // Said first, and done behind that: what died in between has left some of it.
    if (control.db->is_dropped(status.name)) status.state = "dropped";
}

std::string advice_on_change(const ProjectionStatus& status, int version) {
    const auto rebuild = rebuild_command(status.name);
    if (status.version > version) {
        return "it was built by version " + std::to_string(status.version) + ", and this definition is version " +
               std::to_string(version) + ": take the later one, or go back to this one by " + rebuild;
    }
    if (status.owner.empty()) return "`stele run` builds it when it starts, and so does " + rebuild;
    return "`stele run` builds it when it is started again, for it knows the definition of when it started; or " +
           rebuild;
}

std::string advice_for(const ProjectionStatus& status, const Projection* definition) {
    const auto rebuild = rebuild_command(status.name);
    if (status.state == "failed" && status.failure && status.failure->position == Position{}) {
        return "correct what sets up its tables" +
               (status.failure->place.empty() ? "" : ", at " + status.failure->place) +
               ", count the version up, and " + rebuild;
    }
    if (status.state == "failed") {
        return "events stay as they are, so correct the handler" +
               (!status.failure || status.failure->place.empty() ? "" : " at " + status.failure->place) +
               ", count the version up, and " + rebuild +
               (status.generation == 0
                    ? ""
                    : "; or, where what was in the way is gone, `stele projection resume " + status.name + "`");
    }
    if (status.state == "paused") return "`stele projection resume " + status.name + "` lets it go on";
    if (!status.trouble.empty()) return "its runner tries again by itself: free what is in the way";
    const bool is_of_another_log = status.state == "changed" && !status.error.empty();
    if (status.state == "absent" || is_of_another_log) return "`stele run` builds it, and so does " + rebuild;
    if (status.state == "changed") return advice_on_change(status, definition->version());
    if (status.state == "dropped") {
        return rebuild + " builds it again" +
               (status.generation == 0 ? "" : "; `stele projection drop " + status.name + "` removes what is left");
    }
    if (status.state == "retired") return "`stele projection drop " + status.name + "` removes it";
    if (status.state == "broken") return "free what is in the way, or " + rebuild;
    if (status.state == "live" && status.owner.empty() && status.lag_events > 0)
        return "nobody advances it: `stele run` does";
    return "";
}

ProjectionStatus status_of(const EventStore& store, const std::string& name, const Projection* definition,
                           Position head, const Control& control) {
    ProjectionStatus status;
    status.name = name;
    status.head = head;
    if (definition != nullptr) {
        status.version = definition->version();
        status.mode = definition->mode();
    }
    try {
        const auto generation = ReadModel::open(store, name).generation();
        add_generation(status, generation, definition);
        if (const auto error = not_of_this_log(store, generation)) {
            if (status.state == "live" || status.state == "failed") status.state = "changed";
            status.error = error->what();
        }
        if (status.state == "failed") add_failure(status, store, generation);
    } catch (const NotFound&) {
        status.state = "absent";
    } catch (const Error& error) {
        status.state = "broken";
        status.error = error.what();
    }
    add_control(status, control, definition);

    status.lag_events = std::max<std::int64_t>(0, head.value() - status.position.value());
    if (status.lag_events > 0) {
        if (const auto missing = stored_at(store, status.position.next())) {
            const std::chrono::duration<double> lag = now() - missing->recorded_at;
            status.lag_seconds = std::max(0.0, lag.count());
        }
    }
    status.advice = advice_for(status, definition);
    return status;
}

Control control_of(const EventStore& store) {
    const auto folder = store.models_folder().parent_path();
    return {ControlDb::open_existing(folder), folder};
}

}  // namespace

std::vector<ProjectionStatus> projection_status(const EventStore& store, const ProjectionRegistry& given) {
    const auto registry = for_store(store, given);
    const auto built = ModelsFolder::names(store.models_folder());
    std::set<std::string> names{built.begin(), built.end()};
    for (const auto& projection : registry.all()) names.insert(projection->name());

    const auto head = store.head();
    const auto control = control_of(store);
    std::vector<ProjectionStatus> all;
    all.reserve(names.size());
    for (const auto& name : names) all.push_back(status_of(store, name, registry.find(name), head, control));
    return all;
}

ProjectionStatus projection_status(const EventStore& store, const ProjectionRegistry& given,
                                   std::string_view name) {
    const auto registry = for_store(store, given);
    const auto* definition = registry.find(name);
    const auto built = ModelsFolder::names(store.models_folder());
    if (definition == nullptr && std::find(built.begin(), built.end(), name) == built.end()) {
        (void)registry.of(name);  // throws, and says what comes nearest
    }
    return status_of(store, std::string{name}, definition, store.head(), control_of(store));
}

}  // namespace stele
