#include <stele/schema/error.hpp>
#include <stele/schema/json_text.hpp>

#include "json_cursor.hpp"
#include "text.hpp"

#include <cmath>
#include <mutex>
#include <utility>
#include <vector>

namespace stele {
namespace {

/// Throws InvalidInput naming `field` where `value` holds what JSON cannot say, or is nested too deep to be
/// written. nlohmann's dump() recurses, and writes NaN as null. It looks at strings too; where it is not called at
/// once, `with_strings` does.
void require_writable(const nlohmann::json& value, std::string_view field, bool with_strings = false) {
    const auto refuse = [&](const std::string& expected, const std::string& found) {
        throw InvalidInput(std::string(field), expected, found);
    };
    const auto check_text = [&](const std::string& text) {
        if (detail::is_utf8(text)) return;
        const auto at = detail::broken_utf8_at(text);
        refuse("strings in UTF-8", detail::byte_name(static_cast<unsigned char>(text[at])));
    };
    const auto check = [&](const nlohmann::json& one) {
        if (one.is_number_float() && !std::isfinite(one.get_ref<const double&>())) {
            refuse("finite numbers", "infinity or NaN");
        }
        if (one.is_binary()) refuse("a JSON value", "binary data");
        if (one.is_discarded()) refuse("a JSON value", "a discarded one");
        if (with_strings && one.is_string()) check_text(one.get_ref<const std::string&>());
    };

    check(value);
    struct Open {
        nlohmann::json::const_iterator at;
        nlohmann::json::const_iterator end;
        bool has_keys;
    };
    std::vector<Open> open;
    const auto enter = [&](const nlohmann::json& one) {
        if (one.is_structured()) open.push_back({one.begin(), one.end(), one.is_object()});
    };
    enter(value);
    while (!open.empty()) {
        if (open.size() > JsonText::max_depth) {
            refuse("at most " + std::to_string(JsonText::max_depth) + " levels of nesting", "more");
        }
        auto& innermost = open.back();
        if (innermost.at == innermost.end) {
            open.pop_back();
            continue;
        }
        if (with_strings && innermost.has_keys) check_text(innermost.at.key());
        const nlohmann::json& child = *innermost.at;
        ++innermost.at;
        check(child);
        enter(child);
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

/// A value that was checked, and its text from when somebody first asks for it.
struct JsonText::Kept {
    explicit Kept(nlohmann::json&& given) : value(std::move(given)) {}
    nlohmann::json value;
    mutable std::once_flag once;
    mutable std::string text;
};

JsonText::JsonText(const nlohmann::json& value) : text_(written(value, "json")) {}

JsonText JsonText::write(const nlohmann::json& value, std::string_view field) {
    return trusted(written(value, field));
}

JsonText JsonText::keep(nlohmann::json value, std::string_view field) {
    require_writable(value, field, true);
    JsonText json{Trusted{}, {}};
    json.kept_ = std::make_shared<const Kept>(std::move(value));
    return json;
}

const std::string& JsonText::written_text() const {
    std::call_once(kept_->once, [this] { kept_->text = kept_->value.dump(); });
    return kept_->text;
}

const nlohmann::json* JsonText::kept() const noexcept { return kept_ == nullptr ? nullptr : &kept_->value; }

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
    if (kept_ != nullptr) return kept_->value;
    try {
        return nlohmann::json::parse(text_);
    } catch (const nlohmann::json::out_of_range& error) {  // 406: a number such as 1e999
        throw InvalidInput("json", "numbers that a double can hold", error.what());
    }
}

bool JsonText::is_object() const noexcept {
    if (kept_ != nullptr) return kept_->value.is_object();
    const auto first = text_.find_first_not_of(" \t\r\n");
    return first != std::string::npos && text_[first] == '{';
}

}  // namespace stele
