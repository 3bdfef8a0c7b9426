// Scenarios of projections: that they hold, that they fail, and what they say.
#include "world.hpp"

#include <stele/testing/temporary_store.hpp>

#include <fstream>

namespace {

using namespace world;
using stele::event;
using stele::testing::given;
using stele::testing::in;
using stele::testing::ProjectionScenario;

constexpr const char* all = "SELECT plan, n FROM site_count ORDER BY plan";

TEST_CASE("given events then rows", "[testing][projection]") {
    given(SiteCreated{"a"}, SiteCreated{"b"}, in("acme:Site/s1", SiteCreated{"c", "pro"}))
        .project<SiteCount>()
        .expect(all, {{"free", 2}, {"pro", 1}})
        .expect("SELECT sum(n), avg(n), NULL, n > 0, json_array(1, 'x') FROM site_count",
                {{3, 1.5, nullptr, true, {1, "x"}}});
    given().project(SiteCount{}).expect(all, {});
    given(SiteCreated{"a"}).project(stele::projection(SiteCount{})).expect(all, {{"free", 1}});
}

TEST_CASE("other rows than the expected ones are shown beside each other", "[testing][projection]") {
    const auto sites = given(SiteCreated{"a"}, SiteCreated{"c", "pro"}).project<SiteCount>();
    CHECK(failure_of([&] {
              sites.expect(all, {{"free", 2}});
          }) ==
          R"(given 2 events, projection "site_count": SELECT plan, n FROM site_count ORDER BY plan
  expected
    ["free",2]
  found
    ["free",1]
    ["pro",1]
  row 1: expected ["free",2], found ["free",1]
  row 2: expected none, found ["pro",1]
)");
    CHECK(failure_of([&] {
              sites.expect(all, {{"free", 1}, {"pro", 1}, {"x", 1.0}});
          }).find("row 3: expected [\"x\",1.0], found none") != std::string::npos);
    CHECK(failure_of([&] {
              sites.expect("SELECT n FROM site_count LIMIT 1", {{1.0}});
          }).find("row 1: expected [1.0], found [1]") != std::string::npos);
    CHECK(failure_of([&] { sites.expect("SELECT missing FROM site_count", {}); }).find("missing") !=
          std::string::npos);
}

// Counts in memory what it should count in its table.
struct Forgetful {
    static constexpr auto name = "forgetful";
    static constexpr int version = 1;
    using events = stele::Events<SiteCreated>;
    int seen = 0;
    static void setup(stele::Model& model) { model.exec("CREATE TABLE seen (n INTEGER)"); }
    void on(const SiteCreated&, const stele::Envelope&, stele::Model& model) {
        model.exec("DELETE FROM seen");
        model.exec("INSERT INTO seen VALUES (?1)", ++seen);
    }
};
TEST_CASE("a projection that keeps in memory what is not in its tables is a failure", "[testing][projection]") {
    CHECK(failure_of([] {
              given(SiteCreated{"a"}, SiteCreated{"b"}).project<Forgetful>().expect("SELECT n FROM seen", {{2}});
          }) ==
          R"(given 2 events, projection "forgetful": SELECT n FROM seen
  taken in event by event, with restarts in between, it gives other rows: it keeps something that is not in its tables
  in one go
    [2]
  event by event
    [1]
)");
}

int built = 0;
struct Fickle {
    static constexpr auto name = "fickle";
    static constexpr int version = 1;
    using events = stele::Events<SiteCreated>;
    static void setup(stele::Model& model) { model.exec("CREATE TABLE seen (n INTEGER)"); }
    static void on(const SiteCreated&, const stele::Envelope&, stele::Model& model) {
        model.exec("INSERT INTO seen VALUES (?1)", ++built);
    }
};
TEST_CASE("a projection that depends on more than its events is a failure", "[testing][projection]") {
    built = 0;
    CHECK(failure_of([] {
              given(SiteCreated{"a"}).project<Fickle>().expect("SELECT n FROM seen", {{1}});
          }).find("built a second time from the same events, it gives other rows") != std::string::npos);
}

TEST_CASE("an event that stops the projection can be expected", "[testing][projection]") {
    const auto stopped = given(SiteCreated{"a"}, event("SiteCreated", {{"plan", 5}})).project<SiteCount>();
    stopped.expect_failure("position 2, SiteCreated v1: /").expect(all, {{"free", 1}});
    CHECK(failure_of([&] {
              stopped.expect(all, {{"free", 2}});
          }).find("it was stopped: projection \"site_count\"") != std::string::npos);
    CHECK(failure_of([] { given(SiteCreated{"a"}).project<SiteCount>().expect_failure("x"); }) ==
          R"(projection "site_count"
  expected an error with "x"
  found    that every event was taken in
)");
    CHECK(failure_of([] {
              given(SiteCreated{"a"}, event("SiteCreated", {{"plan", 5}}), SiteCreated{"b"})
                  .project<SiteCount>()
                  .expect_failure("position 2");
          }).find("found    that event 2 of 3, and not the last one, stopped it: projection \"site_count\"") !=
          std::string::npos);
}

// Stops at the third event that it sees after a start.
struct Tired {
    static constexpr auto name = "tired";
    static constexpr int version = 1;
    using events = stele::Events<SiteCreated>;
    int seen = 0;
    static void setup(stele::Model& model) { model.exec("CREATE TABLE seen (n INTEGER)"); }
    void on(const SiteCreated&, const stele::Envelope&, stele::Model&) {
        if (++seen == 3) throw std::runtime_error{"tired"};
    }
};
TEST_CASE("a projection that is stopped in one go and not event by event is a failure", "[testing][projection]") {
    const auto failure = failure_of([] {
        given(SiteCreated{"a"}, SiteCreated{"b"}, SiteCreated{"c"})
            .project<Tired>()
            .expect_failure("tired")
            .expect("SELECT count(*) FROM seen", {{0}});
    });
    CHECK(failure.find("event by event, with restarts in between, it is stopped elsewhere") != std::string::npos);
    CHECK(failure.find("event by event  that every event was taken in") != std::string::npos);
}

TEST_CASE("a projection in a file is tested alike", "[testing][projection]") {
    const stele::testing::TemporaryStore place;
    const auto file = place.folder() / "plans.sql";
    std::ofstream{file}
        << "--@ projection plans version 1\n--@ create\nCREATE TABLE plans (plan TEXT PRIMARY KEY);\n"
           "--@ on SiteCreated\nINSERT OR IGNORE INTO plans VALUES ($data(plan));\n";
    given(SiteCreated{"a"}, SiteCreated{"b", "pro"}, SiteCreated{"c"})
        .project_file(file)
        .expect("SELECT plan FROM plans ORDER BY plan", {{"free"}, {"pro"}});
    CHECK_THROWS_AS(given().project_file(place.folder() / "none.sql"), stele::Error);
}

}  // namespace
