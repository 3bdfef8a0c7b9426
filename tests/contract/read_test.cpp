// Reads: every combination of bounds, filters, direction and limit, against the model; and page boundaries.
#include "contract.hpp"
#include "model.hpp"

#include <atomic>
#include <functional>

using namespace stele;
using test::Contract;
using test::Numbers;
using test::positions_in;

namespace {

using Narrow = std::function<void(Read&)>;
struct Choice {
    std::string name;
    Narrow narrow;
};

const StreamId short_stream{"acme", "Site", "s-1"};
const StreamId long_stream{"Order", "o-1"};

Timestamp second(std::int64_t n) { return Timestamp{std::chrono::seconds{1'700'000'000 + n}}; }

/// A log with some of everything: tenants, aggregate types, types, tags, correlations, equal times; several pages
/// of it in one stream. Event n is recorded in second n / 10 * 2: ten events share a time, odd seconds have none.
void fill(EventStore& store, test::Model& model, std::atomic<std::int64_t>& time, int events) {
    const std::vector<StreamId> streams{long_stream, short_stream, StreamId{"acme", "Order", "o-1"},
                                        StreamId{"beta", "Site", "s-1"}, StreamId{"Site", "s-1"}};
    for (int n = 0; n < events;) {
        time = second(n / 10 * 2).time_since_epoch().count();
        std::vector<NewEvent> batch;
        const StreamId& stream = n % 100 < 70 ? streams[0] : streams[static_cast<std::size_t>(n / 10) % 5];
        for (int i = 0; i < 10; ++i, ++n) {
            auto event = test::event("Type" + std::to_string(n % 4));
            if (n % 3 == 0) event.tag("third");
            if (n % 7 == 0) event.tag("seventh");
            if (n % 50 == 0) event.tag("rare");
            if (n % 9 == 0) event.correlation("c-" + std::to_string(n % 2));
            batch.push_back(event);
        }
        const auto append = Append{}.to(stream, expect::any, batch);
        store.append(append);
        (void)model.append(append, second((n - 1) / 10 * 2));
    }
}

struct Log {
    std::atomic<std::int64_t> time = 0;
    EventStore store;
    test::Model model;

    Log(const Contract& contract, int events) : store(contract.open(options(time))) {
        fill(store, model, time, events);
    }

    static Options options(std::atomic<std::int64_t>& time) {
        Options options;
        options.durability = Durability::relaxed;
        options.clock = [&time] { return Timestamp{std::chrono::microseconds{time.load()}}; };
        return options;
    }
};

std::vector<Choice> filters() {
    return {
        {"everything", [](Read&) {}},
        {"one type", [](Read& r) { r.types({"Type1"}); }},
        {"two types",
         [](Read& r) {
             r.types({"Type3", "Type1"});
         }},
        {"a tag", [](Read& r) { r.tag("third"); }},
        {"two tags",
         [](Read& r) {
             r.tags({"third", "seventh"});
         }},
        {"type and tag",
         [](Read& r) {
             r.types({"Type0", "Type2"}).tag("seventh");
         }},
        {"a rare tag", [](Read& r) { r.tag("rare"); }},
        {"an unknown type", [](Read& r) { r.types({"Type9"}); }},
        {"an unknown tag", [](Read& r) { r.tag("nobody"); }},
        {"a known and an unknown type",
         [](Read& r) {
             r.types({"Type9", "Type2"});
         }},
        {"aggregate type", [](Read& r) { r.aggregate_type("Site"); }},
        {"aggregate type and tag", [](Read& r) { r.aggregate_type("Order").tag("seventh"); }},
        {"tenant", [](Read& r) { r.tenant("acme"); }},
        {"no tenant", [](Read& r) { r.tenant(""); }},
        {"tenant and type", [](Read& r) { r.tenant("beta").types({"Type1"}); }},
        {"tenant and aggregate type", [](Read& r) { r.tenant("acme").aggregate_type("Site"); }},
        {"unknown tenant", [](Read& r) { r.tenant("gamma"); }},
        {"correlation", [](Read& r) { r.correlation("c-1"); }},
        {"correlation and type", [](Read& r) { r.correlation("c-0").types({"Type0"}); }},
        {"unknown correlation", [](Read& r) { r.correlation("c-9"); }},
        {"items", [](Read& r) { r = Read{matching(types("Type1"), tags("third")) | matching(tags("seventh"))}; }},
        {"items, narrowed",
         [](Read& r) {
             r = Read{matching(types("Type1")) | matching(tags("third"))}.tenant("acme").tag("seventh");
         }},
        {"streams as items", [](Read& r) { r = Read{matching(short_stream) | matching(tags("rare"))}; }},
        {"a stream", [](Read& r) { r = stele::stream(short_stream); }},
        {"the long stream", [](Read& r) { r = stele::stream(long_stream); }},
        {"a stream and a type", [](Read& r) { r = stele::stream(long_stream).types({"Type2"}); }},
        {"a stream and a tag", [](Read& r) { r = stele::stream(long_stream).tag("rare"); }},
        {"a stream and a correlation", [](Read& r) { r = stele::stream(long_stream).correlation("c-0"); }},
        {"a stream and its tenant", [](Read& r) { r = stele::stream(short_stream).tenant("acme"); }},
        {"a stream and another tenant", [](Read& r) { r = stele::stream(short_stream).tenant("beta"); }},
        {"an unknown stream",
         [](Read& r) {
             r = stele::stream(StreamId{"Order", "nobody"});
         }},
    };
}

std::vector<Choice> positions() {
    return {
        {"", [](Read&) {}},
        {"after 0", [](Read& r) { r.after(Position{0}); }},
        {"after 123", [](Read& r) { r.after(Position{123}); }},
        {"until 400", [](Read& r) { r.until(Position{400}); }},
        {"after 123 until 400", [](Read& r) { r.after(Position{123}).until(Position{400}); }},
        {"after 400 until 123", [](Read& r) { r.after(Position{400}).until(Position{123}); }},
        {"after the head", [](Read& r) { r.after(Position{100'000}); }},
        {"until beyond the head", [](Read& r) { r.until(Position{100'000}); }},
    };
}

std::vector<Choice> times() {
    return {
        {"", [](Read&) {}},
        {"since a time that ten events have", [](Read& r) { r.since(second(40)); }},
        {"since a time that none has", [](Read& r) { r.since(second(41)); }},
        {"until a time that ten events have", [](Read& r) { r.until(second(80)); }},
        {"until a time that none has", [](Read& r) { r.until(second(79)); }},
        {"since and until", [](Read& r) { r.since(second(20)).until(second(90)); }},
        {"since and until the same", [](Read& r) { r.since(second(40)).until(second(40)); }},
        {"since after until", [](Read& r) { r.since(second(90)).until(second(20)); }},
        {"since before all", [](Read& r) { r.since(second(-5)); }},
        {"until before all", [](Read& r) { r.until(second(-5)); }},
        {"since after all", [](Read& r) { r.since(second(100'000)); }},
    };
}

std::vector<Choice> limits() {
    return {
        {"", [](Read&) {}},
        {"limit 0", [](Read& r) { r.limit(0); }},
        {"limit 1", [](Read& r) { r.limit(1); }},
        {"limit 7", [](Read& r) { r.limit(7); }},
        {"limit 100000", [](Read& r) { r.limit(100'000); }},
    };
}

std::vector<Choice> versions() {
    return {
        {"from 1", [](Read& r) { r.from(Version{1}); }},
        {"from 30", [](Read& r) { r.from(Version{30}); }},
        {"until 60", [](Read& r) { r.until(Version{60}); }},
        {"until 0", [](Read& r) { r.until(Version{0}); }},
        {"from 30 until 60", [](Read& r) { r.from(Version{30}).until(Version{60}); }},
        {"from 30 until 30", [](Read& r) { r.from(Version{30}).until(Version{30}); }},
        {"from 60 until 30", [](Read& r) { r.from(Version{60}).until(Version{30}); }},
        {"from beyond the end", [](Read& r) { r.from(Version{100'000}); }},
        {"until beyond the end", [](Read& r) { r.until(Version{100'000}); }},
    };
}

}  // namespace

TEST_CASE_METHOD(Contract, "every combination of filter, positions, times, limit and direction reads as it should",
                 "[contract][read]") {
    const Log log{*this, 600};
    int combinations = 0;
    for (const Choice& filter : filters()) {
        for (const Choice& position : positions()) {
            for (const Choice& time : times()) {
                for (const Choice& limit : limits()) {
                    for (const bool backward : {false, true}) {
                        Read read;
                        filter.narrow(read);
                        position.narrow(read);
                        time.narrow(read);
                        limit.narrow(read);
                        read.backward(backward);
                        ++combinations;
                        const auto found = test::events_in(log.store, read);
                        const auto expected = log.model.read(read);
                        if (found == expected) continue;  // an assertion for each would take longer than the reads
                        CAPTURE(filter.name, position.name, time.name, limit.name, backward);
                        CHECK(found == expected);
                    }
                }
            }
        }
    }
    CHECK(combinations == 31 * 8 * 11 * 5 * 2);
}

TEST_CASE_METHOD(Contract, "version bounds of a stream combine with every other bound", "[contract][read]") {
    const Log log{*this, 600};
    for (const StreamId& stream : {long_stream, short_stream, StreamId{"Order", "nobody"}}) {
        for (const Choice& version : versions()) {
            for (const Choice& position : positions()) {
                for (const Choice& time : times()) {
                    for (const bool backward : {false, true}) {
                        for (const bool filtered : {false, true}) {
                            Read read = stele::stream(stream);
                            version.narrow(read);
                            position.narrow(read);
                            time.narrow(read);
                            read.backward(backward);
                            if (filtered) read.types({"Type1", "Type2"}).tag("third").limit(5);
                            const auto found = test::events_in(log.store, read);
                            const auto expected = log.model.read(read);
                            if (found == expected) continue;
                            CAPTURE(stream, version.name, position.name, time.name, backward, filtered);
                            CHECK(found == expected);
                        }
                    }
                }
            }
        }
    }
    CHECK(log.store.head() == Position{600});
}

TEST_CASE_METHOD(Contract, "versions without a stream make no sense and are refused", "[contract][read]") {
    auto store = open();
    test::seed(store, long_stream, {"a"});
    CHECK_THROWS_AS(positions_in(store, all().from(Version{1})), InvalidInput);
    CHECK_THROWS_AS(positions_in(store, all().until(Version{1})), InvalidInput);
    CHECK_THROWS_AS(positions_in(store, all().aggregate_type("Order").from(Version{1})), InvalidInput);
    CHECK_THROWS_AS(positions_in(store, Read{matching(long_stream) | matching(short_stream)}.from(Version{1})),
                    InvalidInput);
    CHECK(positions_in(store, all().stream(long_stream).from(Version{1})) == Numbers{1});
}

TEST_CASE_METHOD(Contract, "a read of many pages returns each event once, either way", "[contract][read]") {
    constexpr int events = 6'000;
    const Log log{*this, events};
    CHECK(positions_in(log.store) == test::numbers(1, events));
    const auto forward = test::events_in(log.store);
    CHECK((forward == log.model.log()));
    auto backward = test::events_in(log.store, all().backward());
    std::reverse(backward.begin(), backward.end());
    CHECK((backward == forward));

    for (const Choice& filter : filters()) {
        CAPTURE(filter.name);
        for (const bool reversed : {false, true}) {
            Read read;
            filter.narrow(read);
            read.backward(reversed);
            CHECK((test::events_in(log.store, read) == log.model.read(read)));
        }
    }
    // Limits and bounds at and beside the sizes that pages may have.
    for (const std::int64_t last :
         {31,  32,  33,  63,  64,  65,   99,   100,  101,  127,  128,  129,  255,  256,  257,  499, 500,
          501, 511, 512, 513, 999, 1000, 1001, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097}) {
        CAPTURE(last);
        const auto n = static_cast<std::size_t>(last);
        CHECK((positions_in(log.store, all().limit(n)) == test::numbers(1, last)));
        CHECK((positions_in(log.store, all().until(Position{last})) == test::numbers(1, last)));
        CHECK((positions_in(log.store, all().after(Position{events - last})) ==
               test::numbers(events - last + 1, events)));
        CHECK(positions_in(log.store, all().backward().limit(n)).back() == events - last + 1);
        CHECK((test::versions_in(log.store, stele::stream(long_stream).until(Version{last})) ==
               test::numbers(1, std::min<std::int64_t>(last, log.store.version(long_stream)->value()))));
    }
}

TEST_CASE_METHOD(Contract, "events of every size read back whole, however pages are cut", "[contract][read]") {
    auto store = open();
    std::vector<NewEvent> given;
    for (std::size_t n = 0; n < 60; ++n) {
        // From empty to a good megabyte, in no order.
        const std::size_t size = n % 20 == 7 ? 1'200'000 : (n * 7919) % 10'000;
        given.push_back(stele::event("Sized", {{"text", std::string(size, static_cast<char>('a' + n % 26))}}));
    }
    for (std::size_t from = 0; from < given.size(); from += 6)
        store.append(long_stream, expect::any, std::span{given}.subspan(from, 6));

    std::size_t n = 0;
    for (const Event& event : store.read(long_stream)) {
        CHECK((event.data == given[n].data && event.id == given[n].id));
        ++n;
    }
    CHECK(n == given.size());
    for (const Event& event : store.read(all().backward())) {
        --n;
        CHECK((event.data == given[n].data && event.id == given[n].id));
    }
    CHECK(n == 0);
}

TEST_CASE_METHOD(Contract, "a long read gives what events carry whole, and pages of a bounded size",
                 "[contract][read]") {
    auto store = open();
    std::vector<NewEvent> given;
    for (std::size_t n = 0; n < 8'000; ++n) {
        // Some fit into a page of the file and some need many; now and then one alone is a page of the read.
        const std::size_t size = n % 2'000 == 999 ? 1'200'000 : n % 40 == 3 ? 20'000 : (n * 7919) % 1'000;
        auto event = stele::event("Sized", {{"text", std::string(size, static_cast<char>('a' + n % 26))}});
        if (n % 3 == 0) event.metadata = JsonText::parse_object(R"({"note":")" + std::string(n % 50, 'm') + "\"}");
        if (n % 4 == 0) event.tags = {"four", "n-" + std::to_string(n)};
        given.push_back(std::move(event));
    }
    for (std::size_t from = 0; from < given.size(); from += 100)
        store.append(long_stream, expect::any, std::span{given}.subspan(from, 100));

    constexpr std::size_t most = std::size_t{1} << 20;
    const auto events = store.read(all());
    std::vector<Event> page;
    std::size_t n = 0;
    while (const auto found = events.next_page(page)) {
        std::size_t before_last = 0;
        for (std::size_t i = 0; i < found; ++i, ++n) {
            const auto& event = page[i];
            REQUIRE(n < given.size());
            REQUIRE(event.position == Position{static_cast<std::int64_t>(n) + 1});
            CHECK((event.data == given[n].data && event.id == given[n].id && event.metadata == given[n].metadata &&
                   event.tags == given[n].tags));
            if (i + 1 < found) before_last += event.data.text().size() + event.metadata.text().size();
        }
        CHECK(before_last < most);
    }
    CHECK(n == given.size());
}

TEST_CASE_METHOD(Contract, "correlation compares a string in the metadata, and nothing else", "[contract][read]") {
    auto store = open();
    const auto append = [&](const std::string& metadata) {
        NewEvent event = test::event("Noted");
        event.metadata = JsonText::parse_object(metadata);
        store.append(long_stream, expect::any, {event});
    };
    append("{\"correlation_id\":\"c-1\"}");                            // 1
    append("{ \"actor\" : \"c-1\" , \"correlation_id\" : \"c-1\" }");  // 2
    append("{\"correlation_id\":\"C-1\"}");                            // 3
    append("{\"correlation_id\":17}");                                 // 4
    append("{\"correlation_id\":\"17\"}");                             // 5
    append("{\"correlation_id\":null}");                               // 6
    append("{\"correlation_id\":\"\\u0063-1\"}");                      // 7: the same string, written otherwise
    append("{\"nested\":{\"correlation_id\":\"c-1\"}}");               // 8
    append("{\"correlation_id\":\"c-1 \"}");                           // 9
    append("{\"correlation_id\":{\"a\":\"c-1\"}}");                    // 10
    append("{}");                                                      // 11
    append("{\"correlation_id\":\"\"}");                               // 12

    CHECK(positions_in(store, all().correlation("c-1")) == Numbers{1, 2, 7});
    CHECK(positions_in(store, all().correlation("c-1").backward()) == Numbers{7, 2, 1});
    CHECK(positions_in(store, all().correlation("17")) == Numbers{5});
    CHECK(positions_in(store, all().correlation("null")).empty());
    CHECK(positions_in(store, all().correlation("c-1").limit(2)) == Numbers{1, 2});
    CHECK(positions_in(store, all().correlation("c-1").after(Position{1}).limit(2)) == Numbers{2, 7});
}

TEST_CASE_METHOD(Contract, "a read of some parts finds the same events and leaves out the others",
                 "[contract][read]") {
    Log log{*this, 5'000};  // long enough for every way to go along it
    const auto parts = GENERATE(EventParts{false, false, false, false}, EventParts{true, false, true, false},
                                EventParts{false, true, false, true}, EventParts{});
    const auto without_others = [&](Event event) {
        if (!parts.id) event.id = EventId{};
        if (!parts.data) event.data = JsonText{};
        if (!parts.metadata) event.metadata = JsonText{};
        if (!parts.tags) event.tags.clear();
        return event;
    };
    for (const auto& [name, narrow] : filters()) {
        CAPTURE(name);
        Read whole;
        narrow(whole);
        auto some = whole;
        some.only(parts);
        std::vector<Event> expected;
        for (const Event& event : log.store.read(whole)) expected.push_back(without_others(event));
        std::vector<Event> found;
        for (const Event& event : log.store.read(some)) found.push_back(without_others(event));
        CHECK(found == expected);
    }
    for (const Event& event : log.store.read(all().only(parts))) CHECK(event == without_others(event));
}

TEST_CASE_METHOD(Contract, "a read of types that come in runs finds each, however little is wanted",
                 "[contract][read]") {
    auto store = open();
    Numbers seldom;
    std::vector<std::string> types;
    for (int run = 0; run < 8; ++run) {
        for (int i = 0; i < 700 + 100 * run; ++i) {
            const bool is_seldom = run % 2 == 1 && (run != 5 || i % 20 == 0);
            types.emplace_back(is_seldom ? "Seldom" : "Often");
            if (is_seldom) seldom.push_back(static_cast<std::int64_t>(types.size()));
        }
    }
    test::seed(store, long_stream, types);
    const auto parts = GENERATE(EventParts{}, EventParts{false, false, false, false});
    const auto read = all().types({"Seldom"}).only(parts);
    CHECK(positions_in(store, read) == seldom);
    CHECK(positions_in(store, Read{read}.after(Position{seldom[100]})) ==
          Numbers(seldom.begin() + 101, seldom.end()));
    CHECK(positions_in(store, Read{read}.limit(1'100)) == Numbers(seldom.begin(), seldom.begin() + 1'100));
}
