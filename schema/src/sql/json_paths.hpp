// JsonPaths: the values at several paths of a JSON text, found in one pass over it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stele::sql {

/// A JSON value in the types of SQLite.
struct JsonValue {
    enum class Kind { null, integer, real, text };
    Kind kind = Kind::null;
    std::int64_t integer = 0;
    double real = 0;
    std::string_view text;
};

/// What is wrong with a path, and where in it.
struct BadPath {
    std::string expected;
    std::string found;
    std::string advice{};
};

class JsonPaths {
public:
    JsonPaths();
    ~JsonPaths();
    JsonPaths(JsonPaths&&) noexcept;
    JsonPaths& operator=(JsonPaths&&) noexcept;

    /// Adds a path and returns its number; the same path gets the same number. Throws BadPath.
    int add(std::string_view path);

    /// Looks for every path in `json`. Throws simdjson::simdjson_error where it is not JSON after all.
    void read(std::string_view json);

    /// What the last read() found. Texts are valid until the next one.
    [[nodiscard]] const JsonValue& operator[](int number) const noexcept {
        return values_[static_cast<std::size_t>(number)];
    }

private:
    struct State;
    std::unique_ptr<State> state_;
    std::vector<JsonValue> values_;  // by number
};

}  // namespace stele::sql
