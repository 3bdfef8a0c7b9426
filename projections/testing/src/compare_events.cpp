#include <stele/replay/json_diff.hpp>
#include <stele/testing/outcome.hpp>

#include <algorithm>
#include <sstream>

namespace stele::testing::detail {
namespace {

using nlohmann::json;

std::string line_of(const NewEvent& event) {
    std::string line = event.type + " v" + std::to_string(event.schema_version) + " " + event.data.text();
    if (event.metadata.text() != "{}") line += " by " + event.metadata.text();
    for (const auto& tag : event.tags) line += " #" + tag;
    return line;
}

// The patch from what was expected to what was found, said member by member. The places of an operation are those
// of the value as the operations before it leave it, so it is changed along.
void describe(std::ostream& out, const std::string& where, json expected, const json& found) {
    for (const auto& operation : json_diff(expected, found)) {
        const auto path = operation.at("path").get<std::string>();
        const auto kind = operation.at("op").get<std::string>();
        const json::json_pointer pointer{path};
        out << "     " << where << path << ": ";
        if (kind == "add") {
            out << "not expected, found " << operation.at("value").dump();
        } else if (kind == "remove") {
            out << "expected " << expected.at(pointer).dump() << ", found nothing";
        } else {
            out << "expected " << expected.at(pointer).dump() << ", found " << operation.at("value").dump();
        }
        out << '\n';
        expected.patch_inplace(json::array({operation}));
    }
}

void compare(std::ostream& out, std::size_t number, const NewEvent& expected, const NewEvent& found) {
    std::ostringstream about;
    if (expected.type != found.type)
        about << "     type: expected " << expected.type << ", found " << found.type << '\n';
    if (expected.schema_version != found.schema_version)
        about << "     schema version: expected " << expected.schema_version << ", found " << found.schema_version
              << '\n';
    if (expected.type == found.type) describe(about, "data", expected.data.value(), found.data.value());
    if (expected.metadata.text() != "{}")
        describe(about, "metadata", expected.metadata.value(), found.metadata.value());
    auto expected_tags = expected.tags;
    auto found_tags = found.tags;
    std::sort(expected_tags.begin(), expected_tags.end());
    std::sort(found_tags.begin(), found_tags.end());
    if (expected_tags != found_tags)
        about << "     tags: expected " << json(expected.tags).dump() << ", found " << json(found.tags).dump()
              << '\n';
    if (!about.str().empty()) out << "  event " << number << ":\n" << about.str();
}

}  // namespace

std::string listed(const std::vector<NewEvent>& events, std::string_view indent) {
    if (events.empty()) return std::string{indent} + "no events\n";
    std::string text;
    int number = 0;
    for (const auto& event : events)
        text += std::string{indent} + std::to_string(++number) + ". " + line_of(event) + "\n";
    return text;
}

std::string differences(const std::vector<NewEvent>& expected, const std::vector<NewEvent>& found) {
    std::ostringstream out;
    for (std::size_t i = 0; i < std::max(expected.size(), found.size()); ++i) {
        if (i >= found.size()) {
            out << "  event " << i + 1 << ":\n     expected " << line_of(expected[i]) << ", found nothing\n";
        } else if (i >= expected.size()) {
            out << "  event " << i + 1 << ":\n     not expected, found " << line_of(found[i]) << '\n';
        } else {
            compare(out, i + 1, expected[i], found[i]);
        }
    }
    return out.str();
}

// ---- Outcomes

Outcome outcome_of(const std::function<std::vector<NewEvent>()>& decide) {
    Outcome outcome;
    try {
        outcome.events = decide();
    } catch (const std::exception& error) {
        outcome.error = std::current_exception();
        outcome.error_text = readable(typeid(error).name()) + ": " + error.what();
    } catch (...) {
        outcome.error = std::current_exception();
        outcome.error_text = "an error that is no std::exception";
    }
    return outcome;
}

std::string difference(const Outcome& first, const Outcome& second) {
    const std::string_view twice = "  decided a second time on the same events, it came to something else:\n";
    if (first.error_text != second.error_text) {
        const auto said = [](const Outcome& one) { return one.error ? one.error_text : "events"; };
        return std::string{twice} + "     first " + said(first) + ", then " + said(second) + "\n";
    }
    const auto different = differences(first.events, second.events);
    return different.empty() ? "" : std::string{twice} + different;
}

}  // namespace stele::testing::detail
