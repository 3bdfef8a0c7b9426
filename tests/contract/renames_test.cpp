// Aggregate types that were renamed: their streams are one, under whichever of the names.
#include "contract.hpp"

#include <stele/schema/event_types.hpp>

#include <thread>
#include <utility>

using namespace stele;
using test::Contract;
using Texts = std::vector<std::string>;

namespace {

Options with(EventTypes types) {
    Options options;
    options.event_types = std::make_shared<const EventTypes>(std::move(types));
    return options;
}

}  // namespace

TEST_CASE_METHOD(Contract, "a renamed aggregate type keeps its streams, in both directions", "[contract][upcast]") {
    const StreamId website{"acme", "Website", "w-1"};
    const StreamId site{"acme", "Site", "w-1"};
    {
        auto before = open();
        test::seed(before, website, {"Created", "Changed"});
    }
    EventTypes types;
    types.rename_aggregate("Website", "Site");
    auto store = open(with(types));

    CHECK(test::types_in(store, site) == Texts{"Created", "Changed"});
    CHECK(test::types_in(store, website) == Texts{"Created", "Changed"});
    CHECK(test::events_in(store, all()).front().stream == site);
    CHECK(test::positions_in(store, all().aggregate_type("Site")) == test::Numbers{1, 2});
    CHECK(test::positions_in(store, all().aggregate_type("Website").types({"Changed"})) == test::Numbers{2});
    CHECK(store.version(site) == Version{2});
    std::vector<StreamId> listed;
    store.streams([&](const StreamInfo& info) {
        listed.push_back(info.stream);
        return true;
    });
    CHECK(listed == std::vector<StreamId>{site});

    // As it is stored, it is found by either name, and has the one that is stored.
    for (const auto& query :
         {stream(site), stream(website), all().aggregate_type("Site"), all().aggregate_type("Website")}) {
        const auto stored = test::events_in(store, Read{query}.raw());
        REQUIRE(stored.size() == 2);
        CHECK(stored.back().stream == website);
        CHECK(stored.back().version == Version{2});
    }
    // Who sorts events that were read by a query of before asks for the query of today.
    for (const auto& query : {stream(website), all().aggregate_type("Website")}) {
        const auto first = test::events_in(store, all()).front();
        CHECK_FALSE(query.query().matches(first));
        CHECK(store.today(query.query()).matches(first));
        CHECK(store.today(query.query()) == store.today(store.today(query.query())));
    }
    CHECK(store.today(Query{}) == Query{});

    const auto conflict = test::outcome<VersionConflict>(store.try_append(site, expect::none, {event("Changed")}));
    CHECK(conflict.stream == site);
    CHECK(conflict.actual == Version{2});
    CHECK(store.append(site, expect::exactly(2), {event("Changed")}).version == Version{3});
    CHECK(test::outcome<Appended>(
              store.append_async(Append{}.to(website, expect::exactly(3), {event("Changed")})).get())
              .version == Version{4});
    const auto async = store.append_async(Append{}.to(site, expect::exactly(1), {event("Changed")})).get();
    CHECK(test::outcome<VersionConflict>(async).stream == site);
    CHECK(open().version(website) == Version{4});

    test::seed(store, StreamId{"Site", "w-2"}, {"Created"});
    CHECK(open().version(StreamId{"Website", "w-2"}) == Version{1});

    auto without = open();
    test::seed(without, site, {"Created"});
    try {
        (void)open(with(types));
        FAIL("expected an error");
    } catch (const StoreError& error) {
        CHECK(error.code() == "aggregate_names");
        CHECK_THAT(error.what(), ContainsSubstring("some of Site and some of Website"));
        CHECK_THAT(error.what(), ContainsSubstring("`stele export --raw FILE`"));
    }
    // Who takes the rename out reads all of it.
    CHECK(test::types_in(without, website).size() == 4);
    CHECK(test::types_in(without, site) == Texts{"Created"});
}

