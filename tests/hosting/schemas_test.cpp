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

// By type. A file is named TYPE.vVERSION.json.
std::map<std::string, json> schemas() {
    std::map<std::string, json> all;
    for (const auto& entry : std::filesystem::directory_iterator{std::string{HOSTING} + "/schemas"}) {
        const auto name = entry.path().filename().string();
        CAPTURE(name);
        REQUIRE(name.ends_with(".v1.json"));
        all[name.substr(0, name.find('.'))] = json::parse(std::ifstream{entry.path()});
    }
    return all;
}

TEST_CASE("every event of the generator satisfies the schema of its type", "[hosting][schemas]") {
    const auto all = schemas();
    CHECK(all.size() == 7);
    std::map<std::string, std::set<std::string>> values_seen;
    for (const auto& fact : facts_of(generated({20'000, 41}))) {
        CAPTURE(fact.position, fact.type, fact.data_text);
        REQUIRE(all.contains(fact.type));
        CHECK(wrong_with(fact.data, all.at(fact.type)) == "");
        for (const auto& [name, value] : fact.data.items()) {
            if (value.is_string()) values_seen[fact.type + "." + name].insert(value.get<std::string>());
        }
    }
    // And the schemas allow no value that never comes.
    for (const auto& [type, schema] : all) {
        CHECK(schema.at("title") == type);
        for (const auto& [name, part] : schema.at("properties").items()) {
            if (!part.contains("enum")) continue;
            CAPTURE(type, name);
            CHECK(values_seen[type + "." + name] == part.at("enum").get<std::set<std::string>>());
        }
    }
}

TEST_CASE("what a schema does not allow is found", "[hosting][schemas]") {
    const auto created = schemas().at("SiteCreated");
    const json good{{"domain", "a.example"}, {"plan", "pro"}, {"region", "fra1"}};
    CHECK(wrong_with(good, created) == "");
    CHECK(wrong_with(json::array(), created) != "");
    for (const auto& [name, value] : std::vector<std::pair<std::string, json>>{
             {"domain", ""}, {"domain2", "x"}, {"plan", "free"}, {"region", 4}, {"domain", nullptr}}) {
        auto bad = good;
        bad[name] = value;
        CAPTURE(bad);
        CHECK(wrong_with(bad, created) != "");
    }
    auto incomplete = good;
    incomplete.erase("plan");
    CHECK(wrong_with(incomplete, created) == "plan is missing");
}

}  // namespace
}  // namespace hosting::test
