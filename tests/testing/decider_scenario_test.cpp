// Scenarios of deciders: that they hold, that they fail, and what they say.
#include "world.hpp"

#include <stele/test/catch.hpp>

namespace {

using namespace world;
using stele::event;
using stele::testing::given;
using stele::testing::given_with;
using stele::testing::in;

TEST_CASE("given events and a command then events", "[testing][decider]") {
    given<Site>().when(CreateSite{"example.org"}).then(SiteCreated{"example.org"});
    given<Site>(SiteCreated{"example.org"}).when(DeleteSite{}).then(SiteDeleted{});
    given<Site>(SiteCreated{"a"}, SiteDeleted{}).when(CreateSite{"b"}).then(event<SiteCreated>("b", "free"));
    given<Site>(std::vector{SiteCreated{"a"}})
        .when([](const Site::State& state) {
            return event("Said", {{"domain", *state.domain}}).tag("t");
        })
        .then(event("Said", {{"domain", "a"}}).tag("t"));
}

TEST_CASE("given events and a command then an error or nothing", "[testing][decider]") {
    given<Site>(SiteCreated{"example.org"}).when(CreateSite{"b"}).then_error<SiteExists>();
    given<Site>(SiteCreated{"example.org"}).when(CreateSite{"b"}).then_error<std::runtime_error>("example.org");
    given<Site>().when(DeleteSite{}).then_nothing();
}

TEST_CASE("another event than the expected one is shown member by member", "[testing][decider]") {
    CHECK(failure_of([] {
              given<Site>().when(CreateSite{"b"}).then(SiteCreated{"a", "pro"});
          }) ==
          R"(given 0 events of Site/test, when CreateSite
  expected
    1. SiteCreated v1 {"domain":"a","plan":"pro"} #plan:pro
  found
    1. SiteCreated v1 {"domain":"b","plan":"free"} #plan:free
  event 1:
     data/domain: expected "a", found "b"
     data/plan: expected "pro", found "free"
     tags: expected ["plan:pro"], found ["plan:free"]
)");
    CHECK(failure_of([] {
              given<Site>(SiteCreated{"a"})
                  .when([](const Site::State&) {
                      return event("Said", {{"x", 1}, {"y", {1, 2}}}).schema(2);
                  })
                  .then(event("Said", {{"y", {1, 3}}, {"z", nullptr}}), SiteDeleted{});
          }).find(R"(
  event 1:
     schema version: expected 1, found 2
     data/x: not expected, found 1
     data/y/1: expected 3, found 2
     data/z: expected null, found nothing
  event 2:
     expected SiteDeleted v1 {}, found nothing
)") != std::string::npos);
}

TEST_CASE("data that is no object is compared too", "[testing][decider]") {
    const auto failure = [](const nlohmann::json& expected, const nlohmann::json& found) {
        return failure_of([&] {
            given<Site>(SiteCreated{"a"})
                .when([&](const Site::State&) { return event("Said", found); })
                .then(event("Said", expected));
        });
    };
    CHECK_THAT(failure(5, 6), ContainsSubstring("\n     data: expected 5, found 6\n"));
    CHECK_THAT(failure({{"x", 1}}, "x"), ContainsSubstring("\n     data: expected {\"x\":1}, found \"x\"\n"));
    CHECK_THAT(failure({1, 2}, {1, 3}), ContainsSubstring("\n     data/1: expected 2, found 3\n"));
}

TEST_CASE("elements that came or went are shown as they were", "[testing][decider]") {
    const auto failure = [](const nlohmann::json& expected, const nlohmann::json& found) {
        return failure_of([&] {
            given<Site>(SiteCreated{"a"})
                .when([&](const Site::State&) {
                    return event("Said", {{"l", found}});
                })
                .then(event("Said", {{"l", expected}}));
        });
    };
    const auto text = failure({1, 2, 3, 4}, {3, 5});
    CHECK_THAT(text, ContainsSubstring("expected 1, found nothing"));
    CHECK_THAT(text, ContainsSubstring("expected 2, found nothing"));
    CHECK_THAT(text, ContainsSubstring("expected 4, found 5"));
    CHECK(text.find("expected 3") == std::string::npos);
    CHECK_THAT(failure({1, 2}, {0, 1, 2, 3}), ContainsSubstring("data/l/0: not expected, found 0\n"));
}

TEST_CASE("events in place of nothing and nothing in place of events are failures", "[testing][decider]") {
    CHECK(failure_of([] { given<Site>(SiteCreated{"a"}).when(DeleteSite{}).then_nothing(); }) ==
          R"(given 1 event of Site/test, when DeleteSite
  expected
    no events
  found
    1. SiteDeleted v1 {}
  event 1:
     not expected, found SiteDeleted v1 {}
)");
    CHECK(failure_of([] { given<Site>().when(DeleteSite{}).then(SiteDeleted{}); }).find("found nothing") !=
          std::string::npos);
}

TEST_CASE("an error in place of events and events in place of an error are failures", "[testing][decider]") {
    CHECK(failure_of([] { given<Site>(SiteCreated{"a"}).when(CreateSite{"b"}).then(SiteCreated{"b"}); }) ==
          R"(given 1 event of Site/test, when CreateSite
  expected
    1. SiteCreated v1 {"domain":"b","plan":"free"} #plan:free
  found    SiteExists: there is a
)");
    CHECK(failure_of([] { given<Site>().when(CreateSite{"b"}).then_error<SiteExists>(); }) ==
          R"(given 0 events of Site/test, when CreateSite
  expected an error SiteExists
  found
    1. SiteCreated v1 {"domain":"b","plan":"free"} #plan:free
)");
    CHECK(failure_of([] { given<Site>(SiteCreated{"a"}).when(CreateSite{"b"}).then_error<NoSuchSite>(); }) ==
          R"(given 1 event of Site/test, when CreateSite
  expected an error NoSuchSite
  found    SiteExists: there is a
)");
    CHECK(failure_of([] {
              given<Site>(SiteCreated{"a"}).when(CreateSite{"b"}).then_error<SiteExists>("other");
          }).find("expected an error SiteExists with \"other\"") != std::string::npos);
}

TEST_CASE("metadata is compared where it is expected", "[testing][decider]") {
    const auto said_by = [](const char* who) {
        return [who](const Site::State&) { return event(SiteDeleted{}).by(who); };
    };
    given<Site>().when(said_by("ann")).then(SiteDeleted{});
    given<Site>().when(said_by("ann")).then(event(SiteDeleted{}).by("ann"));
    CHECK(failure_of([&] {
              given<Site>().when(said_by("ann")).then(event(SiteDeleted{}).by("bob"));
          }).find("metadata/actor: expected \"bob\", found \"ann\"") != std::string::npos);
}

TEST_CASE("an event of the past that cannot be taken in is a failure", "[testing][decider]") {
    CHECK(failure_of([] {
              given<Site>(event("SiteCreated", {{"domain", 5}})).when(DeleteSite{}).then(SiteDeleted{});
          }).find("found    ReplayError: decider Site: Site/test: version 1, position 1, SiteCreated v1: /") !=
          std::string::npos);
}

// ---- Run twice

int calls = 0;
struct Fickle : Site {
    static stele::NewEvent decide(const State&, int) { return event("Counted", {{"n", ++calls}}); }
    static SiteDeleted decide(const State&, char) {
        if (++calls % 2 == 0) throw NoSuchSite{};
        return {};
    }
};
TEST_CASE("a decision that depends on more than the state is a failure", "[testing][decider]") {
    calls = 0;
    CHECK(failure_of([] {
              given<Fickle>().when(1).then(event("Counted", {{"n", 1}}));
          })
              .find("  decided a second time on the same events, it came to something else:\n"
                    "  event 1:\n     data/n: expected 1, found 2\n") != std::string::npos);
    calls = 0;
    CHECK(failure_of([] {
              given<Fickle>().when('c').then(SiteDeleted{});
          }).find("first events, then NoSuchSite: no such site") != std::string::npos);
}

struct Moody : Site {
    static State evolve(State, const SiteCreated&) { return {std::to_string(++calls)}; }
    static State evolve(State, const SiteDeleted&) { return {std::to_string(++calls)}; }
    static SiteDeleted decide(const State&, int) { return {}; }
};
TEST_CASE("a fold that depends on more than its events is a failure", "[testing][decider]") {
    CHECK(failure_of([] {
              given<Moody>().when(1).then(SiteDeleted{});
          }).find("what was decided, replayed twice, gives two states") != std::string::npos);
}

struct Unreplayable : Site {
    static stele::NewEvent decide(const State&, int) { return event("SiteCreated", {{"wrong", 1}}); }
};
TEST_CASE("events that its own fold cannot take in are a failure", "[testing][decider]") {
    CHECK(failure_of([] {
              given<Unreplayable>().when(1).then(event("SiteCreated", {{"wrong", 1}}));
          }).find("  what was decided cannot be replayed: decider Site: Site/test: version 1") !=
          std::string::npos);
}

// ---- Around it

struct Priced {
    static constexpr auto name = "Priced";
    int price = 0;
    struct State {
        std::string streams;
    };
    static State evolve(State state, const stele::Event& event) {
        state.streams += event.stream.name() + "@" + std::to_string(event.version.value()) + " ";
        return state;
    }
    [[nodiscard]] stele::NewEvent decide(const State& state, int count) const {
        return event("Bought", {{"for", price * count}, {"behind", state.streams}});
    }
};
TEST_CASE("a decider may have members and events may say their stream", "[testing][decider]") {
    given_with(Priced{7}, event("A"), in("Other/1", event("B"), event("C")), event("D"))
        .when(2)
        .then(event("Bought", {{"for", 14}, {"behind", "Test/test@1 Other/1@1 Other/1@2 Test/test@2 "}}));
}

TEST_CASE("a scenario that does not hold fails its test", "[testing][decider][!shouldfail]") {
    given<Site>().when(DeleteSite{}).then(SiteDeleted{});
}

}  // namespace