TEST_CASE_METHOD(Contract, "a program that knows a rename and one that does not write to the same streams",
                 "[contract][upcast]") {
    EventTypes types;
    types.rename_aggregate("Website", "Site");
    auto newer = open(with(types));
    auto older = open();
    const StreamId site{"Site", "1"};
    const StreamId website{"Website", "1"};
    const auto change = [](EventStore& store, const StreamId& stream, std::int64_t at) {
        const auto expected = at == 0 ? expect::none : expect::exactly(at);
        CHECK(store.append(stream, expected, {event("Changed")}).version == Version{at + 1});
    };

    SECTION("whoever is first") {
        const bool is_older_first = GENERATE(true, false);
        CAPTURE(is_older_first);
        change(is_older_first ? older : newer, is_older_first ? website : site, 0);
        change(is_older_first ? newer : older, is_older_first ? site : website, 1);
        change(older, website, 2);
        change(newer, site, 3);
        CHECK(test::outcome<VersionConflict>(newer.try_append(site, expect::none, {event("Changed")})).actual ==
              Version{4});
    }
    SECTION("from each of many threads, each of many streams") {
        constexpr int streams = 20;
        constexpr int times = 10;
        std::vector<std::thread> threads;
        for (auto* store : {&newer, &older}) {
            threads.emplace_back([store, name = store == &newer ? "Site" : "Website"] {
                for (int i = 0; i < streams * times; ++i) {
                    const StreamId stream{name, std::to_string(i % streams)};
                    (void)store->append(stream, expect::any, {event("Changed")});
                }
            });
        }
        for (auto& thread : threads) thread.join();
        CHECK(newer.version(site) == Version{2 * times});
    }
    CHECK(newer.version(site) == older.version(website));
    CHECK_FALSE(older.version(site));
    CHECK(open(with(types)).version(site) == newer.version(site));  // there is one name, and no trouble
}

TEST_CASE_METHOD(Contract, "streams that are there under one name of an aggregate type go on under that name",
                 "[contract][upcast]") {
    // Twice renamed: the first name is the one that all programs know.
    EventTypes twice;
    twice.rename_aggregate("Page", "Website").rename_aggregate("Website", "Site");
    const StreamId site{"Site", "1"};
    SECTION("the first, where there are none") {
        auto store = open(with(twice));
        test::seed(store, site, {"Created"});
        CHECK(open().version(StreamId{"Page", "1"}) == Version{1});
    }
    SECTION("another one, where it was used already") {
        auto before = open();
        auto store = open(with(twice));
        test::seed(before, StreamId{"Website", "1"}, {"Created"});
        test::seed(store, site, {"Changed"});
        CHECK(before.version(StreamId{"Website", "1"}) == Version{2});
    }
    SECTION("the name of today, where two types became one and neither has streams") {
        EventTypes joined;
        joined.rename_aggregate("Page", "Site").rename_aggregate("Website", "Site");
        auto store = open(with(joined));
        test::seed(store, StreamId{"Page", "1"}, {"Created"});
        test::seed(store, StreamId{"Website", "1"}, {"Changed"});
        CHECK(open().version(site) == Version{2});
    }
}

TEST_CASE_METHOD(Contract,
                 "streams under two names of one aggregate type stop every call that asks for one of them",
                 "[contract][upcast]") {
    EventTypes types;
    types.rename_aggregate("Website", "Site");
    auto store = open(with(types));
    auto without = open();
    test::seed(without, StreamId{"Website", "1"}, {"Created"});
    test::seed(without, StreamId{"Site", "1"}, {"Created"});
    for (int times = 0; times < 2; ++times) {
        CAPTURE(times);
        try {
            (void)store.version(StreamId{"Site", "1"});
            FAIL("expected an error");
        } catch (const StoreError& error) {
            CHECK(error.code() == "aggregate_names");
        }
    }
}

TEST_CASE_METHOD(Contract, "a stream that is named by two of its names is one stream to its append",
                 "[contract][upcast]") {
    EventTypes types;
    types.rename_aggregate("Website", "Site");
    auto store = open(with(types));
    const StreamId site{"Site", "1"};
    const StreamId website{"Website", "1"};
    const auto names = GENERATE_COPY(std::pair{site, website}, std::pair{website, site});
    const auto append = [&](ExpectedVersion second) {
        return Append{}
            .to(names.first, expect::none, {event("Created")})
            .to(names.second, second, {event("Changed")});
    };
    const auto refused = append(expect::none);
    CHECK_THROWS_AS(store.try_append(refused), InvalidInput);
    auto answer = store.append_async(refused);
    CHECK_THROWS_AS(answer.get(), InvalidInput);
    CHECK(store.head() == Position{0});

    const auto appended = test::outcome<Appended>(store.try_append(append(expect::any)));
    CHECK(appended.version == Version{2});
    CHECK(test::types_in(store, site) == Texts{"Created", "Changed"});
}
