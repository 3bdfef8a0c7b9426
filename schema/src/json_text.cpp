#include <stele/schema/error.hpp>
#include <stele/schema/json_text.hpp>

#include "json_cursor.hpp"
#include "text.hpp"

#include <cmath>
#include <utility>
#include <vector>

namespace stele {
namespace {

/// Throws InvalidInput naming `field` where `value` holds what JSON cannot say, or is nested too deep to be
/// written. nlohmann's dump() recurses, and writes NaN as null.
void require_writable(const nlohmann::json& value, std::string_view field) {
    const auto refuse = [&](const std::string& expected, const std::string& found) {
        throw InvalidInput(std::string(field), expected, found);
    };
    const auto check = [&](const nlohmann::json& one) {
        if (one.is_number_float() && !std::isfinite(one.get_ref<const double&>())) {
            refuse("finite numbers", "infinity or NaN");
        }
        if (one.is_binary()) refuse("a JSON value", "binary data");
        if (one.is_discarded()) refuse("a JSON value", "a discarded one");
    };

    check(value);
    std::vector<std::pair<nlohmann::json::const_iterator, nlohmann::json::const_iterator>> open;
    if (value.is_structured()) open.emplace_back(value.begin(), value.end());
    while (!open.empty()) {
        if (open.size() > JsonText::max_depth) {
            refuse("at most " + std::to_string(JsonText::max_depth) + " levels of nesting", "more");
        }
        auto& [at, end] = open.back();
        if (at == end) {
            open.pop_back();
            continue;
        }
        const nlohmann::json& child = *at++;
        check(child);
        if (child.is_structured()) open.emplace_back(child.begin(), child.end());
    }
}

std::string written(const nlohmann::json& value, std::string_view field) {
    require_writable(value, field);
    try {
        return value.dump();
    } catch (const nlohmann::json::type_error& error) {  // 316: a string that is not UTF-8
        throw InvalidInput(std::string(field), "strings in UTF-8", error.what());
    }
}

void check(std::string_view text, std::string_view field) {
    detail::require_utf8(text, field);
    try {
        detail::JsonCursor cursor{text};
        cursor.space();
        cursor.value();
        cursor.space();
        cursor.expect_end();
    } catch (const detail::JsonFault& fault) {
        throw InvalidInput(std::string(field), fault.expected + " at byte " + std::to_string(fault.byte),
                           fault.found);
    }
}

}  // namespace

JsonText::JsonText(const nlohmann::json& value) : text_(written(value, "json")) {}

JsonText JsonText::write(const nlohmann::json& value, std::string_view field) {
    return trusted(written(value, field));
}

JsonText JsonText::parse(std::string text, std::string_view field) {
    check(text, field);
    return trusted(std::move(text));
}

JsonText JsonText::parse_object(std::string text, std::string_view field) {
    auto json = parse(std::move(text), field);
    if (!json.is_object()) throw InvalidInput(std::string(field), "an object", detail::quoted(json.text_));
    return json;
}

nlohmann::json JsonText::value() const {
    try {
        return nlohmann::json::parse(text_);
    } catch (const nlohmann::json::out_of_range& error) {  // 406: a number such as 1e999
        throw InvalidInput("json", "numbers that a double can hold", error.what());
    }
}

bool JsonText::is_object() const noexcept {
    const auto first = text_.find_first_not_of(" \t\r\n");
    return first != std::string::npos && text_[first] == '{';
}

}  // namespace stele
