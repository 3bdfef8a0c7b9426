// stele append: what it prints, what it refuses, and that racing processes lose nothing.
#include "workplace.hpp"

#include <thread>

using namespace stele;
using nlohmann::json;
using test::Workplace;

TEST_CASE("append makes the store and says where the event is", "[e2e][append]") {
    const Workplace at;
    const auto first = at.stele({"append", "Site/1", "SiteCreated", "--json"});
    REQUIRE(first.status == 0);
    CHECK(first.json().at("position") == 1);
    CHECK(first.json().at("version") == 1);
    CHECK(first.json().at("duplicate") == false);
    CHECK(first.json().at("id").get<std::string>().size() == 36);

    const auto second = at.stele({"append", "Site/1", "SiteRenamed"});
    CHECK(second.status == 0);
    CHECK_THAT(second.out, ContainsSubstring("Site/1 is at version 2: position 2"));
}

TEST_CASE("append keeps everything that it is given, byte for byte", "[e2e][append]") {
    const Workplace at;
    const auto ran =
        at.stele({"append", "acme:Site/a/b:c", "SiteCreated", "--data",
                  R"({ "big": 12345678901234567890, "x": 1.50 })", "--meta", R"({"actor":"user-7"})", "--tag",
                  "plan:pro", "--tag", "[x,y]", "--tag", "{}", "--id", "0193A1B2-0000-7000-8000-000000000001",
                  "--schema-version", "3", "--occurred-at", "2018-04-05T17:31:00+02:00"});
    INFO(ran);
    REQUIRE(ran.status == 0);
    const auto event = at.stele({"events", "--json"});
    CHECK_THAT(event.out, ContainsSubstring(R"("data":{ "big": 12345678901234567890, "x": 1.50 })"));
    const auto fields = event.json();
    CHECK(fields.at("tenant") == "acme");
    CHECK(fields.at("aggregate_type") == "Site");
    CHECK(fields.at("aggregate_id") == "a/b:c");
    CHECK(fields.at("metadata") == json{{"actor", "user-7"}});
    CHECK(fields.at("tags") == json{"plan:pro", "[x,y]", "{}"});
    CHECK(fields.at("id") == "0193a1b2-0000-7000-8000-000000000001");
    CHECK(fields.at("schema_version") == 3);
    CHECK(fields.at("occurred_at") == "2018-04-05T15:31:00.000000Z");
}

TEST_CASE("data comes from a file, from standard input, or as any JSON value", "[e2e][append]") {
    const Workplace at;
    at.write("data.json", R"({"from":"a file"})");
    CHECK(at.stele({"append", "Site/1", "A", "--data", "@data.json"}).status == 0);
    CHECK(at.stele({"append", "Site/1", "B", "--data", "-"}, {.input = R"({"from":"stdin"})"}).status == 0);
    CHECK(at.stele({"append", "Site/1", "C", "--data", "[1,2]"}).status == 0);
    CHECK(at.stele({"append", "Site/1", "D", "--data", "-5"}).status == 0);
    CHECK(at.stele({"append", "Site/1", "E", "--data", "{}"}).status == 0);
    const auto log = at.log();
    CHECK(log.at(0).at("data") == json{{"from", "a file"}});
    CHECK(log.at(1).at("data") == json{{"from", "stdin"}});
    CHECK(log.at(2).at("data") == json{1, 2});
    CHECK(log.at(3).at("data") == -5);
    CHECK(log.at(4).at("data") == json::object());

    const auto missing = at.stele({"append", "Site/1", "F", "--data", "@nothing.json"});
    CHECK(missing.status == 1);
    CHECK_THAT(missing.err, ContainsSubstring("nothing.json"));
    CHECK(at.log().size() == 5);
}

TEST_CASE("appending twice with --expect none: the second says what was expected and what is there",
          "[e2e][append]") {
    const Workplace at;
    REQUIRE(at.stele({"append", "Site/1", "SiteCreated", "--data", "{}", "--expect", "none"}).status == 0);
    const auto second = at.stele({"append", "Site/1", "SiteCreated", "--data", "{}", "--expect", "none"});
    CHECK(second.status == 3);
    CHECK(second.out.empty());
    CHECK_THAT(
        second.err,
        ContainsSubstring("log.stele: append to Site/1: expected no events, stream is at 1; nothing was written"));

    const auto as_json = at.stele({"append", "Site/1", "SiteCreated", "--expect", "none", "--json"});
    CHECK(as_json.status == 3);
    CHECK(as_json.error().at("code") == "conflict");
    CHECK(as_json.error().at("stream") == "Site/1");
    CHECK(as_json.error().at("actual") == 1);
    CHECK(at.log().size() == 1);
}

