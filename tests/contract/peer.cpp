// Another process on the same store, told what to do by its arguments:
//
//   peer STORE each                     appends one event for each line "STREAM TYPE [ID]" that it reads; prints
//                                       its position
//   peer STORE exactly STREAM N         appends N events to STREAM, each at exactly the version that it read
//   before,
//                                       again after a conflict; prints the number of conflicts
//   peer STORE storm SEED N             makes N appends of one to four events to streams of its own, some refused;
//                                       prints the number of events that were appended
//   peer STORE race BARRIER ROUNDS      in each round meets the others at the barrier, then appends unless round r
//                                       is taken; prints a line "won R" for each that it won
//   peer STORE follow AFTER N           prints "ready", then position and type of N events, as they come
//
// Exit status 0 when done; 1 with a message when anything failed.
#include "shared_barrier.hpp"

#include <stele/store/event_store.hpp>
#include <stele/test/random.hpp>

#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace stele;

void append_each(EventStore& store) {
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words{line};
        std::string stream, type, id;
        words >> stream >> type >> id;
        NewEvent one = event(type);
        if (!id.empty()) one.id = EventId::parse(id);
        const Appended appended = store.append(StreamId::parse(stream), expect::any, {one});
        std::cout << appended.last_position << std::endl;
    }
}

void append_exactly(EventStore& store, const StreamId& stream, int count) {
    int conflicts = 0;
    for (int done = 0; done < count;) {
        const std::optional<Version> at = store.version(stream);
        const auto expected = at ? expect::exactly(*at) : expect::none;
        const AppendResult result = store.try_append(stream, expected, {event("Counted")});
        if (std::holds_alternative<Appended>(result))
            ++done;
        else
            ++conflicts;
    }
    std::cout << conflicts << std::endl;
}

void storm(EventStore& store, std::uint64_t seed, int count) {
    test::Random random{seed};
    std::int64_t appended = 0;
    for (int i = 0; i < count; ++i) {
        const StreamId stream{"Storm", std::to_string(seed) + "-" + std::to_string(random.below(3))};
        std::vector<NewEvent> events;
        for (auto n = random.between(1, 4); n > 0; --n) events.push_back(event("Blown"));
        // One in three is refused, at a time when it has taken its place in the queue and the lock.
        const auto expected = random.one_in(3) ? expect::exactly(1'000'000) : expect::any;
        const AppendResult result = store.try_append(stream, expected, events);
        if (std::holds_alternative<Appended>(result)) appended += static_cast<std::int64_t>(events.size());
    }
    std::cout << appended << std::endl;
}

void race(EventStore& store, const std::string& barrier, int rounds) {
    test::SharedBarrier start{barrier};
    for (int round = 0; round < rounds; ++round) {
        const std::string seat = "seat:" + std::to_string(round);
        const auto attempt = Append{}
                                 .to(StreamId{"Guest", EventId::generate().to_string()}, expect::any,
                                     {event("SeatReserved").tag(seat)})
                                 .unless(matching(types("SeatReserved"), tags(seat)));
        start.wait();
        if (std::holds_alternative<Appended>(store.try_append(attempt))) std::cout << "won " << round << std::endl;
    }
}

void follow(EventStore& store, Position after, int count) {
    Subscription subscription = store.subscribe({}, after);
    std::cout << "ready" << std::endl;
    for (int i = 0; i < count; ++i) {
        const Event* next = subscription.next();
        std::cout << next->position << ' ' << next->type << std::endl;
    }
}

int run(const std::vector<std::string>& words) {
    Options options;
    options.mode = OpenMode::existing;
    options.durability = Durability::relaxed;
    options.deadline = std::chrono::minutes{2};
    EventStore store = EventStore::open(words.at(1), options);

    const std::string& task = words.at(2);
    if (task == "each")
        append_each(store);
    else if (task == "exactly")
        append_exactly(store, StreamId::parse(words.at(3)), std::stoi(words.at(4)));
    else if (task == "storm")
        storm(store, std::stoull(words.at(3)), std::stoi(words.at(4)));
    else if (task == "race")
        race(store, words.at(3), std::stoi(words.at(4)));
    else if (task == "follow")
        follow(store, Position{std::stoll(words.at(3))}, std::stoi(words.at(4)));
    else
        throw std::invalid_argument("no such task: " + task);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv, argv + argc});
    } catch (const std::exception& error) {
        std::cerr << "peer: " << error.what() << std::endl;
        return 1;
    }
}
