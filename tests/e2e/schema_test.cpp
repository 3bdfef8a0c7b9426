// stele schema check, diff, infer and catalog.
#include "workplace.hpp"

#include <stele/schema/event_types.hpp>
#include <stele/schema/json_schema.hpp>
#include <stele/store/event_store.hpp>

#include <zlib.h>

#include <array>
#include <functional>
#include <memory>
#include <stdexcept>

using namespace stele;
using nlohmann::json;
using test::Workplace;

namespace {

const char* const first_version =
    R"({"$schema": "http://json-schema.org/draft-07/schema#", "title": "A site was created",
"type": "object", "required": ["domain"], "properties": {
  "domain": {"type": "string", "description": "without www"},
  "plan": {"enum": ["free", "pro"]},
  "owner": {"$ref": "#/definitions/person"},
  "password": {"x-stele": "forbidden"}},
"definitions": {"person": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}}})";

// One more value of "plan", and one more member that must be there.
std::string second_version(const std::string& required) {
    auto schema = json::parse(first_version);
    schema["properties"]["plan"]["enum"].push_back("team");
    schema["properties"]["region"] = {{"type", "string"}};
    schema["required"] = json::parse(required);
    return schema.dump();
}

// A project with two versions of SiteCreated, three events, a projection and a listener.
void fill(const Workplace& at) {
    at.write("stele.toml",
             "store = \"log.stele\"\n\n[[listener]]\nname = \"mail\"\ntypes = [\"SiteCreated\"]\n"
             "sink = { type = \"jsonl\", path = \"out.jsonl\" }\n");
    at.write("schemas/SiteCreated.v1.json", first_version);
    at.write("schemas/SiteCreated.v2.json", second_version(R"(["domain"])"));
    at.write("projections/sites.sql",
             "--@ projection sites version 1\n--@ create\nCREATE TABLE sites (domain TEXT);\n"
             "--@ on SiteCreated\nINSERT INTO sites VALUES ($data(domain));\n");
    std::string lines;
    for (const auto* event : {R"("type":"SiteCreated","data":{"domain":"a.org"},"metadata":{"actor":"user-7"})",
                              R"("type":"SiteCreated","data":{"domain":"b.org","plan":"pro"})",
                              R"("type":"BackupFailed","data":{"attempt":1,"volume":null})",
                              R"("type":"BackupFailed","data":{"attempt":2,"volume":"data","note":"x"})"}) {
        lines += std::string(R"({"aggregate_type":"Site","aggregate_id":"1",)") + event + "}\n";
    }
    at.write("lines.jsonl", lines);
    const auto imported = at.stele({"import", "lines.jsonl"});
    INFO(imported);
    REQUIRE(imported.status == 0);
}

std::string unpacked(const std::string& name) {
    const auto path = std::string(STELE_SOURCES) + "/tests/e2e/data/" + name;
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file{gzopen(path.c_str(), "rb"), &gzclose};
    if (!file) throw std::runtime_error("cannot open " + path);
    std::string text;
    std::array<char, 1 << 16> buffer;
    for (int size = 0; (size = gzread(file.get(), buffer.data(), buffer.size())) > 0;) {
        text.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return text;
}

}  // namespace

TEST_CASE("schema check says which version breaks what was demanded", "[e2e][schema]") {
    Workplace at;
    fill(at);
    const auto backward = at.stele({"schema", "check"});
    INFO(backward);
    CHECK(backward.status == 0);
    CHECK(backward.out == "SiteCreated v1 -> v2: ok (backward: yes, forward: no)\n");

    const auto full = at.stele({"schema", "check", "--require", "full"});
    CHECK(full.status == 1);
    CHECK(full.out ==
          "SiteCreated v1 -> v2: BREAKS (backward: yes, forward: no)\n"
          "  /properties/plan/enum: values: added \"team\": old readers do not know \"team\"\n");

    at.write("schemas/SiteCreated.v3.json", second_version(R"(["domain","region"])"));
    const auto required = at.stele({"schema", "check", "SiteCreated", "--json"});
    CHECK(required.status == 1);
    REQUIRE(required.json_lines().size() == 2);
    const auto broken = required.json_lines()[1];
    CHECK(broken.at("from") == 2);
    CHECK(broken.at("to") == 3);
    CHECK(broken.at("ok") == false);
    CHECK(broken.at("changes").at(0).at("what") == "\"region\" is required now");

    at.write("schemas/SiteCreated.v2-v3.sql", "json_set($data, '$.region', 'eu')\n");
    const auto upcast = at.stele({"schema", "check"});
    CHECK(upcast.status == 0);
    CHECK(upcast.out.find("an upcaster reads old data") != std::string::npos);

    CHECK(at.stele({"schema", "check", "SiteCreate"}).status == 4);
    CHECK(at.stele({"schema", "check", "--require", "some"}).status == 2);
}

