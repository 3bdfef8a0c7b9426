// TableReader: takes a table of stele.toml apart, key by key, and says everything that is wrong with it.
//
// Each getter returns nothing where the key is absent, and also where its value is wrong: then the mistake has been
// noted. Keys that nobody asked for are unknown ones: finish() says so.
#pragma once

#include "mistakes.hpp"
#include "toml_value.hpp"

#include <stele/schema/sql/text.hpp>
#include <stele/schema/time.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stele::tool {

/// Reads "250ms", "30s", "5m", "2h", "7d"; empty where the text is none of them.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

class TableReader {
public:
    using Duration = std::chrono::milliseconds;

    /// `what` is what messages call the table: `listener "billing"`. The others stay longer.
    TableReader(const TomlValue& table, std::string what, Mistakes& mistakes)
        : table_(table), what_(std::move(what)), mistakes_(mistakes) {}

    void rename(std::string what) { what_ = std::move(what); }

    /// The value of a key, of any kind.
    [[nodiscard]] const TomlValue* find(const char* key);
    /// Notes that a key is missing that has to be there.
    void expect(const char* key, const std::string& expected);

    [[nodiscard]] std::optional<std::string> text(const char* key, const char* expected = "a text in quotes");
    /// The same, and it may not be empty.
    [[nodiscard]] std::optional<std::string> word(const char* key, const char* expected);
    /// One of `words`: its number among them.
    [[nodiscard]] std::optional<std::size_t> choice(const char* key, const std::vector<std::string>& words);
    [[nodiscard]] std::optional<std::int64_t> whole(const char* key, std::int64_t least, std::int64_t most);
    [[nodiscard]] std::optional<double> number(const char* key, double least, double most);
    [[nodiscard]] std::optional<bool> flag(const char* key);
    [[nodiscard]] std::optional<Duration> duration(const char* key, Duration least, Duration most);
    [[nodiscard]] std::optional<std::vector<Duration>> durations(const char* key, Duration least, Duration most);
    /// A list of texts, or one; none of them empty, and at least one.
    [[nodiscard]] std::optional<std::vector<std::string>> texts(const char* key);
    [[nodiscard]] std::optional<std::set<int>> wholes(const char* key, int least, int most);
    [[nodiscard]] std::map<std::string, std::string> texts_by_name(const char* key);
    /// SQL, or a template, that knows in which line of the file it stands.
    [[nodiscard]] std::optional<sql::SqlText> sql(const char* key);
    [[nodiscard]] std::vector<sql::SqlText> sqls(const char* key);
    /// Null where there is none.
    [[nodiscard]] const TomlValue* table(const char* key);

    /// Where the value of `key` stands; where the table does, without one.
    [[nodiscard]] Place place_of(const std::string& key) const;
    /// `key`: expected …, found …
    void wrong(const char* key, const TomlValue& value, const std::string& expected);
    void mistake(Place place, const std::string& message) { mistakes_.add(place, what_ + ": " + message); }
    void hint(Place place, const std::string& message) { mistakes_.hint(place, what_ + ": " + message); }
    [[nodiscard]] Mistakes& mistakes() noexcept { return mistakes_; }
    [[nodiscard]] const std::string& what() const noexcept { return what_; }
    [[nodiscard]] sql::SqlText sql_text(const TomlValue& value) const;

    /// Notes the keys that were not asked for, each with the one that was probably meant.
    void finish();

private:
    [[nodiscard]] const TomlValue* of_kind(const char* key, TomlValue::Kind kind, const char* expected);
    [[nodiscard]] const TomlValue* list(const char* key, const char* expected);

    const TomlValue& table_;
    std::string what_;
    Mistakes& mistakes_;
    std::vector<std::string> known_;
};

}  // namespace stele::tool
