// One read of the log that feeds several: what each of them gets, and how far apart they may be.
#include "shared_scan.hpp"

#include "vocabulary.hpp"

#include <stele/test/temporary_folder.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>
#include <thread>

namespace stele {
namespace {

constexpr int events = 40'000;
constexpr int page = 1'024;  // events of a page, at most
constexpr int window = 16;   // pages

EventStore log_of_events() {
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    test::pay(store, events, 500);
    return store;
}

// Consumers that count what they are given, and how far the first of them ever was before the last.
class Counting {
public:
    static constexpr std::size_t consumers = 3;

    // `at` is told of each event, and may throw.
    std::vector<SharedScan::Consumer> all(std::function<void(std::size_t, std::int64_t)> at = {}) {
        std::vector<SharedScan::Consumer> all;
        for (std::size_t i = 0; i < consumers; ++i) {
            all.emplace_back([this, i, at](std::span<const Event> given) {
                if (is_fed[i].exchange(true)) ++fed_twice_at_once;
                for (const Event& event : given) {
                    if (event.position.value() != seen[i] + 1) ++out_of_order;
                    if (at) at(i, event.position.value());
                    ++seen[i];
                }
                const auto behind = std::min({seen[0].load(), seen[1].load(), seen[2].load()});
                for (auto lead = greatest_lead.load(); seen[i] - behind > lead;)
                    if (greatest_lead.compare_exchange_weak(lead, seen[i] - behind)) break;
                is_fed[i] = false;
            });
        }
        return all;
    }

    std::array<std::atomic<std::int64_t>, consumers> seen{};
    std::array<std::atomic<bool>, consumers> is_fed{};
    std::atomic<std::int64_t> greatest_lead = 0;
    std::atomic<int> out_of_order = 0;
    std::atomic<int> fed_twice_at_once = 0;
};

void work_in_threads(SharedScan& scan, int threads) {
    std::vector<std::thread> others;
    while (static_cast<int>(others.size()) + 1 < threads) others.emplace_back([&] { scan.work(); });
    scan.work();
    for (auto& thread : others) thread.join();
}

TEST_CASE("of a shared scan each gets every event once, in order, and nobody is far ahead", "[projections][P1]") {
    const auto store = log_of_events();
    const int threads = GENERATE(1, 2, 3, 5);
    CAPTURE(threads);
    Counting counted;
    SharedScan scan{store.read(all()), counted.all(), {}};

    work_in_threads(scan, threads);

    for (std::size_t i = 0; i < Counting::consumers; ++i) {
        CHECK(counted.seen[i] == events);
        CHECK(scan.error_of(i) == nullptr);
    }
    CHECK(counted.out_of_order == 0);
    CHECK(counted.fed_twice_at_once == 0);
    CHECK(counted.greatest_lead <= window * page);
}

TEST_CASE("who fails gets no more of a shared scan, and the others get everything", "[projections]") {
    const auto store = log_of_events();
    const int threads = GENERATE(1, 2);
    CAPTURE(threads);
    Counting counted;
    SharedScan scan{store.read(all()),
                    counted.all([](std::size_t consumer, std::int64_t position) {
                        if (consumer == 1 && position == 5'000) throw std::runtime_error{"at 5,000"};
                    }),
                    {}};

    work_in_threads(scan, threads);

    CHECK(counted.seen[0] == events);
    CHECK(counted.seen[1] == 4'999);
    CHECK(counted.seen[2] == events);
    CHECK(scan.error_of(0) == nullptr);
    REQUIRE(scan.error_of(1) != nullptr);
    CHECK_THROWS_WITH(std::rethrow_exception(scan.error_of(1)), "at 5,000");
    CHECK(counted.out_of_order == 0);
}

TEST_CASE("a shared scan that is stopped ends within a page", "[projections]") {
    const auto store = log_of_events();
    const int threads = GENERATE(1, 2);
    CAPTURE(threads);
    std::stop_source stop;
    Counting counted;
    SharedScan scan{store.read(all()), counted.all([&](std::size_t, std::int64_t position) {
                        if (position == 10'000) stop.request_stop();
                    }),
                    stop.get_token()};

    work_in_threads(scan, threads);

    const auto foremost = std::max({counted.seen[0].load(), counted.seen[1].load(), counted.seen[2].load()});
    CHECK(foremost >= 10'000);
    CHECK(foremost <= 10'000 + 2 * page);
    for (std::size_t i = 0; i < Counting::consumers; ++i) CHECK(scan.error_of(i) == nullptr);
}

}  // namespace
}  // namespace stele
