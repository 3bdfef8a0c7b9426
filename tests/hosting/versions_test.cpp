// SiteCreated has two versions, and nobody but schemas/SiteCreated.v1-v2.sql has to know.
//
// data/site_created_v1.jsonl is what the generator wrote when version 1 was the newest one: the first 120 events of
// three tenants, seed 15. The same arguments give the same history today, with SiteCreated in version 2.
#include "platform.hpp"

#include <site_decider.hpp>
#include <stele/replay/replay.hpp>

namespace hosting::test {
namespace {

std::vector<EventLine> written_then() { return lines_in(DATA "/site_created_v1.jsonl"); }
std::vector<EventLine> written_today() { return generated({120, 15, 3}); }

EventStore store_with(const std::vector<EventLine>& lines) {
    auto store = new_store(event_types());
    append(store, lines);
    return store;
}

int sites_created_in(const std::vector<EventLine>& lines, int version) {
    return static_cast<int>(std::count_if(lines.begin(), lines.end(), [&](const EventLine& line) {
        return line.event.type == "SiteCreated" && line.event.schema_version == version;
    }));
}

TEST_CASE("a history with SiteCreated in version 1 gives the rows that it gives in version 2",
          "[hosting][versions]") {
    const auto then = written_then();
    const auto today = written_today();
    REQUIRE(then.size() == today.size());
    CHECK(sites_created_in(then, 1) == 16);
    CHECK(sites_created_in(today, 2) == 16);

    SECTION("all of it") {
        const auto store = store_with(then);
        rebuild_all(store);
        check_rows(store, today);
    }
    SECTION("the first half of it, as in a store that is older than version 2, and then one event after another") {
        auto lines = then;
        const auto half = static_cast<std::ptrdiff_t>(lines.size() / 2);
        std::copy(today.begin() + half, today.end(), lines.begin() + half);
        CHECK(sites_created_in(lines, 1) > 0);
        CHECK(sites_created_in(lines, 2) > 0);

        auto store = store_with({lines.begin(), lines.begin() + half});
        rebuild_all(store);
        for (auto line = lines.begin() + half; line != lines.end(); ++line) {
            append(store, {*line});
            catch_up_all(store);
        }
        check_rows(store, today);
    }
}

TEST_CASE("a site whose SiteCreated is of version 1 is replayed to the state of version 2", "[hosting][versions]") {
    auto then = store_with(written_then());
    auto today = store_with(written_today());
    const auto aggregates = stele::AggregateRegistry::load(std::string{HOSTING} + "/aggregates");
    stele::CommandHandler<site::Site> sites_then{then};
    stele::CommandHandler<site::Site> sites_today{today};

    std::map<int, int> seen;  // by backup_every_days
    today.streams([&](const stele::StreamInfo& info) {
        CAPTURE(info.stream);
        const auto state = stele::replay(then, info.stream, aggregates).json.value();
        CHECK(state == stele::replay(today, info.stream, aggregates).json.value());
        if (info.stream.aggregate_type() != "Site") return true;
        const auto decided = sites_then.load(info.stream).state;
        CHECK(decided == sites_today.load(info.stream).state);
        CHECK(decided.backup_every_days == state.at("backup_every_days"));
        ++seen[decided.backup_every_days];
        return true;
    });
    CHECK(seen.size() == 2);
    CHECK(seen[3] + seen[1] == 16);
}

TEST_CASE("what is stored stays version 1", "[hosting][versions]") {
    const auto store = store_with(written_then());
    for (const stele::Event& event : store.read(stele::Read{matching(stele::types("SiteCreated"))}.raw())) {
        CHECK(event.schema_version == 1);
        CHECK_FALSE(event.data.value().contains("backup_every_days"));
    }
    for (const stele::Event& event : store.read(stele::Read{matching(stele::types("SiteCreated"))})) {
        CHECK(event.schema_version == 2);
        const auto data = event.data.value();
        CHECK(data.at("backup_every_days") == (data.at("plan") == "starter" ? 3 : 1));
    }
}

}  // namespace
}  // namespace hosting::test
