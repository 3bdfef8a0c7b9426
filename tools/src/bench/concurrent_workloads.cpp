// What many callers' appends cost: they share commits.
#include "both_sides.hpp"

#include <atomic>
#include <barrier>
#include <exception>
#include <mutex>
#include <thread>

namespace stele::bench {
namespace {

// Threads that do a piece of work together whenever they are told to. Their start is not part of the time.
class Crowd {
public:
    // Calls `work(thread, turn)` in every thread, at each turn.
    Crowd(std::size_t threads, std::size_t turn_count, std::function<void(std::size_t, std::size_t)> work)
        : gate_(static_cast<std::ptrdiff_t>(threads) + 1), work_(std::move(work)) {
        for (std::size_t thread = 0; thread < threads; ++thread) {
            threads_.emplace_back([this, thread, turn_count] {
                for (std::size_t turn = 0; turn < turn_count; ++turn) {
                    gate_.arrive_and_wait();
                    if (given_up_) return;
                    work_in(thread, turn);
                    gate_.arrive_and_wait();
                }
            });
        }
    }

    // Threads that wait for another turn end without it.
    ~Crowd() {
        given_up_ = true;
        gate_.arrive_and_drop();
    }
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    // Returns when all threads are done with their next turn; throws what the first one that failed threw.
    void take_turn() {
        gate_.arrive_and_wait();
        gate_.arrive_and_wait();
        if (failure_) std::rethrow_exception(failure_);
    }

private:
    void work_in(std::size_t thread, std::size_t turn) noexcept {
        try {
            work_(thread, turn);
        } catch (...) {
            const std::lock_guard lock{mutex_};
            if (!failure_) failure_ = std::current_exception();
        }
    }

    std::barrier<> gate_;
    std::function<void(std::size_t, std::size_t)> work_;
    std::mutex mutex_;
    std::exception_ptr failure_;
    std::atomic<bool> given_up_ = false;
    std::vector<std::jthread> threads_;
};

constexpr std::size_t crowd_turns = 4;

// The part of `piece` that belongs to one thread of several: every so many-th event.
template <class Work>
void for_each_of(std::span<const PlannedEvent> piece, std::size_t thread, std::size_t threads, Work&& work) {
    for (auto i = thread; i < piece.size(); i += threads) work(piece[i]);
}

// 64 threads, one event an append, each to a drawn stream; and beside it what it is measured against: the same
// events in commits of 64 by one bare writer, and one caller alone.
Runner crowd_appends(Context& context) {
    auto payloads = std::make_shared<const Payloads>(context.sizes().streams);
    return [&context, payloads] {
        const auto threads = context.sizes().threads;
        const auto& streams = payloads->streams();
        BothSides sides{context, *payloads, Durability::full};
        BothSides alone{context, *payloads, Durability::full};
        const auto events =
            payloads->events(streams.size(), threads * std::max(context.sizes().appends_per_thread, crowd_turns));
        const auto fewer = payloads->events(streams.size() + events.size(), events.size() / 16);
        const auto pieces = in_turns(events, crowd_turns);
        const auto small_pieces = in_turns(fewer, crowd_turns);

        const auto append = [&](EventStore& store, const PlannedEvent& planned) {
            store.append(streams[planned.stream], expect::any, std::span{&planned.event, 1});
        };
        Crowd crowd{threads, crowd_turns, [&](std::size_t thread, std::size_t turn) {
                        for_each_of(pieces[turn], thread, threads,
                                    [&](const PlannedEvent& planned) { append(sides.store, planned); });
                    }};

        Stopwatch together;
        Stopwatch bare;
        Stopwatch one_caller;
        for (std::size_t turn = 0; turn < crowd_turns; ++turn) {
            together.time([&] { crowd.take_turn(); });
            bare.time([&] {
                for (auto rest = pieces[turn]; !rest.empty();) {
                    const auto group = rest.first(std::min(threads, rest.size()));
                    sides.bare.begin();
                    for (const auto& planned : group) sides.bare.insert(planned, now());
                    sides.bare.commit();
                    rest = rest.subspan(group.size());
                }
            });
            one_caller.time([&] {
                for (const auto& planned : small_pieces[turn]) append(alone.store, planned);
            });
        }
        sides.require_same_rows(context, Order::any);

        const auto count = static_cast<double>(events.size());
        const auto rate = count / together.seconds();
        return std::vector<Measurement>{{rate, count / bare.seconds()},
                                        {rate, static_cast<double>(fewer.size()) / one_caller.seconds()}};
    };
}

// The store that conditions are checked in: each of its events has a tag of its own.
struct TaggedStore {
    static constexpr std::size_t streams = 20'000;

