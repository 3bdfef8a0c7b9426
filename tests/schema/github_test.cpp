// GitHub's webhook payloads against GitHub's schema: large schemas and values as people write them. Another
// implementation, Ajv, has said which fit; see data/README.md.
#include <stele/schema/json_schema.hpp>
#include <stele/test/catch.hpp>

#include <nlohmann/json.hpp>

#include <zlib.h>

#include <array>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace stele;
using nlohmann::json;

std::string unpacked(const std::string& name) {
    const auto path = std::string(STELE_SCHEMA_TEST_DATA) + '/' + name;
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file{gzopen(path.c_str(), "rb"), &gzclose};
    if (!file) throw std::runtime_error("cannot open " + path);
    std::string text;
    std::array<char, 1 << 16> buffer;
    int size = 0;
    while ((size = gzread(file.get(), buffer.data(), buffer.size())) > 0) {
        text.append(buffer.data(), static_cast<std::size_t>(size));
    }
    if (size < 0) throw std::runtime_error("cannot read " + path);
    return text;
}

std::vector<json> lines_of(const std::string& text) {
    std::vector<json> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
    return lines;
}

/// The schemas of single events, compiled when they are first asked for.
class EventSchemas {
public:
    explicit EventSchemas(json all) : document_(std::move(all)) { document_.erase("oneOf"); }

    const JsonSchema& at(const std::string& definition) {
        const auto known = compiled_.find(definition);
        if (known != compiled_.end()) return known->second;
        document_["$ref"] = "#/definitions/" + definition;
        return compiled_.emplace(definition, JsonSchema::compile(JsonText{document_})).first->second;
    }

private:
    json document_;
    std::map<std::string, JsonSchema> compiled_;
};

}  // namespace

TEST_CASE("GitHub's payloads are judged as Ajv judges them", "[schema][github]") {
    const auto document = unpacked("github-schema.json.gz");
    const auto any = JsonSchema::compile(JsonText::parse(document));
    EventSchemas by_event{json::parse(document)};
    const auto payloads = lines_of(unpacked("github-payloads.jsonl.gz"));
    const auto cases = lines_of(unpacked("github-cases.jsonl.gz"));
    REQUIRE(payloads.size() > 400);
    REQUIRE(cases.size() == 5 * payloads.size());

    int accepted = 0;
    int refused = 0;
    for (const auto& one : cases) {
        const auto& line = payloads.at(one.at("payload").get<std::size_t>());
        const auto value = line.at("payload").patch(one.at("change"));
        const JsonText text{value};
        CAPTURE(line.at("event").get<std::string>(), one.dump());

        const auto violation = any.check(text);
        (violation ? refused : accepted)++;
        CHECK(violation.has_value() != one.at("any").get<bool>());
        CHECK(any.check(value).has_value() == violation.has_value());
        if (violation) CHECK_FALSE(violation->expected.empty());

        if (!one.at("definition").is_string()) continue;
        const auto& schema = by_event.at(one.at("definition").get<std::string>());
        CHECK(schema.check(text).has_value() != one.at("event").get<bool>());
    }
    CHECK(accepted > 300);
    CHECK(refused > 1500);
}
