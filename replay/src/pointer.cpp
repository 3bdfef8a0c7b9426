#include "pointer.hpp"

#include <stele/schema/error.hpp>

#include <charconv>
#include <limits>

namespace stele {

std::vector<std::string> names_of_pointer(std::string_view pointer) {
    std::vector<std::string> names;
    const auto wrong = [&](const char* expected) {
        return InvalidInput{"pointer", expected, '"' + std::string{pointer} + '"'};
    };
    if (!pointer.empty() && pointer.front() != '/')
        throw wrong("a JSON Pointer such as /lines/0/price, or nothing for the whole state");
    for (std::size_t at = 0; at < pointer.size(); ++at) {
        if (pointer[at] == '/') {
            names.emplace_back();
        } else if (pointer[at] != '~') {
            names.back() += pointer[at];
        } else {
            const char escaped = ++at < pointer.size() ? pointer[at] : '\0';
            if (escaped != '0' && escaped != '1') throw wrong("~0 for ~ and ~1 for / in a JSON Pointer");
            names.back() += escaped == '0' ? '~' : '/';
        }
    }
    return names;
}

void append_name(std::string& pointer, std::string_view name) {
    pointer += '/';
    for (const char c : name) {
        if (c == '~')
            pointer += "~0";
        else if (c == '/')
            pointer += "~1";
        else
            pointer += c;
    }
}

std::size_t index_of(std::string_view name) noexcept {
    constexpr auto none = std::numeric_limits<std::size_t>::max();
    if (name.empty() || (name.size() > 1 && name.front() == '0')) return none;
    std::size_t index = 0;
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    return error == std::errc{} && stop == name.data() + name.size() ? index : none;
}

const nlohmann::json* value_at(const nlohmann::json& value, const std::vector<std::string>& names) {
    const auto* at = &value;
    for (const auto& name : names) {
        if (at->is_object()) {
            const auto member = at->find(name);
            if (member == at->end()) return nullptr;
            at = &*member;
        } else if (at->is_array() && index_of(name) < at->size()) {
            at = &(*at)[index_of(name)];
        } else {
            return nullptr;
        }
    }
    return at;
}

}  // namespace stele
