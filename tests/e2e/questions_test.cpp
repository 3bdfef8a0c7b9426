// stele diff, blame, bisect: what an aggregate's history answers.
#include "curl_history.hpp"
#include "workplace.hpp"

using namespace stele;
using nlohmann::json;
using test::Workplace;

namespace {

// Three events of Site/1, each in a commit of its own.
Workplace& seeded(Workplace& at) {
    const auto append = [&](const std::string& type, const std::string& data, const std::string& more) {
        REQUIRE(at.stele({"append", "Site/1", type, "--data", data, "--meta", more}).status == 0);
    };
    append("SiteCreated", R"({"domain":"example.org","limits":{"disk":5}})", R"({"actor":"user-7"})");
    REQUIRE(at.stele({"append", "Site/2", "SiteCreated"}).status == 0);
    append("LimitsChanged", R"({"limits":{"disk":9}})", R"({"actor":"admin","correlation_id":"request-3"})");
    append("SiteDeleted", R"({"domain":null})", "{}");
    return at;
}

}  // namespace

// ---- diff

TEST_CASE("diff prints the patch from one version to another", "[e2e][diff]") {
    Workplace at;
    seeded(at);
    const auto patch = json::parse(R"([{"op":"replace","path":"/$type","value":"LimitsChanged"},
                                       {"op":"replace","path":"/limits/disk","value":9}])");
    CHECK(at.stele({"diff", "Site/1", "1", "2", "--json"}).json() == json{{"stream", "Site/1"},
                                                                          {"from", 1},
                                                                          {"to", 2},
                                                                          {"from_position", 1},
                                                                          {"to_position", 3},
                                                                          {"patch", patch}});
    CHECK(at.stele({"diff", "Site/1", "@2", "@3", "--json"}).json().at("patch") == patch);
    CHECK(at.stele({"diff", "Site/1", "0", "--json"}).json().at("to") == 3);

    const auto recorded = at.log().at(2).at("recorded_at").get<std::string>();
    CHECK(at.stele({"diff", "Site/1", "2000-01-01", recorded, "--json"}).json().at("to") == 2);

    const auto ran = at.stele({"diff", "Site/1", "1", "3"});
    CHECK(ran.out ==
          "~ /$type: \"SiteCreated\" → \"SiteDeleted\"\n- /domain: \"example.org\"\n"
          "~ /limits/disk: 5 → 9\n");
    CHECK(ran.err == "Site/1 from version 1, position 1 to version 3, position 4\n");
    CHECK(at.stele({"diff", "Site/1", "2", "2"}).out == "(no difference)\n");
}

TEST_CASE("diff of what is not there is refused", "[e2e][diff]") {
    Workplace at;
    seeded(at);
    CHECK(at.stele({"diff", "Site/3", "1", "2"}).status == 4);
    CHECK(at.stele({"diff", "Site/1", "1", "9"}).status == 4);
    CHECK(at.stele({"diff", "Site/1"}).status == 2);
    const auto wrong = at.stele({"diff", "Site/1", "yesterday", "2"});
    CHECK(wrong.status == 2);
    CHECK_THAT(wrong.err,
               ContainsSubstring("A: expected a version such as 5, a position such as @90112, or a time"));
    CHECK_THAT(wrong.err, !ContainsSubstring("A: A:"));
}

// ---- blame

TEST_CASE("blame names the event behind each field", "[e2e][blame]") {
    Workplace at;
    seeded(at);
    const auto log = at.log();
    const auto fields = at.stele({"blame", "Site/1", "--json"}).json_lines();
    REQUIRE(fields.size() == 2);
    CHECK(fields.at(0).at("pointer") == "/$type");
    CHECK(fields.at(0).at("version") == 3);
    CHECK(fields.at(0).at("actor").is_null());
    CHECK(fields.at(1) == json{{"pointer", "/limits/disk"},
                               {"value", 9},
                               {"version", 2},
                               {"position", 3},
                               {"type", "LimitsChanged"},
                               {"recorded_at", log.at(2).at("recorded_at")},
                               {"occurred_at", log.at(2).at("occurred_at")},
                               {"actor", "admin"},
                               {"id", log.at(2).at("id")},
                               {"correlation_id", "request-3"}});

    const auto then = at.stele({"blame", "Site/1", "limits", "--at-version", "1", "--json"}).json();
    CHECK(then.at("value") == 5);
    CHECK(then.at("actor") == "user-7");

    const auto ran = at.stele({"blame", "Site/1"});
    CHECK_THAT(ran.out, ContainsSubstring("FIELD"));
    CHECK_THAT(ran.out, ContainsSubstring("LimitsChanged  admin  9\n"));
}

