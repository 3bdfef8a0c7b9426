// Upcasters and recorded schemas, from the command line.
#include "curl_history.hpp"
#include "workplace.hpp"

#include <stele/test/catch.hpp>

#include <fstream>
#include <iterator>

using namespace stele;
using nlohmann::json;
using test::Workplace;

namespace {

constexpr auto from_v1 = "json_set($data, '$.plan', 'basic')\n";
constexpr auto second_schema =
    R"({"type":"object","required":["domain","plan"],"properties":{"domain":{"type":"string"}}})";

std::string site(const std::string& id, const std::string& data) {
    return R"({"aggregate_type":"Site","aggregate_id":")" + id + R"(","type":"SiteCreated","data":)" + data + "}\n";
}

std::vector<json> data_in(const test::Ran& ran) {
    std::vector<json> all;
    for (const auto& line : ran.json_lines()) all.push_back(line.at("data"));
    return all;
}

}  // namespace

TEST_CASE("the project's upcasters stand between the log and every command, unless --raw says otherwise",
          "[e2e][schema]") {
    const Workplace at;
    at.write("events.jsonl", site("1", R"({"domain":"a.org"})") + site("2", R"({"domain":"b.org"})"));
    REQUIRE(at.stele({"import", "events.jsonl"}).status == 0);
    const json old{{"domain", "a.org"}};
    CHECK(data_in(at.stele({"events", "--json"})).front() == old);

    at.write("stele.toml", "store = \"log.stele\"\n");
    at.write("schemas/SiteCreated.v1-v2.sql", from_v1);
    at.write("schemas/renames.sql", "--@ rename-aggregate Site to Place\n");
    const json today{{"domain", "a.org"}, {"plan", "basic"}};
    const auto events = at.stele({"events", "--json"});
    CHECK(data_in(events).front() == today);
    CHECK(events.json_lines().front().at("schema_version") == 2);
    CHECK(events.json_lines().front().at("aggregate_type") == "Place");
    CHECK(data_in(at.stele({"read", "Place/1", "--json"})).front() == today);
    CHECK(data_in(at.stele({"export"})).front() == today);
    auto state = today;
    state["$type"] = "SiteCreated";
    CHECK(at.stele({"replay", "Site/1", "--json"}).json().at("state") == state);
    for (const auto& command : std::vector<std::vector<std::string>>{
             {"events", "--json", "--raw"}, {"read", "Site/1", "--json", "--raw"}, {"export", "--raw"}}) {
        CHECK(data_in(at.stele(command)).front() == old);
    }

    // An upcaster that fails is told with its place, and what only looks at the store goes on.
    at.write("schemas/SiteCreated.v1-v2.sql", "json_extract($data(domain), '$.x')\n");
    const auto failed = at.stele({"events", "--json"});
    CHECK(failed.status == 1);
    CHECK(failed.error().at("code") == "upcast");
    CHECK_THAT(failed.err, ContainsSubstring("SiteCreated.v1-v2.sql:1: position 1, Place/1 version 1"));
    at.write("schemas/SiteCreated.v1-v2.sql", "random()\n");
    CHECK(at.stele({"events"}).status == 1);
    CHECK(at.stele({"status"}).status == 0);
    const auto checked = at.stele({"check-config"});
    CHECK(checked.status == 1);
    CHECK_THAT(checked.out, ContainsSubstring("SiteCreated.v1-v2.sql:1: expected a deterministic function"));
}