TEST_CASE("schema check compares with another folder, where what is published stays", "[e2e][schema]") {
    Workplace at;
    fill(at);
    at.write("published/SiteCreated.v1.json", first_version);
    CHECK(at.stele({"schema", "check", "--against", "published"}).status == 0);

    auto changed = json::parse(first_version);
    changed["properties"]["plan"]["enum"].push_back("gold");
    at.write("schemas/SiteCreated.v1.json", changed.dump());
    const auto rewritten = at.stele({"schema", "check", "--against", "published", "--require", "none"});
    INFO(rewritten);
    CHECK(rewritten.status == 1);
    CHECK(rewritten.out.find(
              "SiteCreated v1 -> v1: BREAKS: this version is another one in published/SiteCreated.v1.json") == 0);
    CHECK(at.stele({"schema", "check", "--against", "nowhere"}).status == 4);

    // A misspelt name is refused here as it is wherever a store is opened.
    at.write("published/SiteCreated.v02.json", first_version);
    const auto misspelt = at.stele({"schema", "check", "--against", "published"});
    CHECK(misspelt.status == 1);
    CHECK(misspelt.err.find("a name such as SiteCreated.v2.json") != std::string::npos);
}

TEST_CASE("schema check compares with what the store has recorded", "[e2e][schema]") {
    Workplace at;
    fill(at);  // the import has recorded both
    REQUIRE(EventStore::open(at.path("log.stele").string()).schemas().size() == 2);
    const auto same = at.stele({"schema", "check", "--against", "store", "--json"});
    INFO(same);
    CHECK(same.status == 0);
    REQUIRE(same.json_lines().size() == 2);
    CHECK(same.json_lines()[0].at("older").get<std::string>().find("recorded in ") == 0);

    auto changed = json::parse(first_version);
    changed["properties"]["plan"]["enum"].push_back("gold");
    at.write("schemas/SiteCreated.v1.json", changed.dump());
    CHECK(at.stele({"schema", "check", "--against", "store"}).status == 1);
}

TEST_CASE("schema diff says what changed between two versions", "[e2e][schema]") {
    Workplace at;
    fill(at);
    const auto words = at.stele({"schema", "diff", "SiteCreated"});
    INFO(words);
    CHECK(words.status == 0);
    CHECK(words.out ==
          "SiteCreated v1 -> v2: backward: yes, forward: no\n"
          "  /properties/plan/enum: values: added \"team\"  [forward: breaks]\n"
          "      old readers do not know \"team\"\n"
          "  /properties/region: \"region\" is new\n");

    const auto back = at.stele({"schema", "diff", "SiteCreated", "v2", "1", "--json"}).json();
    CHECK(back.at("from") == 2);
    CHECK(back.at("backward") == "no");
    CHECK(json::parse(at.text_of("schemas/SiteCreated.v2.json")).patch(back.at("patch")) ==
          json::parse(first_version));
    CHECK(at.stele({"schema", "diff", "SiteCreated", "1", "7"}).status == 4);
    CHECK(at.stele({"schema", "diff", "SiteCreated", "1"}).status == 2);
    CHECK(at.stele({"schema", "diff", "SiteCreated", "one", "two"}).status == 2);
}

TEST_CASE("schema infer proposes what the events fit", "[e2e][schema]") {
    Workplace at;
    fill(at);
    const auto inferred = at.stele({"schema", "infer", "BackupFailed"});
    INFO(inferred);
    CHECK(inferred.status == 0);
    auto schema = json::parse(inferred.out);
    schema.erase("$schema");
    CHECK(schema == json::parse(R"({"type":"object","required":["attempt","volume"],"properties":{
        "attempt":{"type":"integer"},"note":{"type":"string"},"volume":{"type":["string","null"]}}})"));
    const auto first = at.stele({"schema", "infer", "BackupFailed", "--limit", "1", "--json"}).json();
    CHECK(first.at("events") == 1);
    CHECK_FALSE(first.at("schema").at("properties").contains("note"));
    const auto unknown = at.stele({"schema", "infer", "BackupFaild"});
    CHECK(unknown.status == 4);
    CHECK(unknown.err.find("stele schema infer BackupFailed") != std::string::npos);
}

// asked.stele: twelve answers, of which half are "aye" and half "nay".
static void fill_with_answers(const Workplace& at) {
    std::string lines;
    for (int n = 0; n < 12; ++n) {
        lines += R"({"aggregate_type":"Site","aggregate_id":"1","type":"Asked","data":{"answer":")" +
                 std::string(n % 2 == 0 ? "aye" : "nay") + "\"}}\n";
    }
    at.write("asked.jsonl", lines);
    REQUIRE(at.stele({"import", "asked.jsonl", "--store", "asked.stele"}).status == 0);
}

