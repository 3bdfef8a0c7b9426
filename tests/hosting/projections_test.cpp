// The four projections hold what plain maps make of the same events.
#include "platform.hpp"

#include <stele/projections/projection_tests.hpp>

namespace hosting::test {
namespace {

TEST_CASE("all projections hold the rows that plain maps make of the events", "[hosting][projections]") {
    const auto size = GENERATE(Size{1, 1}, Size{7, 2}, Size{300, 3}, Size{3'000, 4}, Size{3'000, 5, 1},
                               Size{6'000, 6, 60}, Size{20'000, 7});
    CAPTURE(size.events, size.seed, size.tenants);
    auto store = new_store();
    const auto lines = generated(size);
    append(store, lines);
    rebuild_all(store);
    check_rows(store, lines);
}

TEST_CASE("events that are taken in bit by bit give the rows of a rebuild", "[hosting][projections]") {
    auto store = new_store();
    const auto lines = generated({4'000, 8, 12});
    rebuild_all(store);
    for (std::size_t from = 0; from < lines.size(); from += 250) {
        append(store, {lines.begin() + static_cast<std::ptrdiff_t>(from),
                       lines.begin() + static_cast<std::ptrdiff_t>(std::min(from + 250, lines.size()))});
        catch_up_all(store);
    }
    check_rows(store, lines);
}

// The states that a history goes through must be right as well, not only its end.
TEST_CASE("a read model of the past holds the rows of that position", "[hosting][projections]") {
    auto store = new_store();
    const auto lines = generated({2'000, 9, 5});
    append(store, lines);
    for (const std::int64_t position : {1, 2, 99, 640, 1'333, 1'999}) {
        CAPTURE(position);
        stele::RebuildOptions until;
        until.until = Position{position};
        for (const auto& projection : projections()) stele::test::rebuild_now(store, *projection, until);
        check_rows(store, {lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(position)});
    }
}

TEST_CASE("the search of the audit log finds the rows that hold the words and no others",
          "[hosting][projections]") {
    auto store = new_store();
    const auto lines = generated({3'000, 10});
    append(store, lines);
    rebuild_all(store);
    const auto facts = facts_of(lines);
    const auto found = [&](const std::string& words) {
        return rows(store, "audit_log",
                    "SELECT a.position FROM audit_search s JOIN audit_log a ON a.position = s.rowid "
                    "WHERE audit_search MATCH '" +
                        words + "' ORDER BY a.position");
    };
    const auto expected = [&](const auto& is_meant) {
        Lines positions;
        for (const auto& fact : facts) {
            if (is_meant(fact)) positions.push_back(std::to_string(fact.position));
        }
        CHECK_FALSE(positions.empty());
        return positions;
    };
    const auto& someone = facts.front();
    const auto actor = someone.metadata.at("actor").get<std::string>();
    const auto ip = someone.metadata.at("ip").get<std::string>();

    CHECK(found("\"" + actor + "\"") == expected([&](const Fact& f) { return f.metadata.at("actor") == actor; }));
    CHECK(found("type:SiteDeleted AND tenant:acme") ==
          expected([](const Fact& f) { return f.type == "SiteDeleted" && f.tenant == "acme"; }));
    CHECK(found("aggregate_id:\"site-1\"") == expected([](const Fact& f) { return f.aggregate_id == "site-1"; }));
    CHECK(found("data:\"site-1\"") ==
          expected([](const Fact& f) { return f.data.value("site_id", std::string{}) == "site-1"; }));
    CHECK(found("ip:\"" + ip + "\"") == expected([&](const Fact& f) { return f.metadata.at("ip") == ip; }));
    CHECK(found("ip:\"10.0.0.\" *") ==
          expected([](const Fact& f) { return f.metadata.at("ip").get<std::string>().starts_with("10.0.0."); }));
    CHECK(found("timeout") == expected([](const Fact& f) { return f.data.value("reason", "") == "timeout"; }));
}

TEST_CASE("the audit log says when each event was recorded", "[hosting][projections]") {
    auto store = new_store();
    append(store, generated({200, 11}));
    rebuild_all(store);
    Lines expected;
    for (const stele::Event& e : store.read(stele::all())) expected.push_back(stele::to_rfc3339(e.recorded_at));
    CHECK(rows(store, "audit_log", "SELECT recorded_at FROM audit_log ORDER BY position") == expected);
}

TEST_CASE("the views add up what their tables hold", "[hosting][projections]") {
    auto store = new_store();
    const auto lines = generated({3'000, 12});
    append(store, lines);
    rebuild_all(store);
    const auto facts = facts_of(lines);

    std::map<std::string, int> by_hour;
    for (const auto& fact : facts) ++by_hour[fact.occurred_at.substr(0, 13) + ":00Z " + fact.type];
    Lines hours;
    for (const auto& [key, count] : by_hour) hours.push_back(key + " " + std::to_string(count));
    CHECK(rows(store, "event_volume", "SELECT hour, type, events FROM event_volume_by_hour ORDER BY 1, 2") ==
          hours);

    Lines open;
    for (const auto& line : failures(facts)) {
        if (line.ends_with(" NULL NULL")) open.push_back(line.substr(0, line.find(' ')));
    }
    CHECK_FALSE(open.empty());
    CHECK(rows(store, "failures", "SELECT position FROM open_failures ORDER BY position") == open);
    CHECK(rows(store, "failures", "SELECT sum(failures), sum(open) FROM failures_by_reason") ==
          Lines{std::to_string(failures(facts).size()) + " " + std::to_string(open.size())});
}

// The other projections' tests are run with those of all examples, in tests/projections.
TEST_CASE("tenant_stats in C++ passes the tests that stand beside the SQL file", "[hosting][projections]") {
    const auto tests = stele::ProjectionTests::load(std::string{HOSTING} + "/projections/tenant_stats.test.sql");
    CHECK(tests.size() >= 7);
    for (const auto& test : tests) {
        const auto result = run_test(test, *stele::projection<TenantStats>());
        CAPTURE(test.name, result.line, result.reason, result.expected, result.found);
        CHECK(result.passed);
    }
}

TEST_CASE("an event without a tenant is counted under the empty name", "[hosting][projections]") {
    auto store = new_store();
    store.append({"Site", "site-1"}, stele::expect::none,
                 {stele::event("SiteCreated", {{"domain", "a.example"}}).at(stele::Timestamp{})});
    rebuild_all(store);
    for (const auto* const name : {"tenant_stats", "tenant_stats_cpp"}) {
        CHECK(rows(store, name, "SELECT quote(tenant), sites_creating FROM tenant_stats") == Lines{"'' 1"});
    }
    CHECK(rows(store, "audit_log", "SELECT tenant, actor, ip FROM audit_log") == Lines{"NULL NULL NULL"});
}

}  // namespace
}  // namespace hosting::test
