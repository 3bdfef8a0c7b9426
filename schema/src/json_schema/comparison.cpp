#include "comparison.hpp"

#include "../text.hpp"
#include "canonical.hpp"
#include "nlohmann_value.hpp"
#include "subschemas.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace stele::detail::json_schema {
namespace {

const nlohmann::json& anything() {
    static const nlohmann::json schema(true);
    return schema;
}

const nlohmann::json& nothing() {
    static const nlohmann::json schema(false);
    return schema;
}

std::string brief_of(const nlohmann::json& value) { return brief(NlohmannValue{value}); }

Kinds kinds_of(const nlohmann::json* type) {
    if (!type) return all_kinds;
    const auto one = [](const std::string& word) -> Kinds {
        if (word == "null") return bit(Kind::null);
        if (word == "boolean") return bit(Kind::boolean);
        if (word == "integer") return bit(Kind::integer);
        if (word == "number") return bit(Kind::integer) | bit(Kind::number);
        if (word == "string") return bit(Kind::string);
        if (word == "array") return bit(Kind::array);
        return bit(Kind::object);
    };
    if (type->is_string()) return one(type->get<std::string>());
    Kinds kinds = 0;
    for (const auto& word : *type) kinds |= one(word.get<std::string>());
    return kinds;
}

/// Where no type is named, the values that are allowed have theirs.
Kinds kinds_of(const nlohmann::json* type, const nlohmann::json* list, const nlohmann::json* one) {
    if (type || (!list && !one)) return kinds_of(type);
    Kinds kinds = 0;
    const auto add = [&](const nlohmann::json& value) { kinds |= bit(NlohmannValue{value}.kind()); };
    if (one) add(*one);
    if (list && !one) std::for_each(list->begin(), list->end(), add);
    return kinds;
}

Effect effect_of(bool narrower, bool wider) {
    if (narrower && wider) return Effect::other;
    return narrower ? Effect::narrower : wider ? Effect::wider : Effect::none;
}

std::string listed(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) (text += text.empty() ? "" : ", ") += word;
    return text;
}

/// What `from` has and `without` has not, by canonical text.
std::vector<std::string> only_in(const std::map<std::string, std::string>& from,
                                 const std::map<std::string, std::string>& without) {
    std::vector<std::string> only;
    for (const auto& [key, words] : from) {
        if (!without.contains(key)) only.push_back(words);
    }
    return only;
}

/// The values that enum and const leave, by canonical text; nothing where neither is there.
std::optional<std::map<std::string, std::string>> values_of(const nlohmann::json* list, const nlohmann::json* one) {
    if (!list && !one) return std::nullopt;
    std::map<std::string, std::string> values;
    if (list) {
        for (const auto& value : *list) values.emplace(canonical(NlohmannValue{value}), brief_of(value));
    }
    if (one) {
        const auto text = canonical(NlohmannValue{*one});
        const bool possible = !list || values.contains(text);
        values.clear();
        if (possible) values.emplace(text, brief_of(*one));
    }
    return values;
}

}  // namespace

const nlohmann::json* Comparison::Side::find(const char* keyword) const {
    if (!place.schema->is_object()) return nullptr;
    const auto at = place.schema->find(keyword);
    return at == place.schema->end() ? nullptr : &*at;
}

Comparison::Comparison(const nlohmann::json& older, const nlohmann::json& newer) : older_(older), newer_(newer) {}

std::vector<SchemaChange> Comparison::run() {
    compare(older_.root(), newer_.root(), {});
    return std::move(changes_);
}

Comparison::Side Comparison::resolved(Document& document, Place place) {
    const auto marked = [](const Place& one) { return one.schema->is_object() && one.schema->contains("x-stele"); };
    bool forbidden = marked(place);
    while (is_reference(*place.schema)) {
        place = document.follow(place, place.schema->at("$ref").get<std::string>());
        forbidden = forbidden || marked(place);
    }
    return {std::move(place), forbidden};
}

/// The schema at `step` of a side, or `true` where there is none.
Place Comparison::at(Document& document, const Side& side, const std::string& step) {
    const nlohmann::json::json_pointer pointer(step);
    if (!side.place.schema->is_object() || !side.place.schema->contains(pointer)) {
        return {&anything(), side.place.base, side.place.pointer + step};
    }
    return document.child(side.place, step, side.place.schema->at(pointer));
}

void Comparison::compare(const Place& older, const Place& newer, Bearing bearing) {
    constexpr int deepest = 100;
    const Sides sides{resolved(older_, older), resolved(newer_, newer)};
    const auto& before = *sides.older.place.schema;
    const auto& after = *sides.newer.place.schema;
    if (before.is_boolean() && before == after) return;
    // What is met again, within itself or elsewhere, has been told.
    const bool fresh = seen_.emplace(&before, &after, bearing.reversed, bearing.doubtful, bearing.opaque).second;
    if (!fresh && !(before.is_boolean() && after.is_boolean())) return;
    if (++depth_ > deepest) {
        note(sides, "", "nested too deep to be compared", Effect::unclear, bearing);
    } else {
        compare_keywords(sides, bearing);
    }
    --depth_;
}

