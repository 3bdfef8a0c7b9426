#include <stele/schema/json_schema.hpp>

#include "json_schema/compiler.hpp"
#include "json_schema/machine.hpp"
#include "json_schema/nlohmann_value.hpp"
#include "json_schema/simd_value.hpp"
#include "sha256.hpp"

#include <simdjson.h>

#include <utility>

namespace stele {

namespace json_schema = detail::json_schema;

struct JsonSchema::Compiled {
    JsonText document;
    std::string file;
    std::string fingerprint;
    json_schema::Program program;
};

namespace {

/// Runs `check(value)` on what `text` says, with simdjson where it can, which is ten times as fast as nlohmann.
/// It cannot hold integers beyond 64 bits. nlohmann makes them doubles, but not numbers such as 1e999.
template <class Check>
auto with_value(const JsonText& text, Check check) -> decltype(check(json_schema::NlohmannValue{})) {
    // Its memory is kept from check to check. One that has grown large is given back.
    thread_local simdjson::dom::parser parser;
    constexpr std::size_t kept = 1 << 20;
    simdjson::dom::element element;
    if (parser.parse(text.text()).get(element) == simdjson::SUCCESS) {
        auto result = check(json_schema::SimdValue{element});
        if (text.text().size() > kept) parser = simdjson::dom::parser{};
        return result;
    }
    try {
        const auto value = text.value();
        return check(json_schema::NlohmannValue{value});
    } catch (const InvalidInput&) {
        return {SchemaViolation{"", "numbers that a double can hold", "one that is larger", ""}};
    }
}

template <class Value>
std::vector<SchemaViolation> explained(const json_schema::Program& program, const Value& value, std::size_t limit) {
    json_schema::Report report{program, limit};
    json_schema::Machine<Value> machine{program, json_schema::Budget{JsonSchema::max_steps}, &report};
    if (machine.fits(program.root, value)) return {};
    auto violations = report.violations();
    if (machine.gave_up()) violations.push_back(*machine.gave_up());
    return violations;
}

template <class Value>
std::vector<SchemaViolation> checked(const json_schema::Program& program, const Value& value, std::size_t limit) {
    json_schema::Machine<Value> machine{program, json_schema::Budget{JsonSchema::max_steps}};
    if (machine.fits(program.root, value)) return {};
    if (machine.gave_up()) return {*machine.gave_up()};
    return explained(program, value, limit);
}

std::optional<SchemaViolation> first(std::vector<SchemaViolation> violations) {
    if (violations.empty()) return std::nullopt;
    return std::move(violations.front());
}

/// How deep a valid JSON text is nested.
int depth_of(std::string_view text) {
    int depth = 0;
    int deepest = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') {
                ++i;
            } else if (c == '"') {
                in_string = false;
            }
            continue;
        }
        in_string = c == '"';
        if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
        if (c == '}' || c == ']') --depth;
    }
    return deepest;
}

std::string sentence(const std::string& file, const std::string& pointer, const std::string& expected,
                     const std::string& found, const std::string& advice) {
    auto text = (file.empty() ? std::string("schema") : file) + ": ";
    if (!pointer.empty()) text += pointer + ": ";
    text += "expected " + expected + ", found " + found;
    if (!advice.empty()) text += "; " + advice;
    return text;
}

}  // namespace

std::string to_string(const SchemaViolation& violation) {
    return (violation.pointer.empty() ? "" : violation.pointer + ": ") + "expected " + violation.expected +
           ", found " + violation.found;
}

std::ostream& operator<<(std::ostream& out, const SchemaViolation& violation) {
    return out << to_string(violation);
}

SchemaError::SchemaError(std::string file, std::string pointer, const std::string& expected,
                         const std::string& found, const std::string& advice)
    : Error("schema", sentence(file, pointer, expected, found, advice),
            {{"file", file}, {"pointer", pointer}, {"expected", expected}, {"found", found}}),
      file_(std::move(file)),
      pointer_(std::move(pointer)) {}

JsonSchema JsonSchema::compile(JsonText document, std::string file) {
    if (const int depth = depth_of(document.text()); depth > max_depth) {
        throw SchemaError(std::move(file), "", "a schema of at most " + std::to_string(max_depth) + " levels",
                          std::to_string(depth), "give the inner parts names under \"definitions\"");
    }
    try {
        const auto value = document.value();
        auto program = json_schema::compile(value);
        std::string canonical;  // dump() recurses
        json_schema::append_canonical(canonical, json_schema::NlohmannValue{value});
        auto fingerprint = detail::sha256_hex(canonical);
        return JsonSchema{std::make_shared<const Compiled>(
            Compiled{std::move(document), std::move(file), std::move(fingerprint), std::move(program)})};
    } catch (const json_schema::SchemaFault& fault) {
        throw SchemaError(std::move(file), fault.pointer, fault.expected, fault.found, fault.advice);
    } catch (const InvalidInput&) {  // 1e999
        throw SchemaError(std::move(file), "", "numbers that a double can hold", "one that is larger");
    }
}

std::optional<SchemaViolation> JsonSchema::check(const JsonText& value) const {
    return first(violations(value, 1));
}

std::optional<SchemaViolation> JsonSchema::check(const nlohmann::json& value) const {
    return first(violations(value, 1));
}

std::vector<SchemaViolation> JsonSchema::violations(const JsonText& value, std::size_t limit) const {
    return with_value(value, [&](const auto& parsed) { return checked(compiled_->program, parsed, limit); });
}

std::vector<SchemaViolation> JsonSchema::violations(const nlohmann::json& value, std::size_t limit) const {
    return checked(compiled_->program, json_schema::NlohmannValue{value}, limit);
}

const JsonText& JsonSchema::document() const noexcept { return compiled_->document; }
const std::string& JsonSchema::file() const noexcept { return compiled_->file; }
const std::string& JsonSchema::fingerprint() const noexcept { return compiled_->fingerprint; }
bool JsonSchema::forbids_something() const noexcept { return compiled_->program.forbids; }

}  // namespace stele
