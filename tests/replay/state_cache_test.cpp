// The cache by itself: what it holds, what goes first, what it counts.
#include <stele/replay/state_cache.hpp>
#include <stele/test/catch.hpp>

#include <barrier>
#include <string>
#include <thread>
#include <vector>

namespace stele {
namespace {

const StreamId a{"S", "a"};
const StreamId b{"S", "b"};
const StreamId c{"S", "c"};

StateCache::State state(int n) { return std::make_shared<int>(n); }
int number(const StateCache::State& state) { return state ? *std::static_pointer_cast<int>(state) : 0; }

TEST_CASE("the state that was used least recently goes first", "[replay][cache]") {
    StateCache cache{{.entries = 2}};
    cache.keep(a, Version{1}, state(1), 10);
    cache.keep(b, Version{1}, state(2), 10);
    CHECK(number(cache.find(a)) == 1);
    cache.keep(c, Version{1}, state(3), 10);
    CHECK(number(cache.find(b)) == 0);
    CHECK(number(cache.find(a)) == 1);
    CHECK(number(cache.find(c)) == 3);
    CHECK(cache.counts() == CacheCounts{.hits = 3, .misses = 1, .evictions = 1, .entries = 2, .bytes = 20});
}

TEST_CASE("states go as far as the bytes ask for", "[replay][cache]") {
    StateCache cache{{.entries = 100, .bytes = 25}};
    cache.keep(a, Version{1}, state(1), 10);
    cache.keep(b, Version{1}, state(2), 10);
    cache.keep(c, Version{1}, state(3), 10);
    CHECK(cache.counts().bytes == 20);
    CHECK(cache.counts().evictions == 1);
    cache.keep(b, Version{2}, state(4), 26);  // no cache could hold it
    CHECK(number(cache.find(b)) == 0);
    CHECK(cache.counts().bytes == 10);
    cache.keep(c, Version{2}, state(5), 25);
    CHECK(number(cache.find(c)) == 5);
    CHECK(cache.counts().bytes == 25);
}

TEST_CASE("a state never gives way to one that is behind it", "[replay][cache]") {
    StateCache cache{{}};
    cache.keep(a, Version{5}, state(5), 1);
    cache.keep(a, Version{4}, state(4), 1);
    CHECK(number(cache.find(a)) == 5);
    cache.keep(a, Version{6}, state(6), 2);
    CHECK(number(cache.find(a)) == 6);
    CHECK(cache.counts().bytes == 2);
    cache.forget(a);
    cache.forget(a);
    CHECK(number(cache.find(a)) == 0);
    cache.keep(a, Version{1}, state(1), 1);
    cache.clear();
    CHECK(cache.counts().entries == 0);
    CHECK(cache.counts().bytes == 0);
}

TEST_CASE("threads may use a cache at once", "[replay][cache]") {
    constexpr int threads = 4;
    StateCache cache{{.entries = 7}};
    std::barrier start{threads};
    {
        std::vector<std::jthread> users;
        for (int t = 0; t < threads; ++t) {
            users.emplace_back([&, t] {
                start.arrive_and_wait();
                for (int i = 0; i < 2'000; ++i) {
                    const StreamId stream{"S", std::to_string((i + t) % 11)};
                    if (!cache.find(stream)) cache.keep(stream, Version{1}, state(i), 1);
                    if (i % 50 == 0) cache.forget(stream);
                }
            });
        }
    }
    const auto counts = cache.counts();
    CHECK(counts.hits + counts.misses == threads * 2'000);
    CHECK(counts.entries <= 7);
    CHECK(counts.bytes == counts.entries);
}

}  // namespace
}  // namespace stele