TEST_CASE("schema infer proposes values of events only where that is asked for", "[e2e][schema]") {
    const Workplace at;
    fill_with_answers(at);
    const auto proposed = [&](const std::vector<std::string>& more) {
        std::vector<std::string> command{"schema", "infer", "Asked", "--store", "asked.stele", "--json"};
        command.insert(command.end(), more.begin(), more.end());
        return at.stele(command).json().at("schema").at("properties").at("answer");
    };
    CHECK(proposed({}) == json{{"type", "string"}});
    CHECK(proposed({"--enums"}) == json{{"type", "string"}, {"enum", {"aye", "nay"}}});
}

TEST_CASE("schema catalog tells the values of events only where that is asked for", "[e2e][schema]") {
    const Workplace at;
    fill_with_answers(at);
    CHECK(at.stele({"schema", "catalog", "--store", "asked.stele"}).out.find("aye") == std::string::npos);
    CHECK(at.stele({"schema", "catalog", "--store", "asked.stele", "--values"}).out.find("one of: aye, nay") !=
          std::string::npos);
}

TEST_CASE("schema catalog describes every type, with and without a schema", "[e2e][schema]") {
    Workplace at;
    fill(at);
    const auto lines = at.stele({"schema", "catalog", "--json"});
    INFO(lines);
    REQUIRE(lines.status == 0);
    REQUIRE(lines.json_lines().size() == 2);
    const auto backup = lines.json_lines()[0];
    CHECK(backup.at("type") == "BackupFailed");
    CHECK(backup.at("inferred") == true);
    CHECK(backup.at("listeners").empty());
    const auto site = lines.json_lines()[1];
    CHECK(site.at("versions") == json{1, 2});
    CHECK(site.at("events") == 2);
    CHECK(site.at("actors").empty());
    CHECK(at.stele({"schema", "catalog", "--json", "--actors"}).json_lines()[1].at("actors") ==
          json::array({"user-7"}));
    CHECK(site.at("aggregate_types") == json::array({"Site"}));
    CHECK(site.at("projections") == json::array({"sites"}));
    CHECK(site.at("listeners") == json::array({"mail"}));
    std::map<std::string, json> fields;
    for (const auto& field : site.at("fields")) fields[field.at("path")] = field;
    CHECK(fields.at("domain").at("required") == true);
    CHECK(fields.at("domain").at("description") == "without www");
    CHECK(fields.at("owner.name").at("type") == "string");
    CHECK(fields.at("password").at("forbidden") == true);
    CHECK(fields.at("plan").at("description") == "one of: free, pro, team");

    const auto markdown = at.stele({"schema", "catalog"}).out;
    CHECK(markdown.find("## SiteCreated\n\n**A site was created**\n") != std::string::npos);
    CHECK(markdown.find("- listeners: `mail`\n") != std::string::npos);
    CHECK(markdown.find("| `password` |  |  | **forbidden** |") != std::string::npos);
}

TEST_CASE("the catalog is an AsyncAPI document, references within schemas included", "[e2e][schema]") {
    Workplace at;
    fill(at);
    const auto document = json::parse(at.stele({"schema", "catalog", "--format", "asyncapi"}).out);
    CHECK(document.at("asyncapi") == "3.0.0");
    const auto& schema = document.at("components").at("schemas").at("SiteCreated");
    CHECK(schema.at("properties").at("owner").at("$ref") == "#/components/schemas/SiteCreated/definitions/person");
    CHECK_FALSE(schema.contains("$schema"));

    const auto asyncapi = JsonSchema::compile(JsonText::parse(unpacked("asyncapi-3.0.0.json.gz")));
    for (const auto& violation : asyncapi.violations(document)) FAIL_CHECK(to_string(violation));
    auto other = document;
    other["operations"]["append.Site"]["action"] = "append";
    CHECK(asyncapi.check(other));

    // Every reference leads somewhere.
    int references = 0;
    const std::function<void(const json&)> follow = [&](const json& value) {
        for (const auto& part : value) {
            if (part.is_structured()) follow(part);
        }
        if (!value.is_object() || !value.contains("$ref")) return;
        ++references;
        CHECK(document.contains(json::json_pointer(value.at("$ref").get<std::string>().substr(1))));
    };
    follow(document);
    CHECK(references > 8);

    const auto& operations = document.at("operations");
    CHECK(operations.at("append.Site").at("action") == "send");
    CHECK(operations.at("append.Site").at("messages").size() == 2);
    CHECK(operations.at("listener.mail.Site").at("action") == "receive");
    CHECK(operations.at("listener.mail.Site").at("messages").size() == 1);
    CHECK(document.at("channels").at("Site").at("address") == "Site/{id}");

    // The schemas in it are schemas still.
    for (const auto& [name, one] : document.at("components").at("schemas").items()) {
        auto alone = one;
        alone["components"]["schemas"][name] = one;
        CHECK_NOTHROW(JsonSchema::compile(JsonText{alone}));
    }
}
