// What these tests say often: generated events in a store, the example's projections over it, their rows.
#pragma once

#include "answers.hpp"
#include "generator/generator.hpp"
#include "tenant_stats.hpp"
#include "vocabulary.hpp"

#include <stele/schema/event_types.hpp>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace hosting::test {

using stele::EventLine;
using stele::EventStore;
using stele::Position;

/// How large a history, and which.
struct Size {
    std::int64_t events;
    std::uint64_t seed;
    std::int64_t tenants = 0;
};

[[nodiscard]] inline std::vector<EventLine> generated(const Size& size) {
    return generate({size.events, size.seed, size.tenants});
}

inline void append(EventStore& store, const std::vector<EventLine>& lines) {
    constexpr std::size_t each = 1'000;
    for (std::size_t i = 0; i < lines.size();) {
        stele::Append batch;
        for (const auto end = std::min(i + each, lines.size()); i < end; ++i) {
            batch.to(lines[i].stream, stele::expect::any, {lines[i].event});
        }
        store.append(batch);
    }
}

[[nodiscard]] inline EventStore new_store(std::shared_ptr<const stele::EventTypes> types = {}) {
    return EventStore::temporary({.durability = stele::Durability::relaxed, .event_types = std::move(types)});
}

/// The example's schemas and upcasters.
[[nodiscard]] inline std::shared_ptr<const stele::EventTypes> event_types() {
    return std::make_shared<const stele::EventTypes>(stele::EventTypes::load(std::string{HOSTING} + "/schemas"));
}

[[nodiscard]] inline std::vector<EventLine> lines_in(const std::string& path) {
    std::vector<EventLine> lines;
    std::ifstream file{path};
    for (std::string line; std::getline(file, line);) lines.push_back(stele::parse_event_line(line));
    return lines;
}

/// The four SQL files, and tenant_stats in C++.
[[nodiscard]] inline std::vector<std::shared_ptr<const stele::Projection>> projections() {
    std::vector<std::shared_ptr<const stele::Projection>> all;
    for (const auto* const name : {"tenant_stats", "audit_log", "event_volume", "failures"}) {
        all.push_back(stele::SqlProjection::load(std::string{HOSTING} + "/projections/" + name + ".sql"));
    }
    all.push_back(stele::projection<TenantStats>());
    return all;
}

inline void rebuild_all(const EventStore& store) {
    for (const auto& projection : projections()) stele::test::rebuild_now(store, *projection);
}
inline void catch_up_all(const EventStore& store) {
    for (const auto& projection : projections()) stele::catch_up(store, *projection);
}

using stele::test::rows;

/// Every row of every projection is what the answers say, for `lines` as the store's whole log.
inline void check_rows(const EventStore& store, const std::vector<EventLine>& lines) {
    const auto facts = facts_of(lines);
    const auto expected_stats = tenant_stats(facts);
    CHECK(rows(store, "tenant_stats", tenant_stats_query) == expected_stats);
    CHECK(rows(store, "tenant_stats_cpp", tenant_stats_query) == expected_stats);
    CHECK(rows(store, "audit_log", audit_log_query) == audit_log(facts));
    CHECK(rows(store, "event_volume", event_volume_query) == event_volume(facts));
    CHECK(rows(store, "failures", failures_query) == failures(facts));
}

}  // namespace hosting::test
