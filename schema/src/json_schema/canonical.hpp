// Values in canonical text, so that equal values have equal texts: 1 and 1.0, members in any order.
#pragma once

#include "../text.hpp"
#include "program.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stele::detail::json_schema {

/// Appends `text` so that nothing behind it can be taken for a part of it.
inline void append_sized(std::string& out, std::string_view text) {
    out += std::to_string(text.size());
    out += ':';
    out += text;
}

/// Whether it was something without parts, which is then appended.
template <class Value>
bool append_scalar(std::string& out, const Value& value, Kind kind) {
    switch (kind) {
        case Kind::null:
        case Kind::other:
            out += 'n';
            return true;
        case Kind::boolean:
            out += value.boolean() ? 't' : 'f';
            return true;
        case Kind::integer:
        case Kind::number:
            out += '#';
            append_sized(out, text_of(value.number()));
            return true;
        case Kind::string:
            out += '"';
            append_sized(out, value.string());
            return true;
        case Kind::array:
        case Kind::object:
            break;
    }
    return false;
}

/// Appends what stands for `value`, and for every value that equals it, and for no other. Does not recurse.
template <class Value>
void append_canonical(std::string& out, const Value& value) {
    using Parts = std::vector<std::pair<std::string_view, Value>>;
    struct Open {
        bool object;
        Parts parts;
        std::size_t at = 0;
    };
    std::vector<Open> open;
    const auto begin = [&](const Value& one) {
        const auto kind = one.kind();
        if (append_scalar(out, one, kind)) return;
        Parts parts;
        if (kind == Kind::array) {
            for (typename Value::Items items{one}; !items.done(); items.next())
                parts.emplace_back("", items.value());
        } else {
            for (typename Value::Members members{one}; !members.done(); members.next()) {
                parts.emplace_back(members.name(), members.value());
            }
            std::stable_sort(parts.begin(), parts.end(),
                             [](const auto& a, const auto& b) { return a.first < b.first; });
        }
        out += kind == Kind::array ? '[' : '{';
        open.push_back({kind == Kind::object, std::move(parts)});
    };

    begin(value);
    while (!open.empty()) {
        auto& last = open.back();
        if (last.at == last.parts.size()) {
            out += last.object ? '}' : ']';
            open.pop_back();
            continue;
        }
        const auto [name, part] = last.parts[last.at++];
        if (last.object) append_sized(out, name);
        begin(part);
    }
}

/// The same as a text of its own.
template <class Value>
std::string canonical(const Value& value) {
    std::string text;
    append_canonical(text, value);
    return text;
}

/// `value` as it stands in a message: what has parts is only named.
template <class Value>
std::string brief(const Value& value) {
    const auto counted = [](std::uint64_t count, const char* thing) {
        return std::to_string(count) + ' ' + thing + (count == 1 ? "" : "s");
    };
    switch (value.kind()) {
        case Kind::null:
            return "null";
        case Kind::boolean:
            return value.boolean() ? "true" : "false";
        case Kind::integer:
        case Kind::number:
            return text_of(value.number());
        case Kind::string:
            return (value.is_name() ? "the name " : "") + detail::quoted(value.string());
        case Kind::array:
            return value.size() == 0 ? "an empty array" : "an array of " + counted(value.size(), "item");
        case Kind::object:
            return value.size() == 0 ? "an empty object" : "an object of " + counted(value.size(), "member");
        case Kind::other:
            break;
    }
    return "what JSON cannot say";
}

}  // namespace stele::detail::json_schema
