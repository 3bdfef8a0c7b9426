// Long work makes way: the log is folded by a thread that is nicer than the caller's, whatever asks for it.
#include "vocabulary.hpp"

#include <stele/projections/check.hpp>
#include <stele/projections/cpp_projection.hpp>
#include <stele/projections/rebuild_all.hpp>
#include <stele/test/temporary_folder.hpp>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <thread>

namespace stele {
namespace {

int niceness_here() { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); }

// How long this thread's turns are, in nanoseconds, of a scheduler that says so: sched_runtime of Linux's struct
// sched_attr, from 6.12 on. 0 where it does not.
std::uint64_t turn_here() {
    std::array<std::uint64_t, 6> attributes{};
    constexpr long self = 0;
    constexpr std::size_t runtime = 3;
    if (::syscall(SYS_sched_getattr, self, attributes.data(), sizeof attributes, 0U) != 0) return 0;
    return attributes[runtime];
}

std::atomic<int> niceness_of_handler;
std::atomic<std::uint64_t> turn_of_handler;
std::atomic<bool> by_the_caller;
std::thread::id caller;

// Notes who calls it; fails at "Refunded" where it is told to, and appends `appended` beside the event at
// position 50.
struct Witness {
    static constexpr auto name = "witness";
    static constexpr int version = 1;
    bool fails = false;
    EventStore* appends_to = nullptr;
    int appended = 0;
    static void setup(Model& model) { model.exec("CREATE TABLE witness (n INTEGER NOT NULL)"); }
    void on(const Event& event, Model& model) const {
        niceness_of_handler = niceness_here();
        turn_of_handler = turn_here();
        by_the_caller = std::this_thread::get_id() == caller;
        if (fails && event.type == "Refunded") throw std::runtime_error{"no refunds"};
        model.exec("INSERT INTO witness VALUES (?)", event.position.value());
        if (appends_to != nullptr && event.position == Position{50}) test::pay(*appends_to, appended);
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
    std::uint64_t turn = turn_here();
};

TEST_CASE_METHOD(Background, "a rebuild folds in a thread that is nicer, and the caller stays as it was",
                 "[projections]") {
    const int niceness = GENERATE(1, 5, 19, 100, std::numeric_limits<int>::max());
    CAPTURE(niceness);
    test::rebuild_now(store, *witness, {.niceness = niceness});
    CHECK_FALSE(by_the_caller);
    CHECK(niceness_of_handler == std::min(niceness, 19 - before) + before);
    CHECK(niceness_here() == before);
    if (turn != 0) CHECK(turn_of_handler > turn);
    CHECK(turn_here() == turn);
}

TEST_CASE_METHOD(Background, "a rebuild of niceness 0 folds in the calling thread", "[projections]") {
    test::rebuild_now(store, *witness, {.niceness = 0});
    CHECK(by_the_caller);
    CHECK(niceness_of_handler == before);
    CHECK(turn_of_handler == turn);
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

TEST_CASE_METHOD(Background,
                 "what is appended while a rebuild makes way is folded in the background, unless it is too much",
                 "[projections]") {
    const auto [appended, is_too_much] =
        GENERATE(table<int, bool>({{3, false}, {25, false}, {26, true}, {60, true}}));
    CAPTURE(appended);
    const auto all = std::to_string(50 + appended);
    const auto rebuilt =
        test::rebuild_now(store, *projection(Witness{.appends_to = &store, .appended = appended}), {.niceness = 4});
    CHECK(rebuilt.events == 50 + appended);
    CHECK(test::rows(store, "witness", "SELECT count(*), max(n) FROM witness") == test::Lines{all + " " + all});
    CHECK(by_the_caller == is_too_much);
    CHECK(niceness_of_handler == (is_too_much ? before : std::min(before + 4, 19)));
}

TEST_CASE_METHOD(Background, "what a handler throws in the background comes to the caller", "[projections]") {
    const auto failing = projection(Witness{.fails = true});
    const auto error = test::error_of<HandlerFailed>([&] { (void)rebuild(store, *failing); });
    CHECK(error.reason() == "no refunds");
    CHECK_FALSE(by_the_caller);
}

}  // namespace
}  // namespace stele
