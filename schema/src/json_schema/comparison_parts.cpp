// The keywords of Comparison that hold other schemas.
#include "../text.hpp"
#include "canonical.hpp"
#include "comparison.hpp"
#include "nlohmann_value.hpp"
#include "pattern.hpp"
#include "subschemas.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace stele::detail::json_schema {
namespace {

std::set<std::string> names_in(const nlohmann::json* map) {
    std::set<std::string> names;
    if (map) {
        for (const auto& [name, value] : map->items()) names.insert(name);
    }
    return names;
}

std::set<std::string> both(std::set<std::string> some, const std::set<std::string>& others) {
    some.insert(others.begin(), others.end());
    return some;
}

bool matches_some(const nlohmann::json* pattern_properties, const std::string& name) {
    for (const auto& pattern : names_in(pattern_properties)) {
        if (Pattern{pattern}.search(name, 100'000).match != Match::no) return true;
    }
    return false;
}

bool says_something(const nlohmann::json* schema) {
    return schema && *schema != nlohmann::json(true) && *schema != nlohmann::json::object();
}

}  // namespace

void Comparison::members(const Sides& sides, Bearing bearing) {
    const auto names = both(names_in(sides.older.find("properties")), names_in(sides.newer.find("properties")));
    for (const auto& name : names) member(sides, name, bearing);

    const auto* before = sides.older.find("patternProperties");
    const auto* after = sides.newer.find("patternProperties");
    for (const auto& pattern : both(names_in(before), names_in(after))) {
        const auto step = "/patternProperties" + pointer_step(pattern);
        const bool was = before && before->contains(pattern);
        const bool is = after && after->contains(pattern);
        if (was && is) {
            compare(at(older_, sides.older, step), at(newer_, sides.newer, step), bearing);
        } else {
            note(sides, step,
                 "members that match " + detail::quoted(pattern) +
                     (is ? " have a schema now" : " have no schema any more"),
                 Effect::unclear, bearing);
        }
    }
    compare(at(older_, sides.older, "/additionalProperties"), at(newer_, sides.newer, "/additionalProperties"),
            bearing);
}

/// A member that at least one side names.
void Comparison::member(const Sides& sides, const std::string& name, Bearing bearing) {
    const auto step = "/properties" + pointer_step(name);
    const auto names_it = [&](const Side& side) {
        const auto* properties = side.find("properties");
        return properties && properties->contains(name);
    };
    const bool was = names_it(sides.older);
    const bool is = names_it(sides.newer);
    if (was && is) return compare(at(older_, sides.older, step), at(newer_, sides.newer, step), bearing);

    const auto& other = was ? sides.newer : sides.older;
    const auto what = detail::quoted(name) + (was ? " is no longer named" : " is new");
    if (matches_some(other.find("patternProperties"), name)) {
        return note(sides, step, what + ", and a pattern speaks for it in the other version", Effect::unclear,
                    bearing);
    }
    const auto* rest = other.find("additionalProperties");
    if (!says_something(rest)) {  // an open object: the name is taken for unused
        return note(sides, step, what, Effect::none, bearing);
    }
    note(sides, step, what, Effect::none, bearing);
    auto& document = was ? newer_ : older_;
    const auto others = at(document, other, "/additionalProperties");
    if (was) {
        compare(at(older_, sides.older, step), others, bearing);
    } else {
        compare(others, at(newer_, sides.newer, step), bearing);
    }
}

void Comparison::dependencies(const Sides& sides, Bearing bearing) {
    const auto* before = sides.older.find("dependencies");
    const auto* after = sides.newer.find("dependencies");
    for (const auto& name : both(names_in(before), names_in(after))) {
        const auto step = "/dependencies" + pointer_step(name);
        const auto value = [&](const nlohmann::json* map) {
            return map && map->contains(name) ? &map->at(name) : nullptr;
        };
        const auto* was = value(before);
        const auto* is = value(after);
        if ((!was || !was->is_array()) && (!is || !is->is_array())) {
            compare(at(older_, sides.older, step), at(newer_, sides.newer, step), bearing);
            continue;
        }
        if ((was && !was->is_array()) || (is && !is->is_array())) {
            note(sides, step, "what " + detail::quoted(name) + " depends on is said in another way",
                 Effect::unclear, bearing);
            continue;
        }
        const auto list = [](const nlohmann::json* names) {
            return names ? names->get<std::set<std::string>>() : std::set<std::string>{};
        };
        const auto old_names = list(was);
        const auto new_names = list(is);
        const bool added = !std::includes(old_names.begin(), old_names.end(), new_names.begin(), new_names.end());
        const bool gone = !std::includes(new_names.begin(), new_names.end(), old_names.begin(), old_names.end());
        if (!added && !gone) continue;
        note(sides, step, "other members must stand beside " + detail::quoted(name),
             added && gone ? Effect::other
             : added       ? Effect::narrower
                           : Effect::wider,
             bearing, {"old data may lack them", "old readers expect those that were required before"});
    }
}

/// What the item at `index` must be.
Place Comparison::item_at(Document& document, const Side& side, std::size_t index) {
    const auto* items = side.find("items");
    if (!items || !items->is_array()) return at(document, side, "/items");
    if (index < items->size()) return at(document, side, "/items/" + std::to_string(index));
    return at(document, side, "/additionalItems");
}

void Comparison::items(const Sides& sides, Bearing bearing) {
    const auto singles = [](const Side& side) -> std::size_t {
        const auto* items = side.find("items");
        return items && items->is_array() ? items->size() : 0;
    };
    const auto first_of_rest = std::max(singles(sides.older), singles(sides.newer));
    for (std::size_t index = 0; index <= first_of_rest; ++index) {
        compare(item_at(older_, sides.older, index), item_at(newer_, sides.newer, index), bearing);
    }
}

void Comparison::single_schemas(const Sides& sides, Bearing bearing) {
    compare(at(older_, sides.older, "/propertyNames"), at(newer_, sides.newer, "/propertyNames"), bearing);

    const auto presence = [&](const char* keyword, const std::string& what_came, const std::string& what_went) {
        const bool was = sides.older.find(keyword) != nullptr;
        const bool is = sides.newer.find(keyword) != nullptr;
        if (was == is) return was;
        note(sides, std::string("/") + keyword, is ? what_came : what_went, is ? Effect::narrower : Effect::wider,
             bearing, {"old data need not fit it", "old readers still expect it"});
        return false;
    };
    if (presence("contains", "some item must fit \"contains\" now", "no item need fit \"contains\" any more")) {
        compare(at(older_, sides.older, "/contains"), at(newer_, sides.newer, "/contains"), bearing);
    }
    if (presence("not", "what fits \"not\" is refused now", "nothing is refused by \"not\" any more")) {
        auto reversed = bearing;
        reversed.reversed = !bearing.reversed;
        compare(at(older_, sides.older, "/not"), at(newer_, sides.newer, "/not"), reversed);
    }
}

void Comparison::conditions(const Sides& sides, Bearing bearing) {
    const auto* before = sides.older.find("if");
    const auto* after = sides.newer.find("if");
    if (!before && !after) return;
    if (!before || !after) {
        note(sides, "/if", after ? "a condition is new" : "a condition is gone",
             after ? Effect::narrower : Effect::wider, bearing,
             {"old data need not fit what follows from it", "old readers still expect what follows from it"});
        return;
    }
    // The same text may stand for another thing, where it refers to what has changed; nobody can tell from here.
    if (canonical(NlohmannValue{*before}) != canonical(NlohmannValue{*after}) ||
        before->dump().find("\"$ref\"") != std::string::npos) {
        note(sides, "/if", "a condition is another one, or may be", Effect::unclear, bearing);
        return;
    }
    for (const auto* branch : {"/then", "/else"}) {
        compare(at(older_, sides.older, branch), at(newer_, sides.newer, branch), bearing);
    }
}

void Comparison::lists(const Sides& sides, Bearing bearing) {
    for (const auto* keyword : {"allOf", "anyOf", "oneOf"}) list(sides, keyword, bearing);
}

/// Schemas that stand in both lists as they are go together; so do, in their order, those that are left.
void Comparison::list(const Sides& sides, const char* keyword, Bearing bearing) {
    const std::string step = std::string("/") + keyword;
    const auto* before = sides.older.find(keyword);
    const auto* after = sides.newer.find(keyword);
    if (!before && !after) return;
    const bool all = std::string_view(keyword) == "allOf";
    if (!all && (!before || !after)) {
        note(sides, step,
             after ? "must fit one of several alternatives now" : "need not fit one of the alternatives any more",
             after ? Effect::narrower : Effect::wider, bearing,
             {"old data may fit none of them", "old readers expect one of them"});
        return;
    }
    // Where no value fits two alternatives, oneOf says what anyOf says. Elsewhere an alternative that gets wider
    // may make that a value fits two of them, and so none, and one that goes may make that it fits one.
    if (std::string_view(keyword) == "oneOf" &&
        (may_overlap(older_, sides.older) || may_overlap(newer_, sides.newer)))
        bearing.opaque = true;
    std::multimap<std::string, std::size_t> old_ones;
    for (std::size_t i = 0; before && i < before->size(); ++i)
        old_ones.emplace(canonical(NlohmannValue{(*before)[i]}), i);
    std::vector<std::size_t> added;
    for (std::size_t i = 0; after && i < after->size(); ++i) {
        const auto same = old_ones.find(canonical(NlohmannValue{(*after)[i]}));
        if (same == old_ones.end()) {
            added.push_back(i);
            continue;
        }
        const auto index = [&](std::size_t at_index) { return step + '/' + std::to_string(at_index); };
        compare(at(older_, sides.older, index(same->second)), at(newer_, sides.newer, index(i)), bearing);
        old_ones.erase(same);
    }
    std::vector<std::size_t> gone;
    for (const auto& [text, index] : old_ones) gone.push_back(index);
    std::sort(gone.begin(), gone.end());

    auto within = bearing;
    const auto pairs = std::min(gone.size(), added.size());
    within.doubtful = within.doubtful || pairs > 1 || gone.size() != added.size();
    for (std::size_t i = 0; i < pairs; ++i) {
        compare(at(older_, sides.older, step + '/' + std::to_string(gone[i])),
                at(newer_, sides.newer, step + '/' + std::to_string(added[i])), within);
    }
    for (std::size_t i = pairs; i < gone.size(); ++i) {
        note(sides, step + '/' + std::to_string(gone[i]), all ? "a rule is gone" : "an alternative is gone",
             all ? Effect::wider : Effect::narrower, bearing,
             {"old data may need it", "old readers still expect it to be kept"});
    }
    for (std::size_t i = pairs; i < added.size(); ++i) {
        const auto added_step = step + '/' + std::to_string(added[i]);
        note(sides, added_step, all ? "a rule is new" : "an alternative is new",
             all ? Effect::narrower : Effect::wider, bearing,
             {"old data need not keep it", "old readers do not know it"});
    }
}

namespace {

std::set<std::string> fixed_values(const nlohmann::json& schema) {
    std::set<std::string> values;
    if (!schema.is_object()) return values;
    if (const auto one = schema.find("const"); one != schema.end()) values.insert(canonical(NlohmannValue{*one}));
    if (const auto list = schema.find("enum"); values.empty() && list != schema.end()) {
        for (const auto& value : *list) values.insert(canonical(NlohmannValue{value}));
    }
    return values;
}

std::set<std::string> type_words(const nlohmann::json& schema) {
    if (!schema.is_object() || !schema.contains("type")) return {};
    const auto& type = schema.at("type");
    std::set<std::string> words;
    if (type.is_string()) {
        words.insert(type.get<std::string>());
    } else {
        words = type.get<std::set<std::string>>();
    }
    if (words.contains("number")) words.insert("integer");
    return words;
}

/// Two lists of what is possible, each empty where everything is, have nothing in common.
bool exclude_each_other(const std::set<std::string>& some, const std::set<std::string>& others) {
    if (some.empty() || others.empty()) return false;
    return std::none_of(some.begin(), some.end(), [&](const std::string& one) { return others.contains(one); });
}

bool requires_member(const nlohmann::json& schema, const std::string& name) {
    const auto list = schema.find("required");
    return list != schema.end() && std::find(list->begin(), list->end(), name) != list->end();
}

}  // namespace

/// Whether some value may fit two alternatives of a side's oneOf. Says no only where a type, or a member that both
/// require, sets all of them apart.
bool Comparison::may_overlap(Document& document, const Side& side) {
    const auto set_apart = [&](const Side& a, const Side& b) {
        const auto& first = *a.place.schema;
        const auto& second = *b.place.schema;
        if (exclude_each_other(type_words(first), type_words(second))) return true;
        if (exclude_each_other(fixed_values(first), fixed_values(second))) return true;
        const auto* properties = a.find("properties");
        if (!properties || type_words(first) != std::set<std::string>{"object"}) return false;
        for (const auto& name : names_in(properties)) {
            const auto* theirs = b.find("properties");
            if (!theirs || !theirs->contains(name)) continue;
            if (!requires_member(first, name) || !requires_member(second, name)) continue;
            const auto step = "/properties" + pointer_step(name);
            const auto mine = resolved(document, at(document, a, step));
            const auto other = resolved(document, at(document, b, step));
            if (exclude_each_other(fixed_values(*mine.place.schema), fixed_values(*other.place.schema)))
                return true;
            if (exclude_each_other(type_words(*mine.place.schema), type_words(*other.place.schema))) return true;
        }
        return false;
    };
    std::vector<Side> alternatives;
    for (std::size_t i = 0; i < side.find("oneOf")->size(); ++i) {
        alternatives.push_back(resolved(document, at(document, side, "/oneOf/" + std::to_string(i))));
        for (std::size_t k = 0; k < i; ++k) {
            if (!set_apart(alternatives[k], alternatives[i])) return true;
        }
    }
    return false;
}

/// What is said to people, and checked by nobody.
void Comparison::notes(const Sides& sides) {
    for (const auto* keyword : {"title", "description", "default", "examples", "format", "readOnly", "writeOnly",
                                "contentEncoding", "contentMediaType", "$comment"}) {
        const auto* before = sides.older.find(keyword);
        const auto* after = sides.newer.find(keyword);
        if ((!before && !after) || (before && after && *before == *after)) continue;
        const auto words = [](const nlohmann::json* value) {
            return value ? brief(NlohmannValue{*value}) : std::string("none");
        };
        note(sides, std::string("/") + keyword,
             std::string(keyword) + ": " + words(before) + " became " + words(after), Effect::none, {});
    }
}

}  // namespace stele::detail::json_schema
