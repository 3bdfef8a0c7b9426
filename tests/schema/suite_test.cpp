// The JSON Schema Test Suite: what of draft-07 is understood as its authors mean it, and that the schemas of other
// drafts do no harm.
#include <stele/schema/json_schema.hpp>
#include <stele/test/catch.hpp>

#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace stele;
using nlohmann::json;

struct Case {
    std::string name;
    json schema;
    json data;
    bool valid;
};

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() == ".json") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

void for_each_case(const std::filesystem::path& folder, const std::function<void(const Case&)>& visit) {
    for (const auto& file : files_in(folder)) {
        std::ifstream in{file};
        for (const auto& group : json::parse(in)) {
            for (const auto& test : group.at("tests")) {
                visit({file.filename().string() + ": " + group.at("description").get<std::string>() + ": " +
                           test.at("description").get<std::string>(),
                       group.at("schema"), test.at("data"), test.at("valid").get<bool>()});
            }
        }
    }
}

/// "valid", "invalid", or why the schema was refused.
std::string verdict(const Case& one) {
    try {
        const auto schema = JsonSchema::compile(JsonText{one.schema});
        const auto of_text = schema.check(JsonText{one.data});
        const auto of_value = schema.check(one.data);
        if (of_text.has_value() != of_value.has_value()) return "text and value judged differently";
        return of_text ? "invalid" : "valid";
    } catch (const SchemaError& error) {
        return error.what();
    }
}

}  // namespace

TEST_CASE("the required cases of draft-07 come out as its test suite says", "[schema][suite]") {
    int cases = 0;
    int agreed = 0;
    std::ostringstream others;
    for_each_case(std::string(STELE_JSON_SCHEMA_SUITE) + "/draft7", [&](const Case& one) {
        ++cases;
        const auto found = verdict(one);
        if (found == (one.valid ? "valid" : "invalid")) {
            ++agreed;
        } else {
            others << "  " << one.name << '\n';
            INFO(one.name << ": " << found);
            // What is not supported is refused; no schema is misunderstood.
            CHECK(found.find("nothing is fetched") != std::string::npos);
        }
    });
    WARN(agreed << " of " << cases << " cases agree; the others:\n" << others.str());
    CHECK(cases >= 861);
    CHECK(agreed >= cases - 23);
}

TEST_CASE("no schema and no value of any draft does harm", "[schema][suite]") {
    int cases = 0;
    for (const auto& draft : std::filesystem::directory_iterator(STELE_JSON_SCHEMA_SUITE)) {
        for (const auto* folder : {"", "optional", "optional/format"}) {
            const auto cases_in = draft.path() / folder;
            if (!std::filesystem::is_directory(cases_in)) continue;
            for_each_case(cases_in, [&](const Case& one) {
                CAPTURE(one.name);
                CHECK_FALSE(verdict(one).empty());
                ++cases;
            });
        }
    }
    CHECK(cases > 5000);
}
