#include "table_reader.hpp"

#include "../suggest.hpp"
#include "../terminal.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <sstream>

namespace stele::tool {
namespace {

using std::chrono::milliseconds;

std::string plain_number(double number) {
    std::ostringstream text;
    text << number;
    return text.str();
}

template <class Number>
std::string range(const std::string& kind, Number least, Number most) {
    const bool open = most == std::numeric_limits<Number>::max();
    return kind + " from " + plain_number(static_cast<double>(least)) +
           (open ? "" : " to " + plain_number(static_cast<double>(most)));
}

std::string listed(const std::vector<std::string>& words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i)
        text += (i == 0 ? "\"" : i + 1 == words.size() ? " or \"" : ", \"") + words[i] + "\"";
    return text;
}

constexpr const char* a_duration = "a time such as \"250ms\", \"30s\", \"5m\" or \"2h\"";

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
    struct Unit {
        std::string_view name;
        std::int64_t milliseconds;
    };
    constexpr std::array<Unit, 5> units{
        {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
    std::int64_t count = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || count < 0) return std::nullopt;
    const std::string_view unit = text.substr(static_cast<std::size_t>(rest - text.data()));
    for (const auto& known : units) {
        if (unit != known.name) continue;
        if (count > std::numeric_limits<std::int64_t>::max() / known.milliseconds) return std::nullopt;
        return milliseconds{count * known.milliseconds};
    }
    return std::nullopt;
}

const TomlValue* TableReader::find(const char* key) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
    const auto* member = table_.find(key);
    return member == nullptr ? nullptr : &member->value;
}

void TableReader::expect(const char* key, const std::string& expected) {
    if (find(key) == nullptr) mistake(table_.place, std::string{key} + ": expected " + expected + ", found none");
}

void TableReader::wrong(const char* key, const TomlValue& value, const std::string& expected) {
    mistake(value.place, std::string{key} + ": expected " + expected + ", found " + shown(value));
}

const TomlValue* TableReader::of_kind(const char* key, TomlValue::Kind kind, const char* expected) {
    const auto* value = find(key);
    if (value == nullptr || value->kind == kind) return value;
    wrong(key, *value, expected);
    return nullptr;
}

std::optional<std::string> TableReader::text(const char* key, const char* expected) {
    const auto* value = of_kind(key, TomlValue::Kind::text, expected);
    return value == nullptr ? std::nullopt : std::optional{value->text};
}

std::optional<std::string> TableReader::word(const char* key, const char* expected) {
    const auto* value = of_kind(key, TomlValue::Kind::text, expected);
    if (value == nullptr) return std::nullopt;
    if (!value->text.empty()) return value->text;
    wrong(key, *value, expected);
    return std::nullopt;
}

std::optional<std::size_t> TableReader::choice(const char* key, const std::vector<std::string>& words) {
    const auto* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (value->kind == TomlValue::Kind::text) {
        const auto at = std::find(words.begin(), words.end(), value->text);
        if (at != words.end()) return static_cast<std::size_t>(at - words.begin());
        if (const auto meant = nearest(value->text, words)) {
            mistake(value->place, std::string{key} + ": expected " + listed(words) + ", found " + shown(*value) +
                                      "; did you mean \"" + *meant + "\"?");
            return std::nullopt;
        }
    }
    wrong(key, *value, listed(words));
    return std::nullopt;
}

std::optional<std::int64_t> TableReader::whole(const char* key, std::int64_t least, std::int64_t most) {
    const auto* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (value->kind == TomlValue::Kind::whole && value->whole >= least && value->whole <= most) return value->whole;
    wrong(key, *value, range("a whole number", least, most));
    return std::nullopt;
}

std::optional<double> TableReader::number(const char* key, double least, double most) {
    const auto* value = find(key);
    if (value == nullptr) return std::nullopt;
    const bool is_number = value->kind == TomlValue::Kind::whole || value->kind == TomlValue::Kind::number;
    if (is_number && std::isfinite(value->number) && value->number >= least && value->number <= most)
        return value->number;
    wrong(key, *value, range("a number", least, most));
    return std::nullopt;
}

std::optional<bool> TableReader::flag(const char* key) {
    const auto* value = of_kind(key, TomlValue::Kind::flag, "true or false");
    return value == nullptr ? std::nullopt : std::optional{value->flag};
}

