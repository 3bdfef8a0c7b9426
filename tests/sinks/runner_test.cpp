// Sinks under a runner: what reaches the outside, and what the store says of it.
#include "vocabulary.hpp"

#include <stele/projections/listeners/dead_letters.hpp>
#include <stele/projections/runner.hpp>
#include <stele/test/http_receiver.hpp>
#include <stele/test/store.hpp>

#include <set>

namespace stele::sinks {
namespace {

using namespace std::chrono_literals;
using stele::test::HttpReceiver;

TEST_CASE("a stream sink that selects everything appends once for each event", "[sinks][stream][runner]") {
    auto store = EventStore::temporary();
    const StreamId site{"acme", "Site", "1"};
    const StreamId audit{"acme", "AuditLog", "all"};
    const auto seeded = store.append(site, expect::none,
                                     {event("SiteCreated", {{"domain", "example.org"}}).correlation("c-1"),
                                      event("SitePublished"), event("SiteDeleted")});
    Stream stream{.stream = {"{{ $tenant }}:AuditLog/all", "stele.toml"}};
    stream.type = {"{{ $type }}Seen", "stele.toml"};

    for (int run = 0; run < 2; ++run) {
        Runner runner{store};
        runner.add(sink_listener({.name = "record"}, stream));
        runner.start();
        REQUIRE(runner.wait_for_listener("record", store.head(), 60s) == WaitResult::reached);
    }

    CHECK(stele::test::types_in(store, audit) ==
          std::vector<std::string>{"SiteCreatedSeen", "SitePublishedSeen", "SiteDeletedSeen"});
    const auto first = stele::test::events_in(store, audit).front();
    const auto caused_by = stele::test::events_in(store, site).front().id.to_string();
    CHECK(first.metadata.value() ==
          nlohmann::json{{"causation_id", caused_by}, {"correlation_id", "c-1"}, {"listener", "record"}});
    CHECK(store.head() == Position{seeded.last_position.value() + 3});
}

TEST_CASE("a receiver that is down for a time gets everything with the keys of the first attempts",
          "[sinks][webhook][runner]") {
    auto store = EventStore::temporary();
    HttpReceiver receiver;
    receiver.next({{503}, stele::test::close_connection(), {500}});
    Webhook webhook{.url = receiver.url()};
    webhook.allow_private = true;
    Listener::Head head{.name = "billing"};
    head.retry = {.attempts = 10, .delays = {10ms}};
    head.order.kind = OrderBy::Kind::global;
    for (const auto* type : {"A", "B", "C"}) store.append(StreamId{"Site", type}, expect::none, {event(type)});

    Runner runner{store};
    runner.add(sink_listener(head, webhook));
    runner.start();

    REQUIRE(receiver.wait_for_requests(6, 60));
    runner.stop();
    const auto requests = receiver.requests();
    std::vector<std::string> types;
    std::set<std::string> keys;
    for (const auto& request : requests) {
        types.push_back(nlohmann::json::parse(request.body).at("type").get<std::string>());
        keys.insert(types.back() + request.header("webhook-id"));
    }
    CHECK(types == std::vector<std::string>{"A", "A", "A", "A", "B", "C"});
    CHECK(keys.size() == 3);
    CHECK(dead_letters(store, {}).empty());
}

TEST_CASE("an answer that is final is a dead letter with its cause after one attempt", "[sinks][webhook][runner]") {
    auto store = EventStore::temporary();
    HttpReceiver receiver;
    receiver.next({{410, "gone for good"}});
    Webhook webhook{.url = receiver.url()};
    webhook.allow_private = true;
    store.append(StreamId{"Site", "1"}, expect::none, {event("A")});

    Runner runner{store};
    runner.add(sink_listener({.name = "billing"}, webhook));
    runner.start();
    REQUIRE(runner.wait_for_listener("billing", store.head(), 60s) == WaitResult::reached);
    runner.stop();

    const auto letters = dead_letters(store, {});
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].attempts == 1);
    CHECK(letters[0].cause == "http_410");
    CHECK(letters[0].error == receiver.url() + ": expected an answer of 2xx, found 410: gone for good");
}

}  // namespace
}  // namespace stele::sinks
