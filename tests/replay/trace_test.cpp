// trace: the tree of causes and effects, also where it is none.

#include <stele/replay/trace.hpp>
#include <stele/schema/causation.hpp>
#include <stele/schema/event_types.hpp>
#include <stele/test/store.hpp>

#include <functional>

using nlohmann::json;
using namespace stele;

namespace {

const StreamId order{"Order", "7"};
const StreamId mail{"Mail", "7"};

std::int64_t append(EventStore& store, NewEvent made, const StreamId& stream = order) {
    return store.append(stream, expect::any, {std::move(made)}).last_position.value();
}

std::string id_at(const EventStore& store, std::int64_t position) {
    return store.at(Position{position})->id.to_string();
}

// `1 .2 ..3`: positions, a dot for each level.
std::string tree(const Trace& trace) {
    std::string text;
    for (const auto& node : trace.nodes)
        text += (text.empty() ? "" : " ") + std::string(static_cast<std::size_t>(node.depth), '.') +
                std::to_string(node.event.position.value());
    return text;
}

std::string tree(const EventStore& store, const std::string& start, const TraceOptions& options = {}) {
    return tree(trace(store, parse_trace_start(start), options));
}

// As a handler does: each effect in the scope of its cause.
void handle(EventStore& store, std::int64_t cause, const std::function<void()>& effects) {
    const auto event = *store.at(Position{cause});
    const CausationScope scope{event};
    effects();
}

// 1 and what came of it, between others: 1 → 3, 5; 3 → 6; 5 → 7, 8.
EventStore a_store() {
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    append(store, event("Placed"));
    append(store, event("Other"), {"Other", "1"});
    handle(store, 1, [&] { append(store, event("BillRequested")); });
    append(store, event("Other").correlation("another"), {"Other", "1"});
    handle(store, 1, [&] { append(store, event("MailRequested"), mail); });
    handle(store, 3, [&] { append(store, event("Billed")); });
    handle(store, 5, [&] { append(store, event("Sent"), mail); });
    handle(store, 5, [&] { append(store, event("Told")); });
    append(store, event("Other"), {"Other", "1"});
    return store;
}

}  // namespace

TEST_CASE("from any event of it, trace gives the whole tree", "[replay][trace]") {
    const auto store = a_store();
    for (const int position : {1, 3, 5, 6, 7, 8}) {
        CAPTURE(position);
        CHECK(tree(store, std::to_string(position)) == "1 .3 ..6 .5 ..7 ..8");
        CHECK(tree(store, id_at(store, position)) == "1 .3 ..6 .5 ..7 ..8");
    }
    const auto found = trace(store, Position{5});
    CHECK(found.correlation_id == id_at(store, 1));
    REQUIRE(found.asked);
    const auto& asked = found.nodes[*found.asked];
    CHECK(asked.event.position == Position{5});
    CHECK(asked.causation_id == id_at(store, 1));
    CHECK(asked.parent == 0U);
    CHECK(tree(store, "2") == "2");
}

TEST_CASE("where the correlation_id is the first cause's id, nothing before it is read", "[replay][trace]") {
    auto store = a_store();
    const auto first = append(store, event("Placed"));
    handle(store, first, [&] { append(store, event("Billed")); });
    const auto found = trace(store, Position{first + 1});
    CHECK(tree(found) == "10 .11");
    CHECK(found.looked_at == 2);
}

TEST_CASE("a correlation_id of the caller's own gathers what has it", "[replay][trace]") {
    auto store = EventStore::temporary();
    append(store, event("A").correlation("request \"1\""));
    append(store, event("B").correlation("request \"1\""));
    handle(store, 2, [&] { append(store, event("C")); });
    append(store, event("D").correlation("request 2"));
    CHECK(tree(store, "request \"1\"") == "1 2 .3");
    CHECK(tree(store, "3") == "1 2 .3");
    CHECK(tree(store, "request 2") == "4");
    CHECK_THROWS_AS(tree(store, "request 3"), NotFound);
    CHECK_THROWS_AS(tree(store, "5"), NotFound);
    CHECK_THROWS_AS(trace(store, EventId::generate()), NotFound);
}

TEST_CASE("a number is a correlation_id where that is asked for", "[replay][trace]") {
    auto store = EventStore::temporary();
    append(store, event("A"));
    append(store, event("B").correlation("1"));
    CHECK(tree(store, "1") == "1");
    CHECK(tree(trace(store, CorrelationId{"1"})) == "2");
}

TEST_CASE("a cause that is no event is said to be missing", "[replay][trace]") {
    auto store = EventStore::temporary();
    append(store, event("A").caused_by("command-9"));
    append(store, event("B").caused_by(EventId::generate().to_string()));
    append(store, event("C"));
    CHECK(trace(store, Position{1}).nodes.front().cause_is_missing);
    CHECK(trace(store, Position{2}).nodes.front().cause_is_missing);
    CHECK_FALSE(trace(store, Position{3}).nodes.front().cause_is_missing);
}

TEST_CASE("causes and effects without a correlation_id, or with another one, belong to the tree",
          "[replay][trace]") {
    auto store = EventStore::temporary();
    append(store, event("A").correlation("night"));
    append(store, event("B").caused_by(id_at(store, 1)));
    append(store, event("C").caused_by(id_at(store, 2)).correlation("day"));
    append(store, event("D").correlation("day"));
    CHECK(tree(store, "3") == "1 .2 ..3 4");
    CHECK(tree(store, "1") == "1 .2 ..3");
    CHECK(tree(store, "day") == "1 .2 ..3 4");
    CHECK(tree(store, "2") == "1 .2 ..3");
}

