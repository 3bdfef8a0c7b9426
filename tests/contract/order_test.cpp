// L2, L3 and L4 under storms: what readers see while many write, in threads and in processes.
#include "contract.hpp"

#include <stele/test/random.hpp>

#include <atomic>
#include <functional>
#include <latch>
#include <map>
#include <thread>

using namespace stele;
using test::Contract;

namespace {

Options relaxed() {
    Options options;
    options.durability = Durability::relaxed;
    options.deadline = std::chrono::minutes{2};
    return options;
}

/// Makes appends of one to four events to three streams of its own; a good part of them is refused after it has
/// taken its place in the queue: by expectation, by condition, as a clash of ids. Returns how many events it added.
std::int64_t storm(EventStore& store, std::uint64_t seed, int appends) {
    test::Random random{seed};
    std::int64_t added = 0;
    const NewEvent known = test::event("Known");
    store.append(StreamId{"Storm", std::to_string(seed)}, expect::any, {known});
    ++added;
    for (int i = 0; i < appends; ++i) {
        const StreamId stream{"Storm", std::to_string(seed) + "-" + std::to_string(random.below(3))};
        std::vector<NewEvent> events;
        for (auto n = random.between(1, 4); n > 0; --n) events.push_back(test::event("Blown", {"storm"}));
        Append append;
        switch (random.below(6)) {
            case 0:
                append.to(stream, expect::exactly(1'000'000), events);
                break;
            case 1:
                append.to(stream, expect::any, events).unless(Query{});
                break;
            case 2:
                events.push_back(known);
                append.to(stream, expect::any, events);
                break;
            default:
                append.to(stream, expect::any, events);
        }
        try {
            if (std::holds_alternative<Appended>(store.try_append(append)))
                added += static_cast<std::int64_t>(events.size());
        } catch (const IdConflict&) {
            // One of the refusals that were meant.
        }
    }
    return added;
}

/// What a reader saw that must not be, in words; empty when all was well.
struct Complaints {
    std::vector<std::string> seen;
    void add(const std::string& words) {
        if (seen.size() < 10) seen.push_back(words);
    }
};

/// Follows the log by asking again and again for what is behind the last position (which is how projections do it):
/// each event that comes must be the next one in the log and the next one in its stream.
void poll_forward(const EventStore& store, const std::function<bool()>& over, Complaints& complaints) {
    Position last;
    std::map<std::string, Version> versions;
    for (bool last_look = false;;) {
        for (const Event& event : store.read(all().after(last))) {
            if (event.position != last.next())
                complaints.add("position " + std::to_string(event.position.value()) + " came after " +
                               std::to_string(last.value()));
            last = event.position;
            Version& version = versions[event.stream.name()];
            if (event.version != version.next())
                complaints.add(event.stream.name() + " version " + std::to_string(event.version.value()) +
                               " came after " + std::to_string(version.value()));
            version = event.version;
        }
        if (last_look) break;
        last_look = over();
    }
    if (last != store.head()) complaints.add("the end was not reached");
}

/// Reads the end of the log backward: it must be whole down to a position that was seen before.
void poll_backward(const EventStore& store, const std::function<bool()>& over, Complaints& complaints) {
    Position top;
    while (!over()) {
        std::optional<Position> before;
        Position highest = top;
        for (const Event& event : store.read(all().backward().limit(50))) {
            if (!before) {
                highest = event.position;
                if (event.position < top) complaints.add("the head went back to " + std::to_string(top.value()));
            } else if (event.position != before->previous()) {
                complaints.add("backward, " + std::to_string(event.position.value()) + " came after " +
                               std::to_string(before->value()));
            }
            before = event.position;
        }
        top = highest;
        // Whatever head() says is there can be read, by position too.
        const Position head = store.head();
        if (head < top) complaints.add("head() is behind what was read");
        if (head > Position{0} && !store.at(head)) complaints.add("nothing at the head");
    }
}

}  // namespace