// Goal:   what is asked of a history is answered from what is stored, where --raw asks for that.
// Method: Site/1 of a project that renames its aggregate to Place, drops Noted and makes the limit of SiteCreated
// ten
//         times what it was; each question once as the project sees it, and once raw.
TEST_CASE("with --raw replay and its questions are about what is stored", "[e2e][schema][replay]") {
    const Workplace at;
    at.write("events.jsonl",
             site("1", R"({"limit":1})") +
                 R"({"aggregate_type":"Site","aggregate_id":"1","type":"Noted","data":{"note":"n"}})" + "\n" +
                 R"({"aggregate_type":"Site","aggregate_id":"1","type":"LimitSet","data":{"limit":3}})" + "\n");
    REQUIRE(at.stele({"import", "events.jsonl"}).status == 0);
    at.write("stele.toml", "store = \"log.stele\"\n");
    at.write("schemas/SiteCreated.v1-v2.sql", "json_object('limit', 10 * $data(limit))\n");
    at.write("schemas/Noted.v1-v2.sql", "--@ drop\n");
    at.write("schemas/renames.sql", "--@ rename-aggregate Site to Place\n--@ rename LimitSet to LimitChanged\n");
    at.write("aggregates/Place.sql",
             "--@ aggregate Place version 1\n--@ on SiteCreated\n$data\n--@ on LimitChanged\n$data\n");
    at.write("aggregates/Site.sql",
             "--@ aggregate Site version 1\n--@ on SiteCreated\n$data\n--@ on Noted\n"
             "json_set($state, '$.note', $data(note))\n--@ on LimitSet\n"
             "json_set($state, '$.limit', $data(limit))\n");
    using Command = std::vector<std::string>;
    const auto ask = [&](Command command) {
        command.emplace_back("--json");
        const auto ran = at.stele(command);
        CAPTURE(ran);
        REQUIRE(ran.status == 0);
        return ran.json_lines();
    };
    const auto raw = [&](Command command) {
        command.emplace_back("--raw");
        return ask(std::move(command));
    };

    CHECK(ask({"replay", "Place/1"}).front().at("state") == json{{"limit", 3}});
    CHECK(raw({"replay", "Site/1"}).front().at("state") == json{{"limit", 3}, {"note", "n"}});
    CHECK(ask({"replay", "Place/1", "--at-version", "1"}).front().at("state") == json{{"limit", 10}});
    CHECK(raw({"replay", "Site/1", "--at-version", "1"}).front().at("state") == json{{"limit", 1}});
    CHECK(ask({"replay", "Place/1", "--steps"}).size() == 2);
    const auto steps = raw({"replay", "Site/1", "--steps"});
    REQUIRE(steps.size() == 3);
    CHECK(steps.back().at("event").at("type") == "LimitSet");
    CHECK(steps.back().at("event").at("schema_version") == 1);
    CHECK(raw({"replay", "Site/1", "--without", "2"}).front().at("other") == json{{"limit", 3}});

    CHECK(raw({"diff", "Site/1", "1", "2"}).front().at("patch") ==
          json::parse(R"([{"op":"add","path":"/note","value":"n"}])"));
    CHECK(raw({"blame", "Site/1", "/limit"}).front().at("type") == "LimitSet");
    CHECK(raw({"bisect", "Site/1", "$state(note) = 'n'"}).front().at("version") == 2);
    CHECK(at.stele({"bisect", "Place/1", "$state(note) = 'n'"}).status == 4);
    CHECK(raw({"find", "$data(note) = 'n'", "Site/1"}).size() == 1);
    CHECK(raw({"trace", "2"}).front().at("type") == "Noted");

    // By the name of today, there is nothing stored.
    const auto unknown = at.stele({"replay", "Place/1", "--raw", "--json"});
    CHECK(unknown.status == 4);
    CHECK(unknown.error().at("code") == "not_found");

    // What is stored can be asked for whatever is wrong with upcasters.
    at.write("schemas/SiteCreated.v1-v2.sql", "json_extract($type, '$.x')\n");
    CHECK(at.stele({"replay", "Place/1"}).status == 1);
    CHECK(raw({"replay", "Site/1"}).front().at("version") == 3);
    at.write("schemas/SiteCreated.v1-v2.sql", "random()\n");
    CHECK(at.stele({"diff", "Place/1", "1", "2"}).status == 1);
    CHECK(raw({"diff", "Site/1", "1", "2"}).front().at("to") == 2);
}

TEST_CASE("streams under two names of one aggregate type are read raw, and joined in another store",
          "[e2e][upcast]") {
    Workplace at;
    at.write("stele.toml", "store = \"a.stele\"\n");
    for (const auto* const stream : {"Website/1", "Site/1", "Website/1", "Site/2"})
        REQUIRE(at.stele({"append", stream, "Changed", "--data", "{}"}).status == 0);
    at.write("schemas/renames.sql", "--@ rename-aggregate Website to Site\n");

    const auto refused = at.stele({"read", "Site/1", "--json"});
    CHECK(refused.status == 1);
    CHECK(refused.error().at("code") == "aggregate_names");
    CHECK_THAT(refused.error().at("message").get<std::string>(), ContainsSubstring("export --raw FILE"));
    CHECK(at.stele({"events", "--raw", "--json"}).json_lines().size() == 4);
    CHECK(at.stele({"read", "Website/1", "--raw", "--json"}).json_lines().size() == 2);
    CHECK(at.stele({"replay", "Site/1", "--raw", "--json"}).status == 0);

    REQUIRE(at.stele({"export", "--raw", "all.jsonl"}).status == 0);
    REQUIRE(at.stele({"--store", "b.stele", "import", "all.jsonl"}).status == 0);
    const auto joined = at.stele({"--store", "b.stele", "read", "Site/1", "--json"}).json_lines();
    REQUIRE(joined.size() == 3);
    CHECK(joined[2].at("position") == 3);
    CHECK(joined[2].at("version") == 3);
    CHECK(at.stele({"--store", "b.stele", "read", "Site/2", "--json"}).json_lines().size() == 1);
}

