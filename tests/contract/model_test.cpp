// Goal:   over any history of appends, reads and reopenings the store answers as the model does (model.hpp).
// Method: random histories of a few streams, types, tags and sources, so that everything meets everything; each
//         answer is compared as it comes, and everything there is at the end. The seed is printed.
#include "model.hpp"
#include "contract.hpp"

#include <stele/test/random.hpp>

#include <atomic>
#include <iostream>

using namespace stele;
using test::Contract;

namespace {

const std::vector<StreamId> streams{{"Site", "1"},          {"Site", "2"},          {"acme", "Site", "1"},
                                    {"acme", "Order", "1"}, {"beta", "Order", "1"}, {"Order", "a/b:c"}};
const std::vector<std::string> type_names{"Created", "Changed", "created", "Closed", "Никогда"};
const std::vector<std::string> tag_names{"a", "b", "a:b", "ä", "q\"uote", "rare"};
const std::vector<std::string> correlations{"c-1", "c-2"};
const std::vector<std::string> sources{"feed", "other feed"};

std::vector<std::string> some(test::Random& random, const std::vector<std::string>& from, std::size_t one_in) {
    std::vector<std::string> taken;
    for (const std::string& one : from) {
        if (random.one_in(one_in)) taken.push_back(one);
    }
    return taken;
}

/// A history of one store and one model, side by side.
class History {
public:
    History(const Contract& contract, std::uint64_t seed)
        : contract_(contract), random_(seed), first_(open()), second_(open()) {}

    void step() {
        time_ += random_.between(-2'000'000, 3'000'000);
        switch (random_.below(12)) {
            case 0:
                return compare(random_read());
            case 1:
                return compare(random_read());
            case 2:
                return compare_lookups();
            case 3:
                return append(repetition());
            case 4:
                if (random_.one_in(5)) handle() = open();
                return;
            default:
                return append(random_append());
        }
    }

    void compare_everything() {
        for (const bool backward : {false, true}) compare(all().backward(backward));
        for (const StreamId& stream : streams) compare(stele::stream(stream));
        compare_lookups();
        std::vector<StreamInfo> found;
        handle().streams([&](const StreamInfo& info) {
            found.push_back(info);
            return true;
        });
        const auto expected = model_.streams();
        REQUIRE(found.size() == expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
            CHECK(found[i].stream == expected[i].stream);
            CHECK(found[i].version == expected[i].version);
            CHECK(found[i].first_position == expected[i].first_position);
            CHECK(found[i].last_position == expected[i].last_position);
            CHECK(found[i].last_recorded_at == expected[i].last_recorded_at);
        }
        const auto types = handle().types();
        const auto expected_types = model_.types();
        REQUIRE(types.size() == expected_types.size());
        for (std::size_t i = 0; i < types.size(); ++i) {
            CHECK(types[i].type == expected_types[i].type);
            CHECK(types[i].count == expected_types[i].count);
            CHECK(types[i].first_position == expected_types[i].first_position);
            CHECK(types[i].last_position == expected_types[i].last_position);
        }
    }

    [[nodiscard]] std::size_t events() const { return model_.log().size(); }

private:
    [[nodiscard]] EventStore open() {
        Options options;
        options.durability = Durability::relaxed;
        options.clock = [this] { return clock(); };
        return contract_.open(options);
    }
    [[nodiscard]] EventStore& handle() { return random_.one_in(3) ? second_ : first_; }
    [[nodiscard]] Timestamp clock() const { return Timestamp{std::chrono::microseconds{time_}}; }
    [[nodiscard]] Timestamp some_time() {
        if (!model_.log().empty() && random_.one_in(2)) return random_.one_of(model_.log()).recorded_at;
        return clock() + std::chrono::microseconds{random_.between(-50'000'000, 1'000'000)};
    }
    [[nodiscard]] Position some_position() { return Position{random_.between(0, model_.head().value() + 2)}; }

