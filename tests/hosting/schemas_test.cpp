// The JSON Schemas of examples/hosting say what the generator writes.
#include "platform.hpp"

#include <filesystem>
#include <fstream>
#include <set>

namespace hosting::test {
namespace {

using nlohmann::json;

// What is wrong with `value`, empty where nothing is. Knows the keywords that the example's schemas use, and
// refuses every other one, so that none is taken for checked.
std::string wrong_with(const json& value, const json& schema) {
    for (const auto& [keyword, rule] : schema.items()) {
        if (keyword == "$schema" || keyword == "title" || keyword == "description") continue;
        if (keyword == "type") {
            const bool fits = rule == "object"    ? value.is_object()
                              : rule == "string"  ? value.is_string()
                              : rule == "integer" ? value.is_number_integer()
                                                  : false;
            if (!fits) return "not of type " + rule.get<std::string>();
        } else if (keyword == "properties") {
            for (const auto& [name, part] : rule.items()) {
                if (!value.contains(name)) continue;
                if (const auto wrong = wrong_with(value.at(name), part); !wrong.empty()) return name + ": " + wrong;
            }
        } else if (keyword == "required") {
            for (const auto& name : rule) {
                if (!value.contains(name.get<std::string>())) return name.get<std::string>() + " is missing";
            }
        } else if (keyword == "additionalProperties" && rule == false) {
            for (const auto& [name, part] : value.items()) {
                if (!schema.at("properties").contains(name)) return name + " is too much";
            }
        } else if (keyword == "enum") {
            if (std::find(rule.begin(), rule.end(), value) == rule.end()) return "not one of " + rule.dump();
        } else if (keyword == "minLength") {
            if (!value.is_string() || value.get<std::string>().size() < rule.get<std::size_t>()) return "too short";
        } else if (keyword == "minimum") {
            if (!value.is_number_integer() || value.get<std::int64_t>() < rule.get<std::int64_t>())
                return "too small";
        } else {
            return "a keyword that this test does not know: " + keyword;
        }
    }
    return "";
}

// By type and version, as in "SiteCreated.v2". A file is named TYPE.vVERSION.json.
std::map<std::string, json> schemas() {
    std::map<std::string, json> all;
    for (const auto& entry : std::filesystem::directory_iterator{std::string{HOSTING} + "/schemas"}) {
        if (entry.path().extension() != ".json") continue;
        all[entry.path().stem().string()] = json::parse(std::ifstream{entry.path()});
    }
    return all;
}

// How many events of `store` there are, each of which satisfies the schema of its type and version.
int satisfied(const EventStore& store, const stele::Read& read) {
    const auto all = schemas();
    int events = 0;
    for (const stele::Event& event : store.read(read)) {
        const auto kind = event.type + ".v" + std::to_string(event.schema_version);
        CAPTURE(kind, event.data.text());
        REQUIRE(all.contains(kind));
        CHECK(wrong_with(event.data.value(), all.at(kind)) == "");
        ++events;
    }
    return events;
}

TEST_CASE("every event of the generator satisfies the schema of its type", "[hosting][schemas]") {
    const auto all = schemas();
    CHECK(all.size() == 8);
    std::set<std::string> kinds_seen;
    std::map<std::string, std::set<std::string>> values_seen;
    for (const auto& [stream, event] : generated({20'000, 41})) {
        const auto kind = event.type + ".v" + std::to_string(event.schema_version);
        CAPTURE(stream, kind, event.data.text());
        REQUIRE(all.contains(kind));
        const auto data = event.data.value();
        CHECK(wrong_with(data, all.at(kind)) == "");
        kinds_seen.insert(kind);
        for (const auto& [name, value] : data.items()) {
            if (value.is_string()) values_seen[kind + "." + name].insert(value.get<std::string>());
        }
    }
    // Version 2 alone is written of what has two. And the schemas allow no value that never comes.
    CHECK(kinds_seen.size() == 7);
    CHECK(kinds_seen.count("SiteCreated.v2") == 1);
    for (const auto& [kind, schema] : all) {
        CHECK(schema.at("title") == kind.substr(0, kind.find('.')));
        if (!kinds_seen.contains(kind)) continue;
        for (const auto& [name, part] : schema.at("properties").items()) {
            if (!part.contains("enum")) continue;
            CAPTURE(kind, name);
            CHECK(values_seen[kind + "." + name] == part.at("enum").get<std::set<std::string>>());
        }
    }
}

TEST_CASE("what a schema does not allow is found", "[hosting][schemas]") {
    const auto created = schemas().at("SiteCreated.v2");
    const json good{{"domain", "a.example"}, {"plan", "pro"}, {"region", "fra1"}, {"backup_every_days", 1}};
    CHECK(wrong_with(good, created) == "");
    CHECK(wrong_with(json::array(), created) != "");
    for (const auto& [name, value] : std::vector<std::pair<std::string, json>>{{"domain", ""},
                                                                               {"domain2", "x"},
                                                                               {"plan", "free"},
                                                                               {"region", 4},
                                                                               {"domain", nullptr},
                                                                               {"backup_every_days", 0}}) {
        auto bad = good;
        bad[name] = value;
        CAPTURE(bad);
        CHECK(wrong_with(bad, created) != "");
    }
    auto incomplete = good;
    incomplete.erase("plan");
    CHECK(wrong_with(incomplete, created) == "plan is missing");
}

TEST_CASE("what was written as version 1 satisfies its schema as it stands, and version 2's when it is read",
          "[hosting][schemas]") {
    auto store = new_store(event_types());  // which checks what is appended, too
    append(store, lines_in(DATA "/site_created_v1.jsonl"));
    CHECK(satisfied(store, stele::Read{}.raw()) == 120);
    CHECK(satisfied(store, stele::Read{}) == 120);
}

}  // namespace
}  // namespace hosting::test