void Comparison::compare_keywords(const Sides& sides, Bearing bearing) {
    if (sides.older.forbidden != sides.newer.forbidden) {
        note(sides, "", sides.newer.forbidden ? "is forbidden now" : "is no longer forbidden",
             sides.newer.forbidden ? Effect::narrower : Effect::wider, bearing,
             {"old data may hold it", "the older version refuses data that holds it"});
    }
    if (sides.older.forbidden || sides.newer.forbidden) return;
    const bool never_fitted = *sides.older.place.schema == nothing();
    const bool never_fits = *sides.newer.place.schema == nothing();
    if (never_fitted || never_fits) {
        if (never_fitted == never_fits) return;
        const bool others = sides.newer.place.pointer.ends_with("/additionalProperties");
        note(sides, "",
             std::string(others ? "what is not named " : "") +
                 (never_fits ? "is not allowed any more" : "is allowed now"),
             never_fits ? Effect::narrower : Effect::wider, bearing,
             {"old data may hold it", "the older version refuses data that holds it"});
        return;
    }
    types(sides, bearing);
    values(sides, bearing);
    bounds(sides, bearing);
    multiples(sides, bearing);
    patterns(sides, bearing);
    flags(sides, bearing);
    required(sides, bearing);
    members(sides, bearing);
    dependencies(sides, bearing);
    items(sides, bearing);
    single_schemas(sides, bearing);
    conditions(sides, bearing);
    lists(sides, bearing);
    notes(sides);
}

void Comparison::types(const Sides& sides, Bearing bearing) {
    const auto kinds_at = [](const Side& side) {
        return kinds_of(side.find("type"), side.find("enum"), side.find("const"));
    };
    const auto before = kinds_at(sides.older);
    const auto after = kinds_at(sides.newer);
    const auto gone = static_cast<Kinds>(before & ~after);
    const auto added = static_cast<Kinds>(after & ~before);
    if (gone == 0 && added == 0) return;
    const auto words = [](Kinds kinds) { return kinds == all_kinds ? std::string("anything") : describe(kinds); };
    note(sides, "/type", "type: " + words(before) + " became " + words(after), effect_of(gone != 0, added != 0),
         bearing,
         {"old data may hold what is not " + words(after) + " here",
          "old readers expect " + words(before) + " here"});
}

void Comparison::values(const Sides& sides, Bearing bearing) {
    const auto before = values_of(sides.older.find("enum"), sides.older.find("const"));
    const auto after = values_of(sides.newer.find("enum"), sides.newer.find("const"));
    const auto* keyword = sides.newer.find("const") ? "/const" : "/enum";
    if (!before && !after) return;
    if (!before) {
        note(sides, keyword, "only certain values are allowed now", Effect::narrower, bearing,
             {"old data may hold other values", ""});
        return;
    }
    if (!after) {
        note(sides, keyword, "the list of allowed values is gone", Effect::wider, bearing,
             {"", "old readers expect one of a few values"});
        return;
    }
    const auto gone = only_in(*before, *after);
    const auto added = only_in(*after, *before);
    if (gone.empty() && added.empty()) return;
    std::string what = "values:";
    if (!gone.empty()) what += " gone " + listed(gone);
    if (!added.empty()) what += std::string(gone.empty() ? "" : ";") + " added " + listed(added);
    note(sides, keyword, what, effect_of(!gone.empty(), !added.empty()), bearing,
         {"old data may hold " + listed(gone), "old readers do not know " + listed(added)});
}

void Comparison::bounds(const Sides& sides, Bearing bearing) {
    struct Bound {
        const char* keyword;
        bool lower;
        Kinds kinds;
    };
    const auto numbers = static_cast<Kinds>(bit(Kind::integer) | bit(Kind::number));
    const std::vector<Bound> all{{"minimum", true, numbers},
                                 {"exclusiveMinimum", true, numbers},
                                 {"maximum", false, numbers},
                                 {"exclusiveMaximum", false, numbers},
                                 {"minLength", true, bit(Kind::string)},
                                 {"maxLength", false, bit(Kind::string)},
                                 {"minItems", true, bit(Kind::array)},
                                 {"maxItems", false, bit(Kind::array)},
                                 {"minProperties", true, bit(Kind::object)},
                                 {"maxProperties", false, bit(Kind::object)}};
    const auto possible = kinds_of(sides.older.find("type")) | kinds_of(sides.newer.find("type"));
    for (const auto& bound : all) {
        if (!(possible & bound.kinds)) continue;
        const bool counts = !(bound.kinds & bit(Kind::integer));
        const auto value = [&](const Side& side) {
            const auto* found = side.find(bound.keyword);
            // At least 0 of something there always are.
            return found && counts && bound.lower && NlohmannValue{*found}.number() == 0 ? nullptr : found;
        };
        const auto* before = value(sides.older);
        const auto* after = value(sides.newer);
        if ((!before && !after) ||
            (before && after && canonical(NlohmannValue{*before}) == canonical(NlohmannValue{*after})))
            continue;
        const auto words = [](const nlohmann::json* one) { return one ? brief_of(*one) : std::string("none"); };
        bool tighter = after != nullptr;
        if (before && after) {
            const bool grew = NlohmannValue{*after}.number() > NlohmannValue{*before}.number();
            tighter = grew == bound.lower;
        }
        const std::string outside = bound.lower ? "below " : "above ";
        note(
            sides, std::string("/") + bound.keyword,
            std::string(bound.keyword) + ": " + words(before) + " became " + words(after),
            tighter ? Effect::narrower : Effect::wider, bearing,
            {"old data may be " + outside + words(after), "old readers refuse what is " + outside + words(before)});
    }
}

