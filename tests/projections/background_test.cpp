// Long work makes way: the log is folded by a thread that is nicer than the caller's, whatever asks for it.
#include "vocabulary.hpp"

#include <stele/projections/check.hpp>
#include <stele/projections/cpp_projection.hpp>
#include <stele/projections/rebuild_all.hpp>
#include <stele/test/temporary_folder.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <limits>
#include <stdexcept>
#include <thread>

namespace stele {
namespace {

int niceness_here() { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); }

std::atomic<int> niceness_of_handler;
std::atomic<bool> by_the_caller;
std::thread::id caller;

// Notes who calls it; fails at "Refunded" where it is told to, and appends beside the event at position 50.
struct Witness {
    static constexpr auto name = "witness";
    static constexpr int version = 1;
    bool fails = false;
    EventStore* appends_to = nullptr;
    static void setup(Model& model) { model.exec("CREATE TABLE witness (n INTEGER NOT NULL)"); }
    void on(const Event& event, Model& model) const {
        niceness_of_handler = niceness_here();
        by_the_caller = std::this_thread::get_id() == caller;
        if (fails && event.type == "Refunded") throw std::runtime_error{"no refunds"};
        model.exec("INSERT INTO witness VALUES (?)", event.position.value());
        if (appends_to != nullptr && event.position == Position{50}) test::pay(*appends_to, 3);
    }
};

struct Background {
    Background() {
        test::pay(store, 50);
        caller = std::this_thread::get_id();
        niceness_of_handler = -1;
    }
    EventStore store = EventStore::temporary();
    std::shared_ptr<const Projection> witness = projection<Witness>();
    int before = niceness_here();
};

TEST_CASE_METHOD(Background, "a rebuild folds in a thread that is nicer, and the caller stays as it was",
                 "[projections]") {
    const int niceness = GENERATE(1, 5, 19, 100, std::numeric_limits<int>::max());
    CAPTURE(niceness);
    test::rebuild_now(store, *witness, {.niceness = niceness});
    CHECK_FALSE(by_the_caller);
    CHECK(niceness_of_handler == std::min(before + niceness, 19));
    CHECK(niceness_here() == before);
}

TEST_CASE_METHOD(Background, "a rebuild of niceness 0 folds in the calling thread", "[projections]") {
    test::rebuild_now(store, *witness, {.niceness = 0});
    CHECK(by_the_caller);
    CHECK(niceness_of_handler == before);
}

TEST_CASE_METHOD(Background, "rebuilds together, into a file, and checks fold in threads that are nicer",
                 "[projections]") {
    SECTION("together") {
        const auto results = rebuild_all(store, std::vector{witness}, {.each = {.niceness = 3}});
        REQUIRE(results.size() == 1);
        CHECK(results.front().rebuilt);
    }
    SECTION("into a file") {
        const test::TemporaryFolder folder;
        test::rebuild_now(store, *witness, {.into = folder / "witness.db", .niceness = 3});
    }
    SECTION("check") {
        test::rebuild_now(store, *witness, {.niceness = 0});
        const auto checked = check(store, *witness, {.niceness = 3});
        REQUIRE(checked);
        CHECK(checked->ok());
    }
    CHECK_FALSE(by_the_caller);
    CHECK(niceness_of_handler == std::min(before + 3, 19));
    CHECK(niceness_here() == before);
}

TEST_CASE_METHOD(Background, "what is appended while a rebuild makes way is folded by the caller",
                 "[projections]") {
    const auto rebuilt = test::rebuild_now(store, *projection(Witness{.appends_to = &store}));
    CHECK(rebuilt.events == 53);
    CHECK(test::rows(store, "witness", "SELECT count(*), max(n) FROM witness") == test::Lines{"53 53"});
    CHECK(by_the_caller);
    CHECK(niceness_of_handler == before);
}

TEST_CASE_METHOD(Background, "what a handler throws in the background comes to the caller", "[projections]") {
    const auto failing = projection(Witness{.fails = true});
    const auto error = test::error_of<HandlerFailed>([&] { (void)rebuild(store, *failing); });
    CHECK(error.reason() == "no refunds");
    CHECK_FALSE(by_the_caller);
}

}  // namespace
}  // namespace stele
