// Listeners: what the way from the log to a handler costs, and that one key which fails holds up no other.
#include "both_sides.hpp"

#include <stele/projections/listeners/cpp_listener.hpp>
#include <stele/projections/runner.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

namespace stele::bench {
namespace {

using namespace std::chrono_literals;
using Deliver = std::function<void(const Event&, const Delivery&)>;

// Each run has a listener of its own, which begins at the beginning.
std::string new_name() {
    static std::atomic<int> number{0};
    return "listener_" + std::to_string(++number);
}

struct Delivering {
    int workers = 2;
    RetryPolicy retry{};
    std::string where{};
};

// Until every event of the log is dealt with, and that is stored.
void deliver_all(EventStore& store, const Query& query, Deliver deliver, const Delivering& how) {
    RunnerOptions options;
    options.queues = {{.workers = how.workers}};
    stele::Runner runner{store, options};
    const auto name = new_name();
    runner.add(listener(name, query, std::move(deliver), {.where = how.where, .retry = how.retry}));
    runner.start();
    if (runner.wait_for_listener(name, store.head(), 10min) != WaitResult::reached)
        throw BenchError("listener: not everything was delivered");
    runner.stop();
}

void require_delivered(Context& context, std::size_t delivered, std::size_t expected) {
    if (delivered != expected) {
        throw BenchError("listener: of " + std::to_string(expected) + " events " + std::to_string(delivered) +
                         " were delivered");
    }
    context.compared(expected);
}

bench::Runner nothing_to_do(Context& context) {
    const auto& log = context.filled_log();
    auto store = std::make_shared<EventStore>(EventStore::open(log.store()));
    return [&context, &log, store] {
        std::atomic<std::size_t> delivered{0};
        std::size_t read = 0;
        Stopwatch delivering;
        Stopwatch reading;
        delivering.time([&] { deliver_all(*store, {}, [&](const Event&, const Delivery&) { ++delivered; }, {}); });
        reading.time([&] {
            for (const Event& event : store->read(all())) read += event.data.text().empty() ? 0 : 1;
        });
        require_delivered(context, delivered, log.events());
        require_delivered(context, read, log.events());
        return std::vector{rates(static_cast<double>(log.events()), delivering, reading)};
    };
}

// A thousand streams that grow side by side.
std::shared_ptr<const FilledLog> log_of_a_thousand(Context& context, std::size_t events) {
    const std::size_t streams = std::min<std::size_t>(1'000, events);
    return std::make_shared<const FilledLog>(context.new_folder(), events, events / streams);
}

bench::Runner waiting(Context& context) {
    const auto log = log_of_a_thousand(context, context.sizes().log_events / 4);
    auto store = std::make_shared<EventStore>(EventStore::open(log->store()));
    return [&context, log, store] {
        constexpr auto wait = 5ms;
        constexpr int workers = 64;
        std::atomic<std::size_t> delivered{0};
        Stopwatch delivering;
        delivering.time([&] {
            const auto deliver = [&](const Event&, const Delivery&) {
                std::this_thread::sleep_for(wait);
                ++delivered;
            };
            deliver_all(*store, {}, deliver, {.workers = workers});
        });
        require_delivered(context, delivered, log->events());
        const double ideal = workers / std::chrono::duration<double>(wait).count();
        return std::vector<Measurement>{{static_cast<double>(log->events()) / delivering.seconds(), ideal}};
    };
}

// The same deliveries, of which those of one stream fail, and are tried again a few times.
bench::Runner poisoned(Context& context) {
    const auto log = log_of_a_thousand(context, context.sizes().log_events);
    auto store = std::make_shared<EventStore>(EventStore::open(log->store()));
    return [&context, log, store] {
        const auto poison = log->payloads().streams().front();
        const auto per_stream = log->events() / log->payloads().streams().size();
        std::atomic<std::size_t> delivered{0};
        Delivering how;
        how.retry.delays = {10ms};
        how.retry.attempts = 1'000;
        Stopwatch healthy;
        Stopwatch sick;
        healthy.time([&] {
            deliver_all(
                *store, {}, [&](const Event&, const Delivery&) { ++delivered; }, how);
        });
        require_delivered(context, delivered, log->events());
        delivered = 0;
        sick.time([&] {
            const auto deliver = [&](const Event& event, const Delivery&) {
                if (event.stream == poison) throw std::runtime_error{"no"};
                ++delivered;
            };
            deliver_all(*store, {}, deliver, how);
        });
        require_delivered(context, delivered, log->events() - per_stream);
        const auto rate = [&](std::size_t events, const Stopwatch& time) {
            return static_cast<double>(events) / time.seconds();
        };
        return std::vector<Measurement>{{rate(log->events() - per_stream, sick), rate(log->events(), healthy)}};
    };
}

// What an event costs that the listener does not select: where the index finds that out, and where its SQL does.
bench::Runner unselected(Context& context) {
    const auto& log = context.filled_log();
    auto store = std::make_shared<EventStore>(EventStore::open(log.store()));
    return [&context, &log, store] {
        const auto events = static_cast<double>(log.events());
        std::atomic<std::size_t> delivered{0};
        std::size_t read = 0;
        Stopwatch by_type;
        Stopwatch by_where;
        Stopwatch reading;
        const auto deliver = [&](const Event&, const Delivery&) { ++delivered; };
        by_type.time([&] { deliver_all(*store, matching(types("NoSuchType")), deliver, {}); });
        by_where.time([&] { deliver_all(*store, {}, deliver, {.where = "$data(number) < 0"}); });
        reading.time([&] {
            for (const Event& event : store->read(all())) read += event.data.text().empty() ? 0 : 1;
        });
        require_delivered(context, delivered, 0);
        require_delivered(context, read, log.events());
        constexpr double us = 1e6;
        const auto over_reading = std::max(0.0, by_where.seconds() - reading.seconds());
        return std::vector<Measurement>{{by_type.seconds() / events * us, std::nullopt},
                                        {over_reading / events * us, std::nullopt}};
    };
}

}  // namespace

std::vector<Workload> listener_workloads() {
    return {
        {.name = "listener-nothing",
         .about = "every event of the log to a handler that does nothing, by stream, two workers",
         .figures = {{.name = "listener-nothing",
                      .unit = "events/s",
                      .against = "reading the same events",
                      .goal = Goal{Goal::Of::stele, Goal::Sense::at_least, 100'000}}},
         .prepare = nothing_to_do},
        {.name = "listener-waiting",
         .about = "a handler that waits 5 ms, 64 workers, 1,000 streams",
         .figures =
             {{.name = "listener-waiting", .unit = "events/s", .against = "the ideal", .goal = Goal{.value = 0.9}}},
         .prepare = waiting},
        {.name = "listener-poisoned",
         .about = "one stream of 1,000 fails: the deliveries of the others",
         .figures = {{.name = "listener-poisoned",
                      .unit = "events/s",
                      .against = "none fails",
                      .goal = Goal{.value = 0.95}}},
         .prepare = poisoned},
        {.name = "listener-unselected",
         .about = "what an event costs that is not selected: by its type, and by SQL over it beyond reading it",
         .figures = {{.name = "listener-unselected-type",
                      .unit = "us/event",
                      .against = {},
                      .goal = Goal{Goal::Of::stele, Goal::Sense::under, 2}},
                     {.name = "listener-unselected-where",
                      .unit = "us/event",
                      .against = {},
                      .goal = Goal{Goal::Of::stele, Goal::Sense::under, 2}}},
         .prepare = unselected},
    };
}

}  // namespace stele::bench