TEST_CASE("an id in capital letters is the same id", "[replay][trace]") {
    auto store = EventStore::temporary();
    append(store, event("A"));
    auto id = id_at(store, 1);
    for (auto& c : id) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    append(store, event("B").caused_by(id));
    CHECK(tree(store, "1") == "1 .2");
}

TEST_CASE("events that caused one another in a circle are shown once each", "[replay][trace]") {
    auto store = EventStore::temporary();
    auto a = event("A");
    auto b = event("B");
    auto c = event("C");
    a.caused_by(c.id.to_string()).correlation("round");
    b.caused_by(a.id.to_string()).correlation("round");
    c.caused_by(b.id.to_string()).correlation("round");
    auto itself = event("Itself");
    itself.caused_by(itself.id.to_string());
    for (const auto& one : {b, c, a, itself}) append(store, one);
    for (const char* start : {"1", "2", "3", "round"}) {
        const auto found = trace(store, parse_trace_start(start));
        CHECK(tree(found) == "1 .2 ..3");
        CHECK(found.nodes.front().closes_a_cycle);
        CHECK_FALSE(found.nodes.back().closes_a_cycle);
    }
    CHECK(tree(store, "4") == "4");
    CHECK(trace(store, Position{4}).nodes.front().closes_a_cycle);
}

TEST_CASE("a chain of many thousand causes is no deeper than memory", "[replay][trace]") {
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    constexpr int length = 20'000;
    std::vector<NewEvent> chain;
    for (int n = 0; n < length; ++n) {
        auto next = event("Next").correlation("chain");
        if (!chain.empty()) next.caused_by(chain.back().id.to_string());
        chain.push_back(std::move(next));
    }
    store.append(order, expect::any, chain);
    const auto found = trace(store, Position{length});
    REQUIRE(found.nodes.size() == length);
    CHECK(found.nodes.back().depth == length - 1);
    CHECK(found.asked == static_cast<std::size_t>(length - 1));
}

TEST_CASE("bounds of a trace bound what is read and what is found", "[replay][trace]") {
    const auto store = a_store();
    CHECK(tree(store, "1", {.until = Position{6}}) == "1 .3 ..6 .5");
    CHECK(tree(store, "8", {.after = Position{6}}) == "1 .5 ..7 ..8");
    const auto cut = trace(store, Position{1}, {.most_events = 3});
    CHECK(cut.nodes.size() == 3);
    CHECK(cut.is_cut);
    CHECK_FALSE(trace(store, Position{1}).is_cut);
}

// What was Billed is Sum and Tax; Noise is nothing; Broken cannot be upcast.
Options with_upcasters() {
    EventTypes types;
    types.upcast_into({"Billed", 1}, {{"Sum", 1}, {"Tax", 1}}, [](const json& data) {
        return std::vector<Upcast>{{{"Sum", 1}, data}, {{"Tax", 1}, data}};
    });
    types.upcast_sql("Noise", 1, "--@ drop", "noise.sql");
    types.upcast("Broken", 1, [](const json&) -> json { throw std::runtime_error{"cannot be"}; });
    Options options;
    options.durability = Durability::relaxed;
    options.event_types = std::make_shared<const EventTypes>(std::move(types));
    return options;
}

TEST_CASE("an event that cannot be upcast stands in the way of its own trace alone", "[replay][trace][upcast]") {
    auto store = EventStore::temporary(with_upcasters());
    append(store, event("Placed").correlation("r"));
    append(store, event("Broken"));
    append(store, event("Shipped").correlation("r"));
    CHECK(tree(store, "r") == "1 3");
    CHECK_THROWS_AS(tree(store, "2"), UpcastError);
    append(store, event("Broken").correlation("r"));
    CHECK_THROWS_AS(tree(store, "r"), UpcastError);
    CHECK(tree(store, "r", {.until = Position{3}}) == "1 3");
}

TEST_CASE("a trace is of events as they are read", "[replay][trace][upcast]") {
    auto store = EventStore::temporary(with_upcasters());
    append(store, event("Placed"));
    handle(store, 1, [&] {
        append(store, event("Billed"));
        append(store, event("Noise"));
    });
    const auto pieces = test::events_in(store, all().after(Position{1}).until(Position{2}));
    REQUIRE(pieces.size() == 2);
    append(store, event("Paid").caused_by(pieces[1].id.to_string()));

    const auto found = trace(store, Position{1});
    CHECK(tree(found) == "1 .2 .2 ..4");
    CHECK(found.nodes[1].event.type == "Sum");
    CHECK(found.nodes[2].event.type == "Tax");
    CHECK(found.nodes[3].parent == 2U);
    append(store, event("Billed"));
    const auto first = test::events_in(store, all().after(Position{4}));
    append(store, event("Paid").caused_by(first.at(1).id.to_string()));
    CHECK(tree(store, "5") == "5 5 .6");
    CHECK(tree(store, "6") == "5 .6");
    try {
        (void)trace(store, Position{3});
        FAIL("a dropped event has a trace");
    } catch (const NotFound& error) {
        CHECK_THAT(error.what(), ContainsSubstring("position 3; upcasters make nothing of what is stored there"));
    }
}

TEST_CASE("a correlation_id that is no UTF-8 is refused", "[replay][trace]") {
    auto store = EventStore::temporary();
    append(store, event("A"));
    CHECK_THROWS_AS(tree(store, "\xff"), InvalidInput);
}