TEST_CASE("each expectation holds on streams that are there and streams that are not", "[e2e][append]") {
    const Workplace at;
    const auto append = [&](const std::string& stream, const std::string& expected) {
        return at.stele({"append", stream, "T", "--expect", expected}).status;
    };
    CHECK(append("Site/1", "exists") == 3);
    CHECK(append("Site/1", "1") == 3);
    CHECK(append("Site/1", "0") == 0);  // version 0: no events
    CHECK(append("Site/1", "none") == 3);
    CHECK(append("Site/1", "exists") == 0);
    CHECK(append("Site/1", "1") == 3);
    CHECK(append("Site/1", "2") == 0);
    CHECK(append("Site/1", "any") == 0);
    CHECK(append("Site/1", "soon") == 2);
    CHECK(append("Site/1", "-1") == 2);
    CHECK(at.log().size() == 4);
}

TEST_CASE("the same id again changes nothing, and other content under it is refused", "[e2e][append]") {
    const Workplace at;
    const std::string id = "0193a1b2-0000-7000-8000-000000000001";
    REQUIRE(at.stele({"append", "Site/1", "T", "--id", id, "--expect", "none"}).status == 0);
    REQUIRE(at.stele({"append", "Site/1", "U"}).status == 0);
    const auto again = at.stele({"append", "Site/1", "T", "--id", id, "--expect", "none", "--json"});
    CHECK(again.status == 0);
    CHECK(again.json() == json{{"position", 1}, {"version", 1}, {"id", id}, {"duplicate", true}});

    const auto other = at.stele({"append", "Site/1", "T", "--id", id, "--data", "[]"});
    CHECK(other.status == 3);
    CHECK_THAT(other.err, ContainsSubstring(id));
    CHECK(at.log().size() == 2);
}

TEST_CASE("what cannot be an event is a mistake on the command line, named by its option", "[e2e][append]") {
    const Workplace at;
    const auto refused = [&](std::vector<std::string> arguments, const std::string& named) {
        arguments.insert(arguments.begin(), "append");
        const auto ran = at.stele(arguments);
        INFO(ran);
        CHECK(ran.status == 2);
        CHECK_THAT(ran.err, ContainsSubstring(named));
        CHECK_THAT(ran.err, ContainsSubstring("try: stele append --help"));
    };
    refused({"Site", "T"}, "STREAM");
    refused({"Site/1"}, "TYPE");
    refused({"Site/1", ""}, "type");
    refused({"Site/1", "T", "--data", "{bad"}, "--data");
    refused({"Site/1", "T", "--meta", "[]"}, "--meta");
    refused({"Site/1", "T", "--id", "7"}, "--id");
    refused({"Site/1", "T", "--tag", ""}, "tag");
    refused({"Site/1", "T", "--occurred-at", "yesterday"}, "--occurred-at");
    refused({"Site/1", "T", "--schema-version", "0"}, "--schema-version");
    refused({"Site/1", "T", "--durability", "some"}, "--durability");
    CHECK_FALSE(at.exists("log.stele"));
}

// Goal:   of processes that append at the version they read, one wins each version and none is lost (L3, L7).
// Method: sixteen processes at a time try the version that the stream has; each winner's event must be there.
TEST_CASE("sixteen processes that append at the version they read: each version is won once", "[e2e][append]") {
    const Workplace at;
    constexpr int processes = 16;
    constexpr int rounds = 4;
    for (int round = 0; round < rounds; ++round) {
        std::vector<int> statuses(processes, -1);
        std::vector<std::thread> threads;
        threads.reserve(processes);
        for (int i = 0; i < processes; ++i) {
            threads.emplace_back([&at, &statuses, round, i] {
                statuses[static_cast<std::size_t>(i)] =
                    at.stele({"append", "Counter/1", "Counted", "--expect", std::to_string(round), "--data",
                              std::to_string(round * processes + i)})
                        .status;
            });
        }
        for (auto& thread : threads) thread.join();
        CAPTURE(round, statuses);
        CHECK(std::count(statuses.begin(), statuses.end(), 0) == 1);
        CHECK(std::count(statuses.begin(), statuses.end(), 3) == processes - 1);
        const auto log = at.log();
        REQUIRE(log.size() == static_cast<std::size_t>(round) + 1);
        const auto winner = log.back().at("data").get<std::size_t>() - static_cast<std::size_t>(round * processes);
        CHECK(statuses.at(winner) == 0);
    }
}
