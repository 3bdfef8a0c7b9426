#include "program.hpp"

#include <algorithm>
#include <array>

namespace stele::detail::json_schema {

const Property* ObjectRules::find(std::string_view name) const {
    const auto at = std::lower_bound(
        properties.begin(), properties.end(), name,
        [](const Property& property, std::string_view wanted) { return std::string_view(property.name) < wanted; });
    return at != properties.end() && at->name == name ? &*at : nullptr;
}

bool ObjectRules::has_schema_dependency() const {
    return std::any_of(dependencies.begin(), dependencies.end(),
                       [](const Dependency& dependency) { return dependency.node != no_node; });
}

std::string describe(Kinds kinds) {
    struct Name {
        Kind kind;
        const char* word;
    };
    constexpr std::array<Name, 7> names{{{Kind::object, "object"},
                                         {Kind::array, "array"},
                                         {Kind::string, "string"},
                                         {Kind::number, "number"},
                                         {Kind::integer, "integer"},
                                         {Kind::boolean, "boolean"},
                                         {Kind::null, "null"}}};
    std::vector<std::string> words;
    for (const auto& [kind, word] : names) {
        if (kind == Kind::integer && (kinds & bit(Kind::number))) continue;  // a number may be whole anyway
        if (kinds & bit(kind)) words.emplace_back(word);
    }
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
        text += words[i];
    }
    return text;
}

}  // namespace stele::detail::json_schema
