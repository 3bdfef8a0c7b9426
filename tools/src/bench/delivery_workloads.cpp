// How soon a live subscription has an event, and what waiting for one costs.
#include "both_sides.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <semaphore>
#include <thread>

namespace stele::bench {
namespace {

using Clock = std::chrono::steady_clock;  // one clock for all processes of the machine

struct Arrival {
    std::int64_t position = 0;
    std::int64_t at = 0;  // Clock ticks
};

std::int64_t ticks() { return Clock::now().time_since_epoch().count(); }

// Appends one event after another, each when the one before was delivered and a moment has passed; `delivered`
// waits for the next delivery. Gives the milliseconds from the call of append() to the delivery.
template <class Delivered>
std::vector<double> latencies(Context& context, EventStore& store, Delivered&& delivered) {
    const Payloads payloads{std::min<std::size_t>(100, context.sizes().streams)};
    std::vector<double> milliseconds;
    for (std::size_t i = 0; i < context.sizes().deliveries; ++i) {
        const auto planned = payloads.event(i);
        // A drawn pause, so that appends do not fall into step with whoever looks at intervals.
        std::this_thread::sleep_for(std::chrono::microseconds{mixed(i) % 3'000});
        const auto start = ticks();
        const auto appended =
            store.append(payloads.streams()[planned.stream], expect::any, std::span{&planned.event, 1});
        const Arrival delivery = delivered();
        if (delivery.position != appended.last_position.value())
            throw BenchError("delivery: appended position " + std::to_string(appended.last_position.value()) +
                             ", delivered position " + std::to_string(delivery.position));
        const Clock::duration taken{delivery.at - start};
        milliseconds.push_back(std::chrono::duration<double, std::milli>(taken).count());
    }
    context.compared(milliseconds.size());
    return milliseconds;
}

std::vector<Measurement> median_and_tail(const std::vector<double>& milliseconds) {
    return {{percentile(milliseconds, 50), {}}, {percentile(milliseconds, 99), {}}};
}

Runner delivery_in_process(Context& context) {
    return [&context] {
        const auto folder = context.new_folder();
        auto store = EventStore::open(*folder / "log.stele");
        auto subscription = store.subscribe();
        Arrival delivery;
        std::binary_semaphore there{0};
        std::jthread subscriber{[&](const std::stop_token& stop) {
            while (const Event* event = subscription.next(stop)) {
                delivery = {event->position.value(), ticks()};
                there.release();
            }
        }};
        return median_and_tail(latencies(context, store, [&] {
            there.acquire();
            return delivery;
        }));
    };
}

// A process of ours that subscribes to a store and writes each delivery into a pipe.
class SubscriberProcess {
public:
    explicit SubscriberProcess(const std::string& store) {
        int ends[2];
        if (::pipe(ends) != 0) throw BenchError("delivery: no pipe");
        child_ = ::fork();
        if (child_ == 0) deliver(store, ends[1]);
        ::close(ends[1]);
        from_ = ends[0];
        if (child_ < 0) throw BenchError("delivery: no process");
        (void)next();  // it subscribes now
    }
    ~SubscriberProcess() {
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
        ::close(from_);
    }
    SubscriberProcess(const SubscriberProcess&) = delete;
    SubscriberProcess& operator=(const SubscriberProcess&) = delete;

    [[nodiscard]] Arrival next() const {
        Arrival delivery;
        ssize_t n = 0;
        do n = ::read(from_, &delivery, sizeof delivery);
        while (n < 0 && errno == EINTR);
        if (n != sizeof delivery) throw BenchError("delivery: the subscribing process ended");
        return delivery;
    }

private:
    [[noreturn]] static void deliver(const std::string& name, int to) {
        const auto send = [&](Arrival delivery) {
            if (::write(to, &delivery, sizeof delivery) != sizeof delivery) ::_exit(1);
        };
        try {
            auto store = EventStore::open(name);
            auto subscription = store.subscribe();
            send({});
            while (const Event* event = subscription.next()) send({event->position.value(), ticks()});
        } catch (const std::exception&) {
            // The parent sees the pipe end, and says so.
        }
        ::_exit(1);
    }

    pid_t child_ = -1;
    int from_ = -1;
};

Runner delivery_to_another_process(Context& context) {
    return [&context] {
        const auto folder = context.new_folder();
        // Started before this process opens the store: a fork carries no thread over, and no connection may be.
        const SubscriberProcess subscriber{*folder / "log.stele"};
        auto store = EventStore::open(*folder / "log.stele");
        return median_and_tail(latencies(context, store, [&] { return subscriber.next(); }));
    };
}

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The share of a core that a store takes while a subscription of it waits and nothing happens.
Runner idle_store(Context& context) {
    return [&context] {
        const auto folder = context.new_folder();
        auto store = EventStore::open(*folder / "log.stele");
        const Payloads payloads{1};
        store.append(payloads.streams()[0], expect::none, {payloads.event(0).event});
        auto subscription = store.subscribe();
        std::binary_semaphore caught_up{0};
        std::jthread subscriber{[&](const std::stop_token& stop) {
            while (subscription.next(stop) != nullptr) caught_up.release();
        }};
        caught_up.acquire();
        context.compared(1);

        const auto start = Clock::now();
        const auto before = cpu_seconds();
        std::this_thread::sleep_for(std::chrono::duration<double>{context.sizes().idle_seconds});
        const auto used = cpu_seconds() - before;
        const std::chrono::duration<double> taken = Clock::now() - start;
        return std::vector<Measurement>{{100 * used / taken.count(), {}}};
    };
}

Goal under(double value) { return {Goal::Of::stele, Goal::Sense::under, value}; }

}  // namespace

std::vector<Workload> delivery_workloads() {
    return {
        {.name = "delivery-in-process",
         .about = "from the call of append to a live subscription of the same process",
         .figures = {{.name = "delivery-in-process-p50", .unit = "ms", .against = ""},
                     {.name = "delivery-in-process-p99", .unit = "ms", .against = "", .goal = under(1)}},
         .prepare = delivery_in_process,
         .repeats = false},
        {.name = "delivery-other-process",
         .about = "from the call of append to a live subscription of another process",
         .figures = {{.name = "delivery-other-process-p50", .unit = "ms", .against = ""},
                     {.name = "delivery-other-process-p99", .unit = "ms", .against = "", .goal = under(10)}},
         .prepare = delivery_to_another_process,
         .repeats = false},
        {.name = "idle",
         .about = "processor time of a store with a subscription that waits",
         .figures = {{.name = "idle", .unit = "% of a core", .against = "", .goal = under(1)}},
         .prepare = idle_store,
         .repeats = false},
    };
}

}  // namespace stele::bench
