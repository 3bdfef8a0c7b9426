// What one caller's appends cost.
#include "both_sides.hpp"

namespace stele::bench {
namespace {

// One event a commit, each to a drawn stream.
Runner one_by_one(Context& context, Durability durability, std::size_t appends) {
    auto payloads = std::make_shared<const Payloads>(context.sizes().streams);
    return [&context, payloads, durability, appends] {
        BothSides sides{context, *payloads, durability};
        const auto events = payloads->events(payloads->streams().size(), appends);
        const auto& streams = payloads->streams();

        Stopwatch stele;
        Stopwatch bare;
        for (const auto piece : in_turns(events)) {
            stele.time([&] {
                for (const auto& planned : piece)
                    sides.store.append(streams[planned.stream], expect::any, std::span{&planned.event, 1});
            });
            bare.time([&] {
                for (const auto& planned : piece) {
                    sides.bare.begin();
                    sides.bare.insert(planned, now());
                    sides.bare.commit();
                }
            });
        }
        sides.require_same_rows(context);
        return std::vector{rates(static_cast<double>(appends), stele, bare)};
    };
}

// A hundred events to one stream in one commit, each time another one.
Runner by_the_hundred(Context& context) {
    static constexpr std::size_t batch_events = 100;
    struct Batch {
        std::size_t stream;
        std::vector<NewEvent> events;       // as a store takes them
        std::vector<PlannedEvent> planned;  // the same, as the bare side does
    };
    auto payloads = std::make_shared<const Payloads>(context.sizes().streams);
    return [&context, payloads] {
        BothSides sides{context, *payloads, Durability::full};
        std::vector<Batch> batches(context.sizes().batches);
        auto number = payloads->streams().size();
        for (auto& batch : batches) {
            batch.stream = mixed(number) % payloads->streams().size();
            for (std::size_t i = 0; i < batch_events; ++i) {
                batch.planned.push_back(payloads->event(number++, batch.stream));
                batch.events.push_back(batch.planned.back().event);
            }
        }

        Stopwatch stele;
        Stopwatch bare;
        for (const auto piece : in_turns(batches)) {
            stele.time([&] {
                for (const auto& batch : piece)
                    sides.store.append(payloads->streams()[batch.stream], expect::any, batch.events);
            });
            bare.time([&] {
                for (const auto& batch : piece) {
                    const auto time = now();
                    sides.bare.begin();
                    for (const auto& planned : batch.planned) sides.bare.insert(planned, time);
                    sides.bare.commit();
                }
            });
        }
        sides.require_same_rows(context);
        return std::vector{rates(static_cast<double>(batches.size() * batch_events), stele, bare)};
    };
}

}  // namespace

std::vector<Workload> append_workloads() {
    return {
        {.name = "append-one-full",
         .about = "one caller, one event a commit, durability full",
         .figures = {{.name = "append-one-full", .unit = "events/s", .goal = Goal{.value = 0.90}}},
         .prepare =
             [](Context& context) { return one_by_one(context, Durability::full, context.sizes().appends_full); }},
        {.name = "append-one-relaxed",
         .about = "one caller, one event a commit, durability relaxed",
         .figures = {{.name = "append-one-relaxed", .unit = "events/s", .goal = Goal{.value = 0.75}}},
         .prepare =
             [](Context& context) {
                 return one_by_one(context, Durability::relaxed, context.sizes().appends_relaxed);
             }},
        {.name = "append-hundred-full",
         .about = "one caller, a hundred events a commit, durability full",
         .figures = {{.name = "append-hundred-full", .unit = "events/s", .goal = Goal{.value = 0.75}}},
         .prepare = by_the_hundred},
    };
}

}  // namespace stele::bench