    TaggedStore(const Context& context, std::size_t events)
        : folder(context.new_folder()), payloads(std::min(streams, context.sizes().streams)) {
        store = std::make_unique<EventStore>(
            EventStore::open(*folder / "log.stele", {.durability = Durability::relaxed}));
        while (filled < events)
            fill(*store, payloads, tagged_events(std::min<std::size_t>(10'000, events - filled)));
        store.reset();
        store = std::make_unique<EventStore>(EventStore::open(*folder / "log.stele"));
    }

    static std::string tag(std::uint64_t number) { return "seat:" + std::to_string(mixed(number)); }

    std::vector<PlannedEvent> tagged_events(std::size_t count) {
        auto events = payloads.events(filled, count);
        for (auto& planned : events) planned.event.tags = {tag(filled++)};
        return events;
    }

    std::shared_ptr<const std::filesystem::path> folder;
    Payloads payloads;
    std::unique_ptr<EventStore> store;
    std::uint64_t filled = 0;  // how many events were made for this store, so that none comes twice
};

// 64 threads whose every append depends on its own tag being new, and the same without the condition.
Runner conditioned_appends(Context& context) {
    auto tagged = std::make_shared<TaggedStore>(context, context.sizes().log_events);
    return [&context, tagged] {
        const auto threads = context.sizes().threads;
        const auto& streams = tagged->payloads.streams();
        const auto head = tagged->store->head();
        const auto count = threads * std::max(context.sizes().appends_per_thread, crowd_turns);
        const auto events = tagged->tagged_events(2 * count);
        const auto pieces = in_turns(events, 2 * crowd_turns);

        const auto conditioned = [&](const PlannedEvent& planned) {
            tagged->store->append(Append{}
                                      .to(streams[planned.stream], expect::any, {planned.event})
                                      .unless(matching(tags(planned.event.tags.front()))));
        };
        const auto unconditioned = [&](const PlannedEvent& planned) {
            tagged->store->append(Append{}.to(streams[planned.stream], expect::any, {planned.event}));
        };
        Crowd crowd{threads, 2 * crowd_turns, [&](std::size_t thread, std::size_t turn) {
                        if (turn % 2 == 0)
                            for_each_of(pieces[turn], thread, threads, conditioned);
                        else
                            for_each_of(pieces[turn], thread, threads, unconditioned);
                    }};

        Stopwatch with;
        Stopwatch without;
        for (std::size_t turn = 0; turn < crowd_turns; ++turn) {
            with.time([&] { crowd.take_turn(); });
            without.time([&] { crowd.take_turn(); });
        }

        const auto grown = tagged->store->head().value() - head.value();
        if (grown != static_cast<std::int64_t>(events.size()))
            throw BenchError("conditioned appends: " + std::to_string(events.size()) +
                             " events were appended, the log grew by " + std::to_string(grown));
        context.compared(events.size());
        return std::vector{rates(static_cast<double>(count), with, without)};
    };
}

}  // namespace

std::vector<Workload> concurrent_workloads() {
    return {
        {.name = "append-64-threads",
         .about = "64 threads, one event an append, durability full",
         .figures = {{.name = "append-64-threads",
                      .unit = "events/s",
                      .against = "bare SQLite, 64 events a commit",
                      .goal = Goal{.value = 0.8}},
                     {.name = "append-64-threads-to-one",
                      .unit = "events/s",
                      .against = "one caller of the store",
                      .goal = Goal{.value = 7}}},
         .prepare = crowd_appends},
        {.name = "append-conditioned",
         .about = "64 threads, each append on condition that its own tag is new, in a large store",
         .figures = {{.name = "append-conditioned",
                      .unit = "events/s",
                      .against = "the same without condition",
                      .goal = Goal{.value = 0.7}}},
         .prepare = conditioned_appends},
    };
}

}  // namespace stele::bench