TEST_CASE("schemas are recorded, listed and shown, and checked by append and import in every mode",
          "[e2e][schema]") {
    const Workplace at;
    at.write("stele.toml", "store = \"log.stele\"\n");
    at.write("schemas/SiteCreated.v1.json", R"({"properties":{"domain":{"type":"string"}}})");
    const auto bad = at.stele({"append", "Site/1", "SiteCreated", "--data", R"({"domain":1})", "--json"});
    CHECK(bad.status == 1);
    CHECK(bad.error().at("code") == "schema_violation");
    CHECK(bad.error().at("pointer") == "/domain");
    CHECK(at.stele({"append", "Site/1", "SiteCreated", "--data", R"({"domain":"a.org"})"}).status == 0);
    CHECK(at.stele({"schema", "add"}).out == "1 schema known already\n");

    at.write("schemas/SiteCreated.v1.json", "{}");
    const auto changed = at.stele({"append", "Site/1", "SiteCreated", "--json"});
    CHECK(changed.status == 1);
    CHECK(changed.error().at("code") == "schema_changed");
    CHECK(at.stele({"events"}).status == 0);

    at.write("schemas/SiteCreated.v1.json", R"({ "properties": {"domain": {"type": "string"}} })");
    at.write("schemas/SiteCreated.v2.json", second_schema);
    CHECK(at.stele({"schema", "add", "SiteCreated"}).out == "SiteCreated v2: recorded\n1 schema known already\n");
    const auto list = at.stele({"schema", "list", "--json"}).json_lines();
    REQUIRE(list.size() == 2);
    CHECK(list[0].at("count") == 1);
    CHECK(list[1].at("recorded") == true);
    CHECK(at.stele({"schema", "show", "SiteCreated", "2"}).out == std::string{second_schema} + "\n");
    CHECK(at.stele({"schema", "show", "SiteCraeted"}).status == 4);

    CHECK(at.stele({"schema", "mode"}).out == "declared\n");
    CHECK(at.stele({"schema", "mode", "strict"}).out == "strict\n");
    CHECK(at.stele({"append", "Site/1", "Unheard"}).status == 1);
    CHECK(at.stele({"schema", "mode", "loose"}).status == 2);
    CHECK(at.stele({"schema", "mode", "off"}).out == "off\n");
    CHECK(at.stele({"append", "Site/1", "SiteCreated", "--data", "1"}).status == 0);
}

TEST_CASE("an import treats an event that breaks its schema like a line that is wrong", "[e2e][schema]") {
    const Workplace at;
    at.write("stele.toml", "store = \"log.stele\"\n");
    at.write("schemas/SiteCreated.v1.json", R"({"required":["domain"]})");
    at.write("events.jsonl", site("1", R"({"domain":"a"})") + site("2", "{}") + site("3", R"({"domain":"c"})"));

    const auto stopped = at.stele({"import", "events.jsonl", "--json"});
    CHECK(stopped.status == 1);
    CHECK(stopped.error().at("line") == 2);
    CHECK_THAT(stopped.err, ContainsSubstring("SiteCreated v1: data"));
    CHECK(at.log().size() == 1);
    CHECK(at.stele({"import", "events.jsonl", "--on-error", "quarantine=wrong.jsonl"}).status == 0);
    CHECK(at.log().size() == 2);
    CHECK(at.text_of("wrong.jsonl") == site("2", "{}"));
}

TEST_CASE("an import passes over what the store has, whatever has been recorded or changed since",
          "[e2e][schema]") {
    const Workplace at;
    at.write("events.jsonl", site("1", R"({"domain":"a"})") + site("2", "{}"));
    REQUIRE(at.stele({"import", "events.jsonl"}).status == 0);
    at.write("copy.jsonl", at.stele({"export"}).out);
    at.write("stele.toml", "store = \"log.stele\"\n");
    at.write("schemas/SiteCreated.v1.json", R"({"required":["domain"]})");
    at.write("schemas/SiteCreated.v1-v2.sql", "--@ drop\n");

    const auto again = at.stele({"import", "copy.jsonl", "--json"});
    CAPTURE(again);
    CHECK(again.status == 0);
    CHECK(again.json().at("duplicates") == 2);
}