// Traps 1 and 2: a cursor that passes a late commit, and one that waits for ever at a gap that nobody fills.
TEST_CASE_METHOD(Contract, "readers never see a gap nor a late event while threads and processes write",
                 "[contract][L2][L3][process]") {
    auto options = relaxed();
    options.checkpoint_pages = 50;  // so that the WAL is copied, and begun anew, again and again meanwhile
    auto store = open(options);
    auto second_handle = open(options);
    test::Random random;
    constexpr int threads = 6;
    constexpr int processes = 2;

    std::atomic<std::int64_t> added = 0;
    std::atomic<int> writing = threads;
    std::atomic<bool> over = false;
    std::vector<Complaints> complaints(4);

    std::vector<test::Process> peers;
    for (int i = 0; i < processes; ++i) {
        peers.push_back(
            peer({"storm", std::to_string(random.seed() + 100 + static_cast<std::uint64_t>(i)), "300"}));
    }
    {
        std::vector<std::jthread> readers;
        const auto is_over = [&] { return over.load(); };
        readers.emplace_back([&] { poll_forward(store, is_over, complaints[0]); });
        readers.emplace_back([&] { poll_forward(second_handle, is_over, complaints[1]); });
        readers.emplace_back([&] { poll_backward(store, is_over, complaints[2]); });
        readers.emplace_back([&] {  // a subscription is a reader as well
            auto subscription = store.subscribe();
            Position last;
            while (!over || last < store.head()) {
                for (const Event& event : subscription.next_page(std::chrono::milliseconds{20})) {
                    if (event.position != last.next()) complaints[3].add("the subscription skipped or repeated");
                    last = event.position;
                }
            }
        });
        std::vector<std::jthread> writers;
        for (std::uint64_t i = 0; i < threads; ++i) {
            writers.emplace_back([&, i] {
                added += storm(i % 2 == 0 ? store : second_handle, random.seed() + i, 150);
                --writing;
            });
        }
        writers.clear();  // joins
        for (test::Process& process : peers) {
            added += std::stoll(process.read_line().value_or("0"));
            CHECK(process.wait() == 0);
        }
        over = true;
    }
    CAPTURE(random.seed());
    for (const Complaints& of_reader : complaints) CHECK(of_reader.seen == std::vector<std::string>{});
    CHECK(writing == 0);
    CHECK(store.head() == Position{added});
    CHECK(test::positions_in(store) == test::numbers(1, added));
    CHECK(backend().damage() == std::vector<std::string>{});
}

// Trap 1 again, stepped: the writer is held inside of its transaction, after it drew its positions, for as long as
// the readers look.
TEST_CASE_METHOD(Contract, "an append that is held open is seen by nobody, and by everybody once it is over",
                 "[contract][L2][L4]") {
    const StreamId stream{"Order", "order-7"};
    std::latch inside{1};
    std::latch go_on{1};
    std::atomic<bool> step = false;
    Options stepped;
    stepped.clock = [&] {  // the store asks for the time while it appends
        if (step.exchange(false)) {
            inside.count_down();
            go_on.wait();
        }
        return now();
    };
    auto slow = open(stepped);
    auto quick = open();
    test::seed(slow, stream, {"before"});
    auto subscription = quick.subscribe({}, quick.head());

    step = true;
    std::jthread writer{[&] { test::seed(slow, stream, {"late1", "late2"}); }};
    inside.wait();
    std::jthread other{[&] { test::seed(quick, stream, {"other"}); }};
    for (int look = 0; look < 100; ++look) {
        const auto types = test::types_in(quick);
        // The other writer may have gone first, if the slow one had not drawn its positions; never beyond it.
        const bool whole =
            types == std::vector<std::string>{"before"} || types == std::vector<std::string>{"before", "other"};
        CHECK(whole);
        CHECK(test::positions_in(quick) == test::numbers(1, static_cast<std::int64_t>(types.size())));
    }
    go_on.count_down();
    writer.join();
    other.join();

    CHECK(test::positions_in(quick) == test::Numbers{1, 2, 3, 4});
    CHECK(test::positions_in(slow, all().backward()) == test::Numbers{4, 3, 2, 1});
    for (std::int64_t position = 2; position <= 4; ++position) {
        const Event* next = subscription.next();
        REQUIRE(next != nullptr);
        CHECK(next->position == Position{position});
    }
}

