#include "build_progress.hpp"

#include <stele/projections/projection_error.hpp>

namespace stele {

std::optional<Build> build_of(ControlDb& control, std::string_view projection) {
    return control.read([&](sqlite3* db) -> std::optional<Build> {
        sql::Statement row{
            db,
            "SELECT generation, version, fingerprint, builder, position, target, events, started_at, "
            "updated_at, failed_position, failed_type, failed_place, error, began FROM builds WHERE name = ?1"};
        row.bind(1, projection);
        if (!row.step()) return std::nullopt;
        Build build;
        build.name = projection;
        build.generation = row.integer(0);
        build.version = static_cast<int>(row.integer(1));
        build.fingerprint = row.text(2);
        build.builder = row.integer(3);
        build.position = Position{row.integer(4)};
        build.target = Position{row.integer(5)};
        build.events = row.integer(6);
        build.started_at = parse_rfc3339(row.text(7), "started_at");
        build.updated_at = parse_rfc3339(row.text(8), "updated_at");
        build.failed_position = Position{row.integer(9)};
        build.failed_type = row.text(10);
        build.failed_place = row.text(11);
        build.error = row.text(12);
        build.began = Position{row.integer(13)};
        return build;
    });
}

void forget_build(ControlDb& control, std::string_view projection) {
    if (!build_of(control, projection)) return;
    control.write(ControlDb::Sync::none, [&](sqlite3* db) {
        sql::Statement row{db, "DELETE FROM builds WHERE name = ?1"};
        row.bind(1, projection);
        row.run();
    });
}

BuildProgress::BuildProgress(ControlDb& control, const Member& member, const Projection& projection,
                             std::int64_t generation, Position position, Position target)
    : control_(control) {
    build_.name = projection.name();
    build_.generation = generation;
    build_.version = projection.version();
    build_.fingerprint = projection.fingerprint();
    build_.builder = member.number();
    build_.began = build_.position = position;
    build_.target = target;
    build_.started_at = build_.updated_at = now();
    write(control_, build_);
    written_ = std::chrono::steady_clock::now();
}

BuildProgress::~BuildProgress() {
    if (has_failed_) return;
    try {
        forget_build(control_, build_.name);
    } catch (const Error&) {
        // What stays names a builder that is gone: nobody takes it for a rebuild that is under way.
    }
}

void BuildProgress::update(Position position, Position target, std::int64_t events) noexcept {
    build_.position = position;
    build_.target = target;
    build_.events = events;
    const auto time = std::chrono::steady_clock::now();
    if (time - written_ < write_every) return;
    written_ = time;
    try {
        build_.updated_at = now();
        write(control_, build_);
    } catch (const std::exception&) {
        // The next one may get through.
    }
}

void BuildProgress::failed(const HandlerFailed& error) noexcept {
    try {
        build_.failed_position = error.position();
        build_.failed_type = error.type();
        build_.failed_place = error.place();
        build_.error = error.what();
        build_.updated_at = now();
        write(control_, build_);
        has_failed_ = true;
    } catch (const std::exception&) {
        // The caller has the error, and passes it on.
    }
}

void BuildProgress::never_began(ControlDb& control, const Member& member, const Projection& projection,
                                std::int64_t generation, const ProjectionError& error) {
    Build build;
    build.name = projection.name();
    build.generation = generation;
    build.version = projection.version();
    build.fingerprint = projection.fingerprint();
    build.builder = member.number();
    build.started_at = build.updated_at = now();
    if (const auto place = error.facts().find("place"); place != error.facts().end()) build.failed_place = *place;
    build.error = error.what();
    write(control, build);
}

void BuildProgress::write(ControlDb& control, const Build& build) {
    control.write(ControlDb::Sync::none, [&](sqlite3* db) {
        sql::Statement row{
            db,
            "INSERT OR REPLACE INTO builds (name, generation, version, fingerprint, builder, position, target, "
            "events, started_at, updated_at, failed_position, failed_type, failed_place, error, began) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"};
        const auto started_at = to_rfc3339(build.started_at);
        const auto updated_at = to_rfc3339(build.updated_at);
        row.bind(1, build.name);
        row.bind(2, build.generation);
        row.bind(3, build.version);
        row.bind(4, build.fingerprint);
        row.bind(5, build.builder);
        row.bind(6, build.position.value());
        row.bind(7, build.target.value());
        row.bind(8, build.events);
        row.bind(9, started_at);
        row.bind(10, updated_at);
        row.bind(11, build.failed_position.value());
        row.bind(12, build.failed_type);
        row.bind(13, build.failed_place);
        row.bind(14, build.error);
        row.bind(15, build.began.value());
        row.run();
    });
}

}  // namespace stele
