#include <stele/schema/schema_compatibility.hpp>

#include "json_schema/comparison.hpp"
#include "text.hpp"

namespace stele {

Compatibility compatibility_from(std::string_view word) {
    for (const auto one :
         {Compatibility::none, Compatibility::backward, Compatibility::forward, Compatibility::full}) {
        if (word == to_string(one)) return one;
    }
    throw InvalidInput("compatibility", "backward, forward, full or none", detail::quoted(word));
}

std::string_view to_string(Compatibility compatibility) noexcept {
    switch (compatibility) {
        case Compatibility::backward:
            return "backward";
        case Compatibility::forward:
            return "forward";
        case Compatibility::full:
            return "full";
        case Compatibility::none:
            break;
    }
    return "none";
}

std::string_view to_string(Holds holds) noexcept {
    switch (holds) {
        case Holds::yes:
            return "yes";
        case Holds::no:
            return "no";
        case Holds::cannot_tell:
            break;
    }
    return "cannot tell";
}

bool SchemaComparison::meets(Compatibility demanded) const noexcept {
    const bool reads_old = backward == Holds::yes;
    const bool is_read = forward == Holds::yes;
    switch (demanded) {
        case Compatibility::backward:
            return reads_old;
        case Compatibility::forward:
            return is_read;
        case Compatibility::full:
            return reads_old && is_read;
        case Compatibility::none:
            break;
    }
    return true;
}

Compatibility SchemaComparison::known() const noexcept {
    if (meets(Compatibility::full)) return Compatibility::full;
    if (meets(Compatibility::backward)) return Compatibility::backward;
    return meets(Compatibility::forward) ? Compatibility::forward : Compatibility::none;
}

SchemaComparison compare_schemas(const JsonSchema& older, const JsonSchema& newer) {
    const auto before = older.document().value();
    const auto after = newer.document().value();
    SchemaComparison result;
    result.changes = detail::json_schema::Comparison{before, after}.run();
    result.patch = nlohmann::json::diff(before, after);
    const auto worst = [&](Holds SchemaChange::*direction) {
        auto holds = Holds::yes;
        for (const auto& change : result.changes) {
            if (change.*direction == Holds::no) return Holds::no;
            if (change.*direction == Holds::cannot_tell) holds = Holds::cannot_tell;
        }
        return holds;
    };
    result.backward = worst(&SchemaChange::backward);
    result.forward = worst(&SchemaChange::forward);
    return result;
}

}  // namespace stele
