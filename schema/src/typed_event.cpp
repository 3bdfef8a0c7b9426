#include <stele/schema/typed_event.hpp>

#include <stele/schema/error.hpp>

#include <algorithm>
#include <limits>
#include <optional>

namespace stele::detail {
namespace {

using nlohmann::json;

// Finds the member that a conversion stumbles over. The conversion is code that we cannot look into, and what it
// throws names a member only where one is missing. So it is run again on data with one member changed: where it
// then fails in another way, or not at all, it reads that member, and reads it before it fails.
class Culprit {
public:
    Culprit(const json& data, const std::string& message, const std::function<void(const json&)>& convert)
        : data_(data),
          message_(message),
          convert_(convert),
          most_trials_(
              std::clamp(most_bytes / std::max<std::size_t>(1, data.dump().size()), least_trials, most_trials)) {}

    // A pointer such as "/lines/0/price"; empty where the data as a whole is to blame, or nothing was found out.
    std::string wrong() {
        json::json_pointer path;
        while (const auto below = last_read_below(path)) path /= *below;
        return path.to_string();
    }

    // The pointer of a member called `name` that is not there and is looked for.
    std::string missing(const std::string& name) {
        auto path = missing_below(json::json_pointer{}, name).value_or(json::json_pointer{});
        path.push_back(name);
        return path.to_string();
    }

private:
    // Each trial copies the data. What cannot be found out with so many is told of the data around it.
    static constexpr std::size_t most_bytes = 32'000'000;
    static constexpr std::size_t least_trials = 40;
    static constexpr std::size_t most_trials = 2'000;
    static constexpr std::size_t long_array = 32;

    std::string outcome(const json::json_pointer& path, const json& value) {
        ++trials_;
        auto changed = data_;
        changed[path] = value;
        return outcome_of(changed);
    }

    std::string outcome_of(const json& changed) const {
        try {
            convert_(changed);
            return "";
        } catch (const std::exception& error) {
            return error.what();
        }
    }

    // Values that no event holds, so that no conversion expects them; and messages tell which of the two was met.
    static json first_mark() { return json::binary({}); }
    static json second_mark() { return json(json::value_t::discarded); }

    std::optional<std::string> last_read_below(const json::json_pointer& path) {
        const auto& parent = data_.at(path);
        if (!parent.is_structured()) return std::nullopt;
        if (parent.is_array() && parent.size() > long_array) return last_read_of_array(path, parent.size());
        std::optional<std::string> last;
        for (const auto& item : parent.items()) {
            if (trials_ + 2 > most_trials_) return std::nullopt;
            if (!is_read(path / item.key())) continue;
            if (!last || is_read_before(path / *last, path / item.key())) last = item.key();
        }
        return last;
    }

    bool is_read(const json::json_pointer& path) { return outcome(path, first_mark()) != message_; }

    // Elements are read one after another: all up to the one that is stumbled over, and none behind it.
    std::optional<std::string> last_read_of_array(const json::json_pointer& path, std::size_t size) {
        if (!is_read(path / std::size_t{0})) return std::nullopt;
        std::size_t read = 0;
        std::size_t unread = size;
        while (unread - read > 1) {
            if (trials_ >= most_trials_) return std::nullopt;
            const auto middle = read + (unread - read) / 2;
            (is_read(path / middle) ? read : unread) = middle;
        }
        return std::to_string(read);
    }

    bool is_read_before(const json::json_pointer& one, const json::json_pointer& other) {
        ++trials_;
        auto changed = data_;
        changed[one] = first_mark();
        changed[other] = second_mark();
        return outcome_of(changed).find("binary") != std::string::npos;
    }

    std::optional<json::json_pointer> missing_below(const json::json_pointer& path, const std::string& name) {
        const auto& parent = data_.at(path);
        if (!parent.is_structured() || trials_ >= most_trials_) return std::nullopt;
        if (parent.is_object() && !parent.contains(name) && outcome(path / name, first_mark()) != message_) {
            return path;
        }
        for (const auto& item : parent.items()) {
            if (auto found = missing_below(path / item.key(), name)) return found;
        }
        return std::nullopt;
    }

    const json& data_;
    const std::string message_;
    const std::function<void(const json&)>& convert_;
    const std::size_t most_trials_;
    std::size_t trials_ = 0;
};

// nlohmann's messages begin with "[json.exception.type_error.302] ", which says nothing to a reader.
std::string plain(const std::string& message) {
    const auto end = message.find("] ");
    return message.rfind("[json.", 0) == 0 && end != std::string::npos ? message.substr(end + 2) : message;
}

std::string shortened(const json& value) {
    constexpr std::size_t most = 60;
    auto text = value.dump();
    if (text.size() <= most) return text;
    auto end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // not within a character
    return text.substr(0, end) + "…";
}

// "type must be number, but is string" says number.
std::optional<std::string> expected_type(const std::string& message) {
    constexpr std::string_view before = "type must be ";
    if (message.rfind(before, 0) != 0) return std::nullopt;
    const auto comma = message.find(", but is");
    return message.substr(before.size(), comma == std::string::npos ? comma : comma - before.size());
}

std::optional<std::string> missing_name(const std::exception& error) {
    constexpr int key_not_found = 403;
    const auto* const out_of_range = dynamic_cast<const json::out_of_range*>(&error);
    if (out_of_range == nullptr || out_of_range->id != key_not_found) return std::nullopt;
    const std::string message = error.what();
    const auto open = message.find('\'');
    const auto close = message.rfind('\'');
    if (open == close) return std::nullopt;
    return message.substr(open + 1, close - open - 1);
}

}  // namespace

int kind_of(const Event& event, const EventKind* kinds, std::size_t count) {
    int best = -1;
    int highest = 0;
    int version = std::numeric_limits<int>::max();
    for (std::size_t i = 0; i < count; ++i) {
        if (kinds[i].type != event.type) continue;
        highest = std::max(highest, kinds[i].version);
        if (kinds[i].version < event.schema_version || kinds[i].version >= version) continue;
        version = kinds[i].version;
        best = static_cast<int>(i);
    }
    if (best < 0 && highest > 0) {
        throw InvalidInput{"schema version of " + event.type, "at most " + std::to_string(highest),
                           std::to_string(event.schema_version)};
    }
    return best;
}

void throw_other_type(const Event& event, std::string_view expected) {
    throw InvalidInput{"type of the event at " + event.stream.name(), std::string{expected}, event.type};
}

void throw_unconvertible(const json& data, const std::exception& error,
                         const std::function<void(const json&)>& convert) {
    const auto message = plain(error.what());
    Culprit culprit{data, error.what(), convert};
    if (const auto name = missing_name(error)) {
        throw InvalidInput{culprit.missing(*name), "a value", "none"};
    }
    const auto path = culprit.wrong();
    const auto& found = data.at(json::json_pointer{path});
    throw InvalidInput{path.empty() ? "data" : path, expected_type(message).value_or("what it is read as"),
                       shortened(found) + (expected_type(message) ? "" : " (" + message + ")")};
}

}  // namespace stele::detail