TEST_CASE("blame of what is not there says who took it away", "[e2e][blame]") {
    Workplace at;
    seeded(at);
    const auto gone = at.stele({"blame", "Site/1", "/domain"});
    CHECK(gone.status == 4);
    CHECK_THAT(gone.err, ContainsSubstring("has nothing at /domain; version 3, SiteDeleted, took it away"));
    CHECK(at.stele({"blame", "Site/3"}).status == 4);
    CHECK(at.stele({"blame", "Site/1", "/~5"}).status == 1);
}

// ---- bisect

TEST_CASE("bisect prints the first event behind which a condition holds", "[e2e][bisect]") {
    Workplace at;
    seeded(at);
    const auto found = at.stele({"bisect", "Site/1", "$state(limits.disk) > 5", "--json"}).json();
    CHECK(found.at("stream") == "Site/1");
    CHECK(found.at("version") == 2);
    CHECK(found.at("position") == 3);
    CHECK(found.at("holds") == true);
    CHECK(found.at("event").at("type") == "LimitsChanged");
    CHECK(found.at("state").at("limits").at("disk") == 9);
    CHECK(found.at("changes").size() == 2);

    const auto ran = at.stele({"bisect", "Site/1", "$state(domain) IS NULL"});
    CHECK_THAT(ran.out, ContainsSubstring("version 3  position 4  "));
    CHECK_THAT(ran.out, ContainsSubstring("\n  - /domain: \"example.org\"\n"));
}

TEST_CASE("bisect lists every change of truth", "[e2e][bisect]") {
    Workplace at;
    seeded(at);
    const std::string changed = "$state(\"$type\") = 'LimitsChanged'";
    const auto lines = at.stele({"bisect", "Site/1", changed, "--changes", "--json"}).json_lines();
    REQUIRE(lines.size() == 2);
    CHECK(lines.at(0).at("holds") == true);
    CHECK(lines.at(1).at("holds") == false);
    CHECK(lines.at(1).at("version") == 3);
    CHECK_THAT(at.stele({"bisect", "Site/1", changed, "--changes"}).out, ContainsSubstring("ceases  version 3  "));
    CHECK(at.stele({"bisect", "Site/1", "$version <> 2", "--last", "--json"}).json().at("version") == 3);
}

TEST_CASE("a condition that never holds, or is none, ends with a message", "[e2e][bisect]") {
    Workplace at;
    seeded(at);
    const auto never = at.stele({"bisect", "Site/1", "$state(limits.disk) > 50"});
    CHECK(never.status == 4);
    CHECK_THAT(never.err, ContainsSubstring("the condition holds behind none of 3 events"));
    const auto wrong = at.stele({"bisect", "Site/1", "$state(limits.disk) >"});
    CHECK(wrong.status == 1);
    CHECK_THAT(wrong.err, ContainsSubstring("condition:1: expected SQL that SQLite can compile, found the end"));
    CHECK_THAT(at.stele({"bisect", "Site/1", "$stat > 1"}).err, ContainsSubstring("did you mean $state?"));
}

// ---- replay --without and --with

TEST_CASE("replay --without shows where the states part and how they end", "[e2e][what_if]") {
    Workplace at;
    seeded(at);
    const auto line = at.stele({"replay", "Site/1", "--without", "2", "--json"}).json();
    CHECK(line.at("version") == 3);
    CHECK(line.at("state").at("limits").at("disk") == 9);
    CHECK(line.at("other").at("limits").at("disk") == 5);
    CHECK(line.at("patch") == json::parse(R"([{"op":"replace","path":"/limits/disk","value":5}])"));
    CHECK(line.at("parts_at").at("version") == 2);
    CHECK(line.at("parts_at").at("event").at("type") == "LimitsChanged");
    CHECK(line.at("meets_at").is_null());

    const auto ran = at.stele({"replay", "Site/1", "--without", "2"});
    CHECK_THAT(ran.out, ContainsSubstring("they part at version 2  position 3  "));
    CHECK_THAT(ran.out, ContainsSubstring("in the end, at version 3\n  ~ /limits/disk: 9 → 5\n"));
    CHECK_THAT(at.stele({"replay", "Site/1", "--without", "1,2,3"}).out, ContainsSubstring("  - /limits: "));
    CHECK(at.stele({"replay", "Site/1", "--without", "4"}).status == 4);
    CHECK(at.stele({"replay", "Site/1", "--without", "1,,2"}).status == 2);
    CHECK(at.stele({"replay", "Site/1", "--without", "1", "--steps"}).status == 2);
}

