// Listeners on threads while operators do what they like: in the end everything is delivered, and nothing waits for
// nobody.
#include "listening.hpp"

#include <stele/projections/listeners/steering.hpp>
#include <stele/test/random.hpp>
#include <stele/test/temporary_folder.hpp>

#include <iostream>
#include <set>
#include <thread>

using namespace stele;
using namespace std::chrono_literals;

namespace {

bool settles(const EventStore& store, const Runner& runner) {
    const auto give_up = std::chrono::steady_clock::now() + 30s;
    for (;;) {
        const auto status = listener_status(store, runner.listeners(), "bill");
        if (status.position == store.head() && status.parked == 0) return true;
        if (std::chrono::steady_clock::now() > give_up) {
            std::cerr << describe(status);
            return false;
        }
        (void)store.wait_beyond(store.head(), 10ms);  // nothing comes: until the next look
    }
}

}  // namespace

// Goal:   no event is lost or stuck, whatever is done to a listener while its deliveries are under way.
// Method: two runners on threads share a listener of which a quarter of the deliveries fail at first; meanwhile it
// is
//         paused, resumed, rewound, and its runners are stopped and started, at random.
TEST_CASE("a listener that is steered at random under load delivers everything in the end", "[listeners][stress]") {
    test::Random random;
    std::cout << "seed " << random.seed() << std::endl;
    CAPTURE(random.seed());
    const bool has_breaker = GENERATE(false, true);
    CAPTURE(has_breaker);
    const test::TemporaryFolder folder{test::memory()};
    auto store = EventStore::open((folder / "log.stele").string(), Options{.durability = Durability::relaxed});
    const test::Receiver receiver{[](const Event& event, const Delivery& delivery) {
        if (event.position.value() % 4 == 0 && delivery.attempt() < 3) throw std::runtime_error{"no answer"};
    }};
    ListenerOptions eager;
    eager.retry = test::after({1ms}, 1'000);
    if (has_breaker) eager.breaker = {.failures = 2, .open = 3ms, .target = {}};
    RunnerOptions options;
    options.window = 32;
    options.look_every = 5ms;
    std::vector<std::unique_ptr<Runner>> runners;
    for (int i = 0; i < 2; ++i) {
        runners.push_back(std::make_unique<Runner>(store, options));
        runners.back()->add(listener("bill", Query{}, receiver.function(), eager));
        runners.back()->start();
    }
    const auto& registry = runners[0]->listeners();
    const std::vector<std::string> ids{"a", "b", "c", "d", "e"};
    for (int round = 0; round < 150; ++round) {
        for (auto count = random.below(10); count > 0; --count)
            test::seed(store, test::order(random.one_of(ids)), {"OrderPaid"});
        switch (random.below(8)) {
            case 0:
                pause_listener(store, registry, "bill");
                break;
            case 1: {
                const auto at = listener_status(store, registry, "bill").position.value();
                const auto to = std::max<std::int64_t>(0, at - random.between(0, 20));
                if (listener_status(store, registry, "bill").state == "new") break;
                try {
                    (void)rewind_listener(store, registry, "bill", Position{to}, false);
                } catch (const InvalidInput&) {  // another rewind is not done yet: it is behind that by now
                    CHECK(listener_status(store, registry, "bill").position < Position{to});
                }
                break;
            }
            case 2: {
                auto& runner = *random.one_of(runners);
                runner.stop();
                runner.start();
                break;
            }
            default:
                resume_listener(store, registry, "bill");
                (void)runners[0]->wait_for_listener("bill", Position{store.head().value() - 20}, 20ms);
        }
    }
    resume_listener(store, registry, "bill");
    REQUIRE(settles(store, *runners[0]));
    for (const auto& runner : runners) runner->stop();

    std::set<Position> seen;
    std::map<std::string, Position> last;
    for (const auto& one : receiver.got()) {
        if (!seen.insert(one.position).second) continue;
        CHECK(last[one.stream] < one.position);
        last[one.stream] = one.position;
    }
    CHECK(seen.size() == static_cast<std::size_t>(store.head().value()));
}