// Goal:   an append to several streams is visible whole or not at all (L4), in every kind of look at the store.
// Method: each append writes three events, one in each of three streams, in its own order; so at any moment the log
//         holds a multiple of three, the streams are of one length, and whoever sees one sees its companions.
TEST_CASE_METHOD(Contract, "concurrent readers see an append to several streams whole", "[contract][L4]") {
    auto store = open(relaxed());
    auto second_handle = open(relaxed());
    const std::vector<StreamId> streams{{"Account", "a"}, {"Account", "b"}, {"Account", "c"}};
    constexpr std::int64_t appends = 200;
    std::atomic<bool> over = false;
    std::vector<Complaints> complaints(3);

    const auto look_at_log = [&](const EventStore& from, Complaints& to) {
        Position last;
        do {
            std::int64_t count = 0;
            std::string transfer;
            for (const Event& event : from.read(all().after(last))) {
                const auto of = event.data.text();
                if (count % 3 != 0 && of != transfer) to.add("an append is interrupted by another");
                transfer = of;
                ++count;
                last = event.position;
            }
            if (count % 3 != 0) to.add("the log ends within an append, at " + std::to_string(last.value()));
        } while (!over);
    };
    const auto look_at_streams = [&] {
        do {
            // Looked at one after the other, later ones may be longer, never shorter.
            Version shortest;
            for (const StreamId& stream : streams) {
                const Version version = store.version(stream).value_or(Version{});
                if (version < shortest) complaints[2].add(stream.name() + " lags behind");
                shortest = version;
            }
            if (store.head().value() % 3 != 0) complaints[2].add("the head is within an append");
            const auto info = store.info();
            if (info.head.value() % 3 != 0) complaints[2].add("info().head is within an append");
            if (info.streams % 3 != 0) complaints[2].add("info().streams is within an append");
        } while (!over);
    };
    {
        std::vector<std::jthread> readers;
        readers.emplace_back([&] { look_at_log(store, complaints[0]); });
        readers.emplace_back([&] { look_at_log(second_handle, complaints[1]); });
        readers.emplace_back(look_at_streams);
        std::vector<std::jthread> writers;
        for (std::size_t w = 0; w < 3; ++w) {
            writers.emplace_back([&, w] {
                EventStore& writer = w == 0 ? second_handle : store;
                for (std::int64_t i = 0; i < appends; ++i) {
                    const nlohmann::json data = std::to_string(w) + "/" + std::to_string(i);
                    Append append;
                    for (std::size_t s = 0; s < 3; ++s)
                        append.to(streams[(w + s) % 3], expect::any, {stele::event("Moved", data)});
                    writer.append(append);
                }
            });
        }
        writers.clear();  // joins
        over = true;
    }
    for (const Complaints& of_reader : complaints) CHECK(of_reader.seen == std::vector<std::string>{});
    CHECK(store.head() == Position{appends * 9});
    for (const StreamId& stream : streams)
        CHECK(test::versions_in(store, stele::stream(stream)) == test::numbers(1, appends * 3));
}

// Trap 3: two statements that see two snapshots. What one call returns must be of one moment.
TEST_CASE_METHOD(Contract, "what one call returns is of one moment, while others append", "[contract][L4]") {
    auto store = open(relaxed());
    std::atomic<bool> over = false;
    Complaints complaints;
    {
        std::jthread reader{[&] {
            do {
                // Each append makes one event, of a stream and a type of its own.
                const auto info = store.info();
                if (info.streams != info.head.value() || info.types != info.head.value())
                    complaints.add("info(): " + std::to_string(info.streams) + " streams, " +
                                   std::to_string(info.types) + " types, head " +
                                   std::to_string(info.head.value()));
                for (const Event& event : store.read(all().backward().limit(3))) {
                    const auto expected = std::to_string(event.position.value());
                    if (event.tags != std::vector<std::string>{"tag-" + expected, "second"})
                        complaints.add("tags at " + expected);
                    if (event.type != "Type" + expected) complaints.add("type at " + expected);
                    if (event.stream.aggregate_id() != expected) complaints.add("stream at " + expected);
                }
            } while (!over);
        }};
        for (int i = 1; i <= 400; ++i) {
            const auto name = std::to_string(i);
            store.append(StreamId{"One", name}, expect::none,
                         {test::event("Type" + name, {"tag-" + name, "second"})});
        }
        over = true;
    }
    CHECK(complaints.seen == std::vector<std::string>{});
}