TEST_CASE("replay --with compares with another aggregate file", "[e2e][what_if]") {
    Workplace at;
    seeded(at);
    at.write("new.sql", "--@ aggregate Site version 2\n--@ on SiteCreated\n$data\n");
    const auto ran = at.stele({"replay", "Site/1", "--with", "new.sql"});
    INFO(ran);
    CHECK(ran.status == 0);
    CHECK_THAT(ran.out, ContainsSubstring("they part at version 1  "));
    CHECK_THAT(ran.out, ContainsSubstring("+ /domain: \"example.org\""));
    at.write("broken.sql", "--@ aggregate Site version 2\n--@ on LimitsChanged\n$data(nothing)\n");
    const auto failed = at.stele({"replay", "Site/1", "--with", "broken.sql", "--json"});
    CHECK(failed.status == 1);
    CHECK(failed.json().at("failed_at").at("version") == 2);
    CHECK_THAT(failed.json().at("failed_at").at("message").get<std::string>(), ContainsSubstring("broken.sql:3"));
    CHECK(at.stele({"replay", "Site/1", "--with", "new.sql", "--aggregate", "new.sql"}).status == 0);
}

// ---- trace

TEST_CASE("trace prints causes and effects as a tree", "[e2e][trace]") {
    const Workplace at;
    const auto append = [&](const std::string& stream, const std::string& type, const json& metadata) {
        const auto ran = at.stele({"append", stream, type, "--meta", metadata.dump(), "--json"});
        REQUIRE(ran.status == 0);
        return ran.json().at("id").get<std::string>();
    };
    const auto placed = append("Order/7", "Placed", {{"actor", "user-7"}});
    const auto billed = append("Bill/7", "Billed", {{"causation_id", placed}, {"correlation_id", placed}});
    append("Site/1", "Other", json::object());
    append("Mail/7", "Sent", {{"causation_id", billed}, {"correlation_id", placed}});
    append("Order/7", "Told", {{"causation_id", placed}, {"correlation_id", placed}});

    const auto log = at.log();
    for (const auto& start : {placed, billed, std::string{"4"}}) {
        const auto nodes = at.stele({"trace", start, "--json"}).json_lines();
        REQUIRE(nodes.size() == 4);
        std::vector<std::pair<int, int>> places;
        for (const auto& node : nodes)
            places.emplace_back(node.at("position").get<int>(), node.at("depth").get<int>());
        CHECK(places == std::vector<std::pair<int, int>>{{1, 0}, {2, 1}, {4, 2}, {5, 1}});
        CHECK(nodes.at(0).at("causation_id").is_null());
        CHECK(nodes.at(1).at("causation_id") == placed);
        CHECK(nodes.at(2).at("stream") == "Mail/7");
        CHECK(nodes.at(2).at("type") == "Sent");
        CHECK(nodes.at(2).at("id") == log.at(3).at("id"));
    }
    const auto ran = at.stele({"trace", "2"});
    CHECK_THAT(ran.out, ContainsSubstring("       1  Placed      Order/7  "));
    CHECK_THAT(ran.out, ContainsSubstring("       2  ├─ Billed   Bill/7   "));
    CHECK_THAT(ran.out, ContainsSubstring("asked for"));
    CHECK_THAT(ran.out, ContainsSubstring("       4  │  └─ Sent  Mail/7   "));
    CHECK_THAT(ran.out, ContainsSubstring("       5  └─ Told     Order/7  "));
    CHECK(at.stele({"trace", "9"}).status == 4);
    CHECK(at.stele({"trace", "9", "--correlation"}).status == 4);
    CHECK(at.stele({"trace", "no-such-request"}).status == 4);
    CHECK(at.stele({"trace"}).status == 2);
}

// ---- find

