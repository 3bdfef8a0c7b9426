#include <stele/projections/value.hpp>

#include <nlohmann/json.hpp>

#include <string_view>

namespace stele {
namespace {

std::string json_quoted(const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string hexadecimal(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

struct Equals {
    const nlohmann::json& expected;

    bool operator()(std::nullptr_t) const { return expected.is_null(); }
    bool operator()(std::int64_t found) const {
        if (expected.is_boolean()) return found == (expected.get<bool>() ? 1 : 0);
        if (expected.is_number_unsigned() && found < 0) return false;
        return expected.is_number_integer() && expected == found;
    }
    bool operator()(double found) const { return expected.is_number_float() && expected.get<double>() == found; }
    bool operator()(const std::string& found) const {
        if (expected.is_structured()) return nlohmann::json::parse(found, nullptr, false) == expected;
        return expected.is_string() && expected.get_ref<const std::string&>() == found;
    }
    bool operator()(const Blob&) const { return false; }
};

struct ToText {
    std::string operator()(std::nullptr_t) const { return "null"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const {
        // JSON has no infinity, which SQLite has.
        const auto text = nlohmann::json(number).dump();
        return text != "null" ? text : number > 0 ? "Inf" : "-Inf";
    }
    std::string operator()(const std::string& text) const { return json_quoted(text); }
    std::string operator()(const Blob& blob) const { return "x'" + hexadecimal(blob.bytes) + "'"; }
};

}  // namespace

Value value_of(const Row& row, int column) {
    switch (row.kind(column)) {
        case Row::Kind::null:
            return nullptr;
        case Row::Kind::integer:
            return row.integer(column);
        case Row::Kind::real:
            return row.real(column);
        case Row::Kind::text:
            return std::string{row.text(column)};
        case Row::Kind::blob:
            return Blob{std::string{row.text(column)}};
    }
    return nullptr;
}

Values values_of(const Row& row) {
    Values values;
    values.reserve(static_cast<std::size_t>(row.size()));
    for (int column = 0; column < row.size(); ++column) values.push_back(value_of(row, column));
    return values;
}

std::string to_text(const Value& value) { return std::visit(ToText{}, value); }

std::string to_text(const Values& values) {
    std::string text = "[";
    for (const auto& value : values) {
        if (text.size() > 1) text += ",";
        text += to_text(value);
    }
    return text + "]";
}

bool equals(const Value& value, const nlohmann::json& expected) { return std::visit(Equals{expected}, value); }

}  // namespace stele