void Comparison::multiples(const Sides& sides, Bearing bearing) {
    const auto* before = sides.older.find("multipleOf");
    const auto* after = sides.newer.find("multipleOf");
    if (!before && !after) return;
    const auto number = [](const nlohmann::json* value) { return NlohmannValue{*value}.number(); };
    const bool narrower = after && (!before || !is_multiple(number(before), number(after)));
    const bool wider = before && (!after || !is_multiple(number(after), number(before)));
    if (!narrower && !wider) return;
    const auto words = [](const nlohmann::json* value) { return value ? brief_of(*value) : std::string("none"); };
    note(sides, "/multipleOf", "multipleOf: " + words(before) + " became " + words(after),
         effect_of(narrower, wider), bearing,
         {"old data need not be a multiple of " + words(after),
          "old readers expect a multiple of " + words(before)});
}

void Comparison::patterns(const Sides& sides, Bearing bearing) {
    const auto* before = sides.older.find("pattern");
    const auto* after = sides.newer.find("pattern");
    if ((!before && !after) || (before && after && *before == *after)) return;
    const auto words = [](const nlohmann::json* value) { return value ? brief_of(*value) : std::string("none"); };
    const auto effect = !before ? Effect::narrower : !after ? Effect::wider : Effect::unclear;
    note(sides, "/pattern", "pattern: " + words(before) + " became " + words(after), effect, bearing,
         {"old data need not match", "old readers expect what matches " + words(before)});
}

void Comparison::flags(const Sides& sides, Bearing bearing) {
    const auto is_set = [](const Side& side) {
        const auto* flag = side.find("uniqueItems");
        return flag && flag->get<bool>();
    };
    const bool before = is_set(sides.older);
    const bool after = is_set(sides.newer);
    if (before == after) return;
    note(sides, "/uniqueItems", after ? "items must differ now" : "items may be equal now",
         after ? Effect::narrower : Effect::wider, bearing,
         {"old data may hold equal items", "old readers refuse equal items"});
}

void Comparison::required(const Sides& sides, Bearing bearing) {
    const auto names = [](const Side& side) {
        const auto* list = side.find("required");
        return list ? list->get<std::set<std::string>>() : std::set<std::string>{};
    };
    const auto before = names(sides.older);
    const auto after = names(sides.newer);
    for (const auto& name : after) {
        if (before.contains(name)) continue;
        note(sides, "/required", detail::quoted(name) + " is required now", Effect::narrower, bearing,
             {"old data may lack it; an upcaster can add it", ""});
    }
    for (const auto& name : before) {
        if (after.contains(name)) continue;
        note(sides, "/required", detail::quoted(name) + " is no longer required", Effect::wider, bearing,
             {"", "old readers expect it"});
    }
}

void Comparison::note(const Sides& sides, const std::string& step, std::string what, Effect effect, Bearing bearing,
                      const Words& words) {
    if (bearing.opaque && effect != Effect::none) effect = Effect::unclear;
    if (bearing.reversed && (effect == Effect::narrower || effect == Effect::wider)) {
        effect = effect == Effect::narrower ? Effect::wider : Effect::narrower;
    }
    const bool narrower = effect == Effect::narrower || effect == Effect::other;
    const bool wider = effect == Effect::wider || effect == Effect::other;
    const auto holds = [&](bool breaks) {
        if (effect == Effect::unclear) return Holds::cannot_tell;
        if (!breaks) return Holds::yes;
        return bearing.doubtful ? Holds::cannot_tell : Holds::no;
    };
    std::string why;
    const auto add = [&](const std::string& reason) {
        if (!reason.empty()) (why += why.empty() ? "" : "; ") += reason;
    };
    if (bearing.reversed) {
        if (narrower) add("under \"not\", more is refused than before");
        if (wider) add("under \"not\", less is refused than before");
    } else {
        if (narrower) add(words.narrower);
        if (wider) add(words.wider);
    }
    if (effect == Effect::unclear) add("whether the one covers the other cannot be told");
    const bool there = step.empty() || (sides.newer.place.schema->is_object() &&
                                        sides.newer.place.schema->contains(nlohmann::json::json_pointer(step)));
    const auto& place = there ? sides.newer.place : sides.older.place;
    changes_.push_back({place.pointer + step, std::move(what), holds(narrower), holds(wider), std::move(why)});
}

}  // namespace stele::detail::json_schema