TEST_CASE("find prints the events for which a condition holds", "[e2e][find]") {
    Workplace at;
    at.write("lines.jsonl", test::event_lines(100));
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);
    const auto found = at.stele({"find", "$data(n) > 97", "--json"}).json_lines();
    CHECK(test::numbers_in(found) == std::vector<int>{98, 99, 100});
    CHECK(found.at(0) == at.log().at(97));
    CHECK(test::numbers_in(
              at.stele({"find", "$data(n) > 50", "--backward", "--limit", "2", "--json"}).json_lines()) ==
          std::vector<int>{100, 99});
    CHECK(at.stele({"find", "$data(n) % 10 = 0", "--count"}).out == "10\n");
    CHECK(at.stele({"find", "$position <= 20", "--count", "--json"}).json() ==
          json{{"events", 20}, {"looked_at", 20}});
    CHECK(at.stele({"find", "$data(n) > 0", "Site/site-0", "--type", "Counted", "--count"}).status == 0);
    CHECK(at.stele({"find", "$data(n) > 0", "--type", "Nothing", "--json"}).out.empty());
    CHECK_THAT(at.stele({"find", "$data(n) > 99"}).out, ContainsSubstring("POSITION"));

    const auto plan = at.stele({"find", "$type = 'Counted' AND $position > 90 AND $data(n) > 5", "--explain"});
    CHECK_THAT(plan.out, ContainsSubstring("by the index of types"));
    CHECK_THAT(plan.out, ContainsSubstring("positions: from 91"));
}

TEST_CASE("a condition that find cannot compute ends with its place", "[e2e][find]") {
    Workplace at;
    seeded(at);
    const auto wrong = at.stele({"find", "$data(n) >"});
    CHECK(wrong.status == 1);
    CHECK_THAT(wrong.err, ContainsSubstring("condition:1: expected SQL that SQLite can compile, found the end"));
    const auto state = at.stele({"find", "$state(n) > 5"});
    CHECK(state.status == 1);
    CHECK_THAT(state.err, ContainsSubstring("expected a placeholder"));
    const auto fails = at.stele({"find", "json($data(domain)) IS 1", "--json"});
    CHECK(fails.status == 1);
    CHECK(fails.error().at("code") == "condition_failed");
    CHECK(fails.error().at("position") == 1);
    CHECK(at.stele({"find", "1", "Site/9"}).status == 4);
    const auto large = at.stele({"find", "length(zeroblob(1e9)) > 0"});
    CHECK(large.status == 1);
    CHECK_THAT(large.err, ContainsSubstring("found a text or blob of more than 16777216 bytes"));
}

// ---- A long history

TEST_CASE("curl's history: a file as it was at the checkpoints, and the commits that made it so", "[e2e][blame]") {
    const auto history = test::curl_history();
    const bool is_whole = history.lines.size() > 1'000;
    const std::string path = is_whole ? "lib/url.c" : "lib/mk-ca-bundle.pl";
    // The file's events alone, and what is known of it: field, value, commit.
    std::string lines;
    std::vector<std::int64_t> positions;  // in the whole history
    json blob;
    json commit;
    for (std::size_t i = 0; i < history.lines.size(); ++i) {
        if (history.lines[i].find('"' + path + '"') == std::string::npos) continue;
        const auto entry = json::parse(history.lines[i]);
        if (entry.at("aggregate_id") != path) continue;
        lines += history.lines[i] + '\n';
        positions.push_back(static_cast<std::int64_t>(i) + 1);
        const auto now = entry.at("type") == "FileDeleted" ? json{} : entry.at("data").at("blob");
        if (now != blob) commit = entry.at("metadata").at("correlation_id");
        blob = now;
    }
    const Workplace at;
    at.write("file.jsonl", lines);
    REQUIRE(at.stele({"import", "file.jsonl"}).status == 0);
    const std::vector<std::string> folded{"--aggregate",
                                          std::string{STELE_SOURCES} + "/examples/history/aggregates/file.sql"};
    const auto ask = [&](std::vector<std::string> words) {
        words.insert(words.end(), folded.begin(), folded.end());
        words.emplace_back("--json");
        const auto ran = at.stele(words);
        INFO(ran);
        REQUIRE(ran.status == 0);
        return ran.json();
    };

    int checked = 0;
    for (const auto& checkpoint : history.checkpoints) {
        const auto versions = std::upper_bound(positions.begin(), positions.end(), checkpoint.position);
        const auto version = versions - positions.begin();
        if (version == 0) continue;
        const auto state = ask({"replay", "file/" + path, "--at-version", std::to_string(version)}).at("state");
        if (state.at("deleted") == true) continue;
        const auto row = path + "," + state.at("mode").get<std::string>() + "," +
                         state.at("blob").get<std::string>() + "," + state.at("lines").dump();
        CAPTURE(row);
        CHECK(checkpoint.files.count(row) == 1);
        ++checked;
    }
    CHECK(checked >= (is_whole ? 4 : 1));

    const auto blamed = ask({"blame", "file/" + path, "/blob"});
    CHECK(blamed.at("value") == blob);
    CHECK(blamed.at("correlation_id") == commit);
}
