// What stands around a test: a clock that it moves, a store of its own.
#include <stele/testing/report.hpp>
#include <stele/testing/temporary_store.hpp>

#include <chrono>

namespace stele::testing {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a fake clock stands still until it is moved, and copies show the same time", "[testing][clock]") {
    FakeClock clock;
    const auto copy = clock;
    CHECK(to_rfc3339(clock.now()) == "2026-01-05T10:00:00.000000Z");
    CHECK(copy() == clock());
    clock.advance(90s);
    CHECK(to_rfc3339(copy.now()) == "2026-01-05T10:01:30.000000Z");
    clock.set(parse_rfc3339("2020-02-29T00:00:00Z"));
    CHECK(copy.now() == parse_rfc3339("2020-02-29T00:00:00Z"));
}

TEST_CASE("a temporary store records by the test's clock and is gone with the test", "[testing][store]") {
    std::filesystem::path folder;
    {
        TemporaryStore store;
        folder = store.folder();
        const StreamId site{"Site", "s"};
        store->append(site, expect::none, {event("A")});
        store.clock().advance(1h);
        store->append(site, expect::exactly(1), {event("B")});
        store.reopen();
        EventStore& same = store;
        CHECK(same.head() == Position{2});
        CHECK(same.at(Position{2})->recorded_at - same.at(Position{1})->recorded_at == 1h);
        CHECK(std::filesystem::exists(store.path()));
        CHECK(EventStore::open(store.path()).head() == Position{2});
    }
    CHECK_FALSE(std::filesystem::exists(folder));
}

}  // namespace
}  // namespace stele::testing
