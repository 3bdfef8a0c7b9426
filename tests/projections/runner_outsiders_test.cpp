// What handlers and listeners of a runner do, which are not ours, ends neither the program nor another projection.
#include "counting.hpp"
#include "vocabulary.hpp"

#include <stele/projections/cpp_projection.hpp>
#include <stele/projections/runner.hpp>

#include <atomic>
#include <stdexcept>

namespace stele {
namespace {

using test::Lines;
using namespace std::chrono_literals;

constexpr auto long_enough = 60s;

EventStore quick_store() { return EventStore::temporary(Options{.durability = Durability::relaxed}); }

/// Counts events up to a Bad one.
struct Throwing {
    static constexpr auto name = "throwing";
    static constexpr int version = 1;
    void setup(Model& model) const { model.exec("CREATE TABLE t (n INTEGER NOT NULL); INSERT INTO t VALUES (0)"); }
    void on(const Event& event, Model& model) const {
        if (event.type == "Bad") throw 42;
        model.exec("UPDATE t SET n = n + 1");
    }
};

struct Named {
    std::string_view name;
    int version = 1;
    ProjectionMode mode = ProjectionMode::async;
    void setup(Model& model) const { model.exec("CREATE TABLE t (n INTEGER NOT NULL); INSERT INTO t VALUES (0)"); }
    void on(const Event&, Model& model) const { model.exec("UPDATE t SET n = n + 1"); }
};

TEST_CASE("a handler that throws no std::exception stops its projection and no other", "[projections][runner]") {
    auto store = quick_store();
    test::note(store, 3);
    test::seed(store, StreamId{"S", "2"}, {"Bad", "Noted"});
    Runner runner{store};
    runner.add(projection<Throwing>());
    runner.add(test::counting());
    runner.start();
    CHECK(runner.wait_for("counting", Position{5}, long_enough) == WaitResult::reached);
    CHECK(runner.wait_for("throwing", Position{5}, long_enough) == WaitResult::failed);
    const auto status = projection_status(store, runner.registry(), "throwing");
    CHECK(status.failure.value().type == "Bad");
    CHECK_THAT(status.error, ContainsSubstring("something that is no std::exception"));
}

TEST_CASE("a listener to news that throws ends no runner", "[projections][runner]") {
    auto store = quick_store();
    std::atomic<int> told = 0;
    RunnerOptions options;
    options.news = [&](const RunnerNews&) {
        if (++told % 2 == 0) throw std::runtime_error{"the log is full"};
        throw 42;
    };
    Runner runner{store, options};
    runner.add(test::counting());
    runner.start();
    test::note(store, 3);
    CHECK(runner.wait_for("counting", Position{3}, long_enough) == WaitResult::reached);
    runner.stop();
    CHECK(told >= 3);
}

TEST_CASE("a listener to news may append, also under sync projections", "[projections][runner][sync]") {
    auto store = quick_store();
    RunnerOptions options;
    options.news = [&](const RunnerNews& news) {
        store.append(StreamId{"News", "1"}, expect::any, {event("Told", {{"text", news.text}})});
    };
    Runner runner{store, options};
    runner.add(projection(Named{.name = "a", .mode = ProjectionMode::sync}));
    runner.add(projection(Named{.name = "b", .mode = ProjectionMode::sync}));
    SECTION("with threads") {
        runner.start();
        for (int i = 0; i < 20; ++i) test::note(store, 1);
        CHECK(runner.wait_for("a", store.head(), long_enough) == WaitResult::reached);
        CHECK(runner.wait_for("b", store.head(), long_enough) == WaitResult::reached);
        runner.stop();
    }
    SECTION("step by step") {
        runner.step();
        CHECK(runner.wait_for("a", store.head(), 0ms) == WaitResult::reached);
    }
    // Each is owned, built and live; said in this order.
    Lines texts;
    for (const Event& e : store.read(StreamId{"News", "1"})) {
        const auto text = e.data.value()["text"].get<std::string>();
        if (text.find("\"a\"") != std::string::npos) texts.push_back(text);
    }
    REQUIRE(texts.size() == 4);
    CHECK_THAT(texts[0], ContainsSubstring("owned"));
    CHECK_THAT(texts[1], ContainsSubstring("building"));
    CHECK_THAT(texts[2], ContainsSubstring("generation 1"));
    CHECK_THAT(texts[3], ContainsSubstring("follows"));
}

TEST_CASE("with small steps each projection gets its share", "[projections][runner]") {
    auto store = quick_store();
    Runner runner{store};
    for (const auto* const name : {"a", "b", "c"}) runner.add(projection(Named{.name = name}));
    runner.step();
    test::note(store, 100);
    for (int i = 0; i < 6; ++i) {
        test::note(store, 10);
        CHECK(runner.step(10) == 10);
    }
    for (const auto* const name : {"a", "b", "c"}) CHECK(test::rows(store, name, "SELECT n FROM t") == Lines{"20"});
}

}  // namespace
}  // namespace stele
