// Rebuilds that are long enough for a second thread to read ahead.
#include "vocabulary.hpp"

#include <stele/projections/cpp_projection.hpp>
#include <stele/schema/event_types.hpp>
#include <stele/test/temporary_folder.hpp>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace stele {
namespace {

constexpr int enough = 30'000;  // events, for which a rebuild reads ahead

std::atomic<std::int64_t> seen;
std::atomic<std::int64_t> out_of_order;
std::atomic<std::thread::id> called_by;
std::atomic<bool> elsewhere;

// Every event, each behind the one before it.
struct InOrder {
    static constexpr auto name = "in_order";
    static constexpr int version = 1;
    static void setup(Model& model) { model.exec("CREATE TABLE in_order (last INTEGER NOT NULL)"); }
    static void on(const Event& event, Model& model) {
        if (event.position.value() != ++seen) ++out_of_order;
        if (event.position == Position{1}) called_by = std::this_thread::get_id();
        if (std::this_thread::get_id() != called_by) elsewhere = true;
        if (event.position.value() % 5'000 == 0)
            model.exec("INSERT INTO in_order VALUES (?)", event.position.value());
    }
};

void start_watching() {
    seen = out_of_order = 0;
    elsewhere = false;
}

TEST_CASE("a long rebuild takes every event once, in order, in one thread", "[projections][P1]") {
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    test::pay(store, enough, 500);
    start_watching();

    const auto rebuilt = test::rebuild_now(store, *projection<InOrder>());

    CHECK(rebuilt.events == enough);
    CHECK(seen == enough);
    CHECK(out_of_order == 0);
    CHECK(!elsewhere);
    CHECK(test::rows(store, "in_order", "SELECT count(*), max(last) FROM in_order") == test::Lines{"6 30000"});
}

TEST_CASE("a long rebuild of some types gives the fold of these", "[projections][P1]") {
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    test::pay(store, enough, 500);
    test::rebuild_now(store, *test::payments());
    CHECK(test::rows(store, "payments", test::all_payments) == test::expected_payments(store, Position{enough}));
}

TEST_CASE("a long rebuild that is stopped half-way leaves no thread, and the next one goes on",
          "[projections][P1]") {
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    test::pay(store, enough, 500);
    for (const int after : {1, 4'000, 21'000}) {
        CAPTURE(after);
        std::stop_source source;
        RebuildOptions options;
        options.batch = 500;
        options.stop = source.get_token();
        options.progress = [&](const FoldProgress& progress) {
            if (progress.position >= Position{after}) source.request_stop();
        };
        CHECK_FALSE(rebuild(store, *test::payments(), options));
    }
    test::rebuild_now(store, *test::payments());
    CHECK(test::rows(store, "payments", test::all_payments) == test::expected_payments(store, Position{enough}));
}

TEST_CASE("an upcaster that fails far into a long rebuild stops it there, with its own words",
          "[projections][upcast]") {
    const test::TemporaryFolder folder;
    const auto path = (folder.path() / "log.stele").string();
    {
        auto store = EventStore::open(path, {.durability = Durability::relaxed});
        test::pay(store, enough, 500);
    }
    EventTypes types;
    types.upcast("Paid", 1, [](nlohmann::json data, const Event& event) {
        if (event.position > Position{25'000}) throw std::runtime_error{"no such currency"};
        return data;
    });
    const auto store = EventStore::open(path, {.event_types = std::make_shared<const EventTypes>(types)});
    start_watching();

    const auto error = test::error_of<Error>([&] { (void)rebuild(store, *projection<InOrder>()); });

    CHECK(std::string{error.what()}.find("no such currency") != std::string::npos);
    CHECK(seen >= 24'000);
    CHECK(seen <= 25'010);
    CHECK(out_of_order == 0);
    CHECK_THROWS_AS(ReadModel::open(store, "in_order"), NotFound);
}

}  // namespace
}  // namespace stele
