// Value: one value of a row, kept when the row has moved on.
#pragma once

#include <stele/projections/rows.hpp>

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace stele {

/// Bytes that are no text.
struct Blob {
    std::string bytes;
    friend bool operator==(const Blob&, const Blob&) = default;
};

/// As SQLite holds it. Values of different kinds are never equal: 1 is not 1.0.
using Value = std::variant<std::nullptr_t, std::int64_t, double, std::string, Blob>;
using Values = std::vector<Value>;

[[nodiscard]] Value value_of(const Row& row, int column);
[[nodiscard]] Values values_of(const Row& row);

/// Whether it is what a test expects, kind by kind: null is NULL, 1 an INTEGER, 1.0 a REAL, true and false are 1
/// and 0, a string a TEXT; an array or object a TEXT that holds that JSON, however it is laid out. No blob is
/// anything.
[[nodiscard]] bool equals(const Value& value, const nlohmann::json& expected);

/// For people and for JSON: `null`, `1`, `1.0`, `"text"`; a blob, which JSON has not, as `x'0aff'`. Bytes of a text
/// that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string to_text(const Value& value);
/// `["acme",1]`
[[nodiscard]] std::string to_text(const Values& values);

}  // namespace stele