    [[nodiscard]] NewEvent random_event() {
        NewEvent event = stele::event(random_.one_of(type_names), random_.between(0, 1'000));
        event.tags = some(random_, tag_names, 4);
        if (random_.one_in(3)) event.correlation(random_.one_of(correlations));
        if (random_.one_in(4)) event.at(clock() - std::chrono::hours{random_.between(0, 1'000)});
        if (random_.one_in(4)) event.schema(static_cast<int>(random_.between(1, 5)));
        if (random_.one_in(5)) event.id = random_id();
        return event;
    }
    /// Of version 4: in no order.
    [[nodiscard]] EventId random_id() {
        std::array<unsigned char, 16> bytes{};
        for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random_.below(256));
        return EventId::from_bytes(bytes);
    }

    [[nodiscard]] QueryItem random_item() {
        QueryItem item;
        if (random_.one_in(2)) item.types = some(random_, type_names, 3);
        if (random_.one_in(2)) item.tags = some(random_, tag_names, 4);
        if (random_.one_in(6)) item.stream = random_.one_of(streams);
        if (random_.one_in(6)) item.aggregate_type = random_.one_in(2) ? "Site" : "Order";
        if (random_.one_in(6)) item.tenant = random_.one_in(2) ? "acme" : "";
        if (item.asks_for_nothing()) item.types = {random_.one_of(type_names)};
        return item;
    }
    [[nodiscard]] Query random_query() {
        if (random_.one_in(8)) return Query{};
        std::vector<QueryItem> items;
        for (auto n = random_.between(1, 3); n > 0; --n) items.push_back(random_item());
        return Query{std::move(items)};
    }

    [[nodiscard]] ExpectedVersion random_expectation(const StreamId& stream) {
        const auto at = model_.version(stream);
        switch (random_.below(8)) {
            case 0:
                return expect::none;
            case 1:
                return expect::exists;
            case 2:
                return expect::exactly(random_.between(0, 5));
            case 3:
                return at ? expect::exactly(*at) : expect::none;
            default:
                return expect::any;
        }
    }

    [[nodiscard]] Append random_append() {
        Append append;
        std::vector<StreamId> named;
        for (auto parts = random_.one_in(3) ? random_.between(2, 4) : 1; parts > 0; --parts) {
            const StreamId& stream = random_.one_of(streams);
            const bool again = std::find(named.begin(), named.end(), stream) != named.end();
            named.push_back(stream);
            std::vector<NewEvent> events;
            for (auto n = random_.between(1, 4); n > 0; --n) events.push_back(random_event());
            append.to(stream, again ? expect::any : random_expectation(stream), std::move(events));
        }
        while (random_.one_in(3)) {
            const Position after = random_.one_in(3) ? some_position() : model_.head().previous();
            append.unless(Condition{random_query(), std::max(after, Position{0})});
        }
        if (random_.one_in(6)) {
            const std::string& source = random_.one_of(sources);
            const auto before = model_.tracked(source).value_or(Tracking{}).position;
            append.tracking(source, std::max<std::int64_t>(1, before + random_.between(-1, 3)), "n" + source);
        }
        return append;
    }

    /// An append that was taken before: as it was, or changed in a way that must be found out.
    [[nodiscard]] Append repetition() {
        if (model_.taken().empty()) return random_append();
        const Append& before = random_.one_of(model_.taken()).append;
        const auto change = random_.below(5);
        Append again;
        for (std::size_t p = 0; p < before.parts().size(); ++p) {
            auto part = before.parts()[p];
            if (p == 0 && change == 1) part.events.push_back(random_event());
            if (p == 0 && change == 2) part.events.insert(part.events.begin(), random_event());
            if (p == 0 && change == 3) part.events.front().with_metadata("changed", true);
            again.to(part.stream, part.expected, part.events);
        }
        for (const Condition& condition : before.conditions()) again.unless(condition);
        if (const auto& tracking = before.tracking()) again.tracking(tracking->source, tracking->position);
        return again;
    }

    void append(const Append& append) {
        const auto expected = model_.append(append, clock());
        std::string found;
        try {
            const AppendResult result =
                random_.one_in(6) ? handle().append_async(append).get() : handle().try_append(append);
            found = Catch::Detail::stringify(result);
        } catch (const IdConflict&) {
            found = "IdConflict";
        }
        std::vector<std::string> right;
        if (expected.id_clash) right.emplace_back("IdConflict");
        for (const AppendResult& one : expected.any_of) right.push_back(Catch::Detail::stringify(one));
        if (std::find(right.begin(), right.end(), found) == right.end()) {
            CAPTURE(found, right);
            FAIL_CHECK("the store answers otherwise than the model");
        }
    }

    [[nodiscard]] Read random_read() {
        const bool of_stream = random_.one_in(4);
        Read read = of_stream ? stele::stream(random_.one_of(streams)) : Read{random_query()};
        if (of_stream && random_.one_in(2)) read.from(Version{random_.between(0, 30)});
        if (of_stream && random_.one_in(3)) read.until(Version{random_.between(0, 60)});
        if (random_.one_in(3)) read.after(some_position());
        if (random_.one_in(4)) read.until(some_position());
        if (random_.one_in(4)) read.since(some_time());
        if (random_.one_in(4)) read.until(some_time());
        if (random_.one_in(6)) read.correlation(random_.one_of(correlations));
        if (random_.one_in(3)) read.limit(random_.below(20));
        return read.backward(random_.one_in(2));
    }

    void compare(const Read& read) {
        const auto found = test::events_in(handle(), read);
        const auto expected = model_.read(read);
        if (found != expected) CHECK(found == expected);
    }

    void compare_lookups() {
        EventStore& store = handle();
        CHECK(store.head() == model_.head());
        const Position position = some_position();
        const auto index = static_cast<std::size_t>(position.value()) - 1;
        const auto there = index < model_.log().size() ? std::optional{model_.log()[index]} : std::nullopt;
        CHECK(store.at(position) == there);
        if (there) CHECK(store.find(there->id) == there);
        const StreamId& stream = random_.one_of(streams);
        CHECK(store.version(stream) == model_.version(stream));
        const Timestamp time = some_time();
        CHECK(store.position_at(time) == model_.position_at(time));
        for (const std::string& source : sources) CHECK(store.tracked(source) == model_.tracked(source));
    }

    const Contract& contract_;
    test::Random random_;
    std::int64_t time_ = 1'700'000'000'000'000;
    test::Model model_;
    EventStore first_;
    EventStore second_;
};

}  // namespace

TEST_CASE_METHOD(Contract, "over random histories the store answers as a list of events does",
                 "[contract][model]") {
    const test::Random random;
    std::clog << "seed " << random.seed() << " (STELE_TEST_SEED=" << random.seed() << " repeats this run)\n";
    CAPTURE(random.seed());
    History history{*this, random.seed()};
    for (int step = 0; step < 1'500; ++step) {
        CAPTURE(step);
        history.step();
    }
    history.compare_everything();
    CHECK(backend().damage() == std::vector<std::string>{});
    CHECK(history.events() > 300);
}