std::optional<milliseconds> TableReader::duration(const char* key, Duration least, Duration most) {
    const auto* value = find(key);
    if (value == nullptr) return std::nullopt;
    const auto read = value->kind == TomlValue::Kind::text ? parse_duration(value->text) : std::nullopt;
    if (read && *read >= least && *read <= most) return read;
    const auto seconds = [](Duration time) { return human_seconds(static_cast<double>(time.count()) / 1'000); };
    wrong(key, *value, read ? "a time from " + seconds(least) + " to " + seconds(most) : a_duration);
    return std::nullopt;
}

std::optional<std::vector<milliseconds>> TableReader::durations(const char* key, Duration least, Duration most) {
    const auto* values = of_kind(key, TomlValue::Kind::list, "a list of times such as [\"30s\", \"60s\"]");
    if (values == nullptr) return std::nullopt;
    std::vector<milliseconds> all;
    for (const auto& value : values->list) {
        const auto read = value.kind == TomlValue::Kind::text ? parse_duration(value.text) : std::nullopt;
        if (read && *read >= least && *read <= most) {
            all.push_back(*read);
        } else {
            wrong(key, value, read ? "a time of at most a year" : a_duration);
        }
    }
    if (values->list.empty()) wrong(key, *values, "at least one time");
    return all;
}

const TomlValue* TableReader::list(const char* key, const char* expected) {
    return of_kind(key, TomlValue::Kind::list, expected);
}

std::optional<std::vector<std::string>> TableReader::texts(const char* key) {
    const auto* value = find(key);
    if (value == nullptr) return std::nullopt;
    constexpr const char* expected = "a list of texts in quotes";
    if (value->kind == TomlValue::Kind::text && !value->text.empty()) return std::vector{value->text};
    if (value->kind != TomlValue::Kind::list || value->list.empty()) {
        wrong(key, *value, std::string{expected} + ", at least one");
        return std::nullopt;
    }
    std::vector<std::string> all;
    for (const auto& element : value->list) {
        if (element.kind == TomlValue::Kind::text && !element.text.empty()) {
            all.push_back(element.text);
        } else {
            wrong(key, element, expected);
        }
    }
    return all;
}

std::optional<std::set<int>> TableReader::wholes(const char* key, int least, int most) {
    const auto* values = list(key, "a list of whole numbers");
    if (values == nullptr) return std::nullopt;
    std::set<int> all;
    for (const auto& value : values->list) {
        if (value.kind == TomlValue::Kind::whole && value.whole >= least && value.whole <= most) {
            all.insert(static_cast<int>(value.whole));
        } else {
            wrong(key, value, range("a whole number", least, most));
        }
    }
    return all;
}

std::map<std::string, std::string> TableReader::texts_by_name(const char* key) {
    std::map<std::string, std::string> all;
    const auto* values = table(key);
    if (values == nullptr) return all;
    for (const auto& member : values->members) {
        if (member.value.kind == TomlValue::Kind::text) {
            all.emplace(member.key, member.value.text);
        } else {
            wrong((std::string{key} + "." + member.key).c_str(), member.value, "a text in quotes");
        }
    }
    return all;
}

sql::SqlText TableReader::sql_text(const TomlValue& value) const {
    return {value.text, mistakes_.file(), value.text_line};
}

std::optional<sql::SqlText> TableReader::sql(const char* key) {
    const auto* value = of_kind(key, TomlValue::Kind::text, "a text in quotes");
    return value == nullptr ? std::nullopt : std::optional{sql_text(*value)};
}

std::vector<sql::SqlText> TableReader::sqls(const char* key) {
    std::vector<sql::SqlText> all;
    const auto* value = find(key);
    if (value == nullptr) return all;
    if (value->kind == TomlValue::Kind::text) return {sql_text(*value)};
    if (value->kind != TomlValue::Kind::list) {
        wrong(key, *value, "a text in quotes, or a list of them");
        return all;
    }
    for (const auto& element : value->list) {
        if (element.kind == TomlValue::Kind::text) {
            all.push_back(sql_text(element));
        } else {
            wrong(key, element, "a text in quotes");
        }
    }
    return all;
}

const TomlValue* TableReader::table(const char* key) { return of_kind(key, TomlValue::Kind::table, "a table"); }

Place TableReader::place_of(const std::string& key) const {
    const auto* member = table_.find(key);
    return member == nullptr ? table_.place : member->value.place;
}

void TableReader::finish() {
    for (const auto& member : table_.members) {
        if (std::find(known_.begin(), known_.end(), member.key) != known_.end()) continue;
        std::string message = "unknown key \"" + printable(member.key) + "\"";
        if (const auto meant = nearest(member.key, known_)) {
            message += "; did you mean \"" + *meant + "\"?";
        } else {
            message += "; known are ";
            for (std::size_t i = 0; i < known_.size(); ++i) message += (i == 0 ? "" : ", ") + known_[i];
        }
        mistake(member.place, message);
    }
}

}  // namespace stele::tool