TEST_CASE("schema test upcasts everything that is stored and checks it against the newest schema",
          "[e2e][schema]") {
    const Workplace at;
    at.write("events.jsonl",
             site("1", R"({"domain":"a"})") + site("2", R"({"domain":2})") + site("3", R"({"domain":"c"})"));
    REQUIRE(at.stele({"import", "events.jsonl"}).status == 0);
    at.write("stele.toml", "store = \"log.stele\"\n");
    at.write("schemas/SiteCreated.v2.json", second_schema);
    at.write("schemas/SiteCreated.v1-v2.sql", from_v1);

    const auto tested = at.stele({"schema", "test", "--json"});
    CHECK(tested.status == 1);
    const auto lines = tested.json_lines();
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].at("position") == 2);
    CHECK(lines[0].at("pointer") == "/domain");
    CHECK(lines[1].at("count") == 3);
    CHECK(lines[1].at("wrong") == 1);

    at.write("schemas/SiteCreated.v1-v2.sql",
             "json_object('domain', CAST($data(domain) AS TEXT), 'plan', 'basic')");
    CHECK(at.stele({"schema", "test", "SiteCreated"}).status == 0);
    CHECK(data_in(at.stele({"events", "--raw", "--json"})).front() == json{{"domain", "a"}});
    CHECK(at.stele({"schema", "list", "--json"}).json_lines().back().at("recorded") == false);
}

// Goal:   a read model of curl's files is the same whether its handlers know the types of before or those of today.
// Method: the project of examples/history as it is; and one whose upcasters rename FileModified and split the mode
//         of a file into its kind and its permissions, with handlers for that. Both rebuilt over the same log.
TEST_CASE("curl's files through an upcaster that renames and splits are its files without", "[e2e][schema]") {
    const auto history = test::curl_history();
    const Workplace at;
    std::string text;
    for (const auto& line : history.lines) text += line + "\n";
    at.write("history.jsonl", text);
    const auto files = [&] {
        std::ifstream in{std::filesystem::path{STELE_SOURCES} / "examples/history/projections/files.sql"};
        return std::string{std::istreambuf_iterator<char>{in}, {}};
    }();
    at.write("before/stele.toml", "store = \"../log.stele\"\n");
    at.write("before/projections/files.sql", files);
    at.write("today/stele.toml", "store = \"../log.stele\"\n");
    at.write("today/schemas/renames.sql", "--@ rename FileModified to FileChanged\n");
    at.write("today/schemas/FileChanged.v1-v2.sql",
             "json_set(json_remove($data, '$.mode'), '$.kind', substr($data(mode), 1, 2), '$.permissions', "
             "substr($data(mode), 3))\n");
    auto handlers = files;
    const std::string named = "--@ on FileModified, FileModeChanged";
    REQUIRE(handlers.find(named) != std::string::npos);
    handlers.replace(handlers.find(named), named.size(),
                     "--@ on FileChanged\n"
                     "UPDATE files SET mode = $data(kind) || $data(permissions), blob = $data(blob),\n"
                     "lines = lines + $data(insertions) - $data(deletions) WHERE path = $aggregate_id;\n"
                     "--@ on FileModeChanged");
    handlers.replace(handlers.find("projection files"), 16, "projection files_today");
    at.write("today/projections/files_today.sql", handlers);

    const auto store = at.path("log.stele").string();
    REQUIRE(at.stele({"--store", store, "import", at.path("history.jsonl").string()}).status == 0);
    REQUIRE(at.stele({"--store", store, "projection", "rebuild", "files"}, {.folder = "before"}).status == 0);
    const auto rebuilt = at.stele({"--store", store, "projection", "rebuild", "files_today"}, {.folder = "today"});
    CAPTURE(rebuilt);
    REQUIRE(rebuilt.status == 0);
    const auto rows = [&](const char* name, const char* folder) {
        return at.stele(
            {"--store", store, "projection", "query", name, "SELECT * FROM files ORDER BY path", "--json"},
            {.folder = folder});
    };
    const auto before = rows("files", "before");
    CHECK(before.status == 0);
    CHECK_FALSE(before.out.empty());
    CHECK(rows("files_today", "today").out == before.out);
}
