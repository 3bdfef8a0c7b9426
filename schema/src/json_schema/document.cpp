#include "document.hpp"

#include "../text.hpp"
#include "subschemas.hpp"
#include "uri.hpp"

#include <charconv>
#include <utility>
#include <vector>

namespace stele::detail::json_schema {

extern const char* const draft07_json;  // the file draft07.json

const nlohmann::json& metaschema() {
    static const nlohmann::json parsed = nlohmann::json::parse(draft07_json);
    return parsed;
}

std::string pointer_step(std::string_view name) {
    std::string step = "/";
    for (const char c : name) {
        if (c == '~') {
            step += "~0";
        } else if (c == '/') {
            step += "~1";
        } else {
            step += c;
        }
    }
    return step;
}

namespace {

std::string unescaped_step(std::string_view step) {
    std::string name;
    for (std::size_t i = 0; i < step.size(); ++i) {
        const bool escaped = step[i] == '~' && i + 1 < step.size() && (step[i + 1] == '0' || step[i + 1] == '1');
        name += escaped ? (step[++i] == '0' ? '~' : '/') : step[i];
    }
    return name;
}

/// The value one step of a pointer into `value`; null where there is none.
const nlohmann::json* step_into(const nlohmann::json& value, const std::string& name) {
    if (value.is_object()) {
        const auto at = value.find(name);
        return at == value.end() ? nullptr : &*at;
    }
    if (!value.is_array()) return nullptr;
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    if (error != std::errc{} || end != name.data() + name.size()) return nullptr;
    return index < value.size() ? &value[index] : nullptr;
}

const std::string* id_of(const nlohmann::json& schema) {
    if (!schema.is_object() || is_reference(schema)) return nullptr;
    const auto at = schema.find("$id");
    return at == schema.end() ? nullptr : at->get_ptr<const std::string*>();
}

}  // namespace

Document::Document(const nlohmann::json& root) : root_(root) {
    identified_.emplace("", &root);
    index(root, "", "");
}

Place Document::root() const { return places_.at(&root_); }

void Document::index(const nlohmann::json& schema, const std::string& base, const std::string& pointer) {
    std::vector<Place> open{{&schema, base, pointer}};
    while (!open.empty()) {
        auto place = std::move(open.back());
        open.pop_back();
        if (const auto* id = id_of(*place.schema)) {
            auto name = resolve(place.base, *id);
            if (name.fragment.empty()) place.base = name.document;
            const auto uri = name.fragment.empty() ? name.document : name.document + '#' + name.fragment;
            const auto [known, fresh] = identified_.emplace(uri, place.schema);
            if (!fresh && known->second != place.schema) {
                throw SchemaFault{
                    place.pointer + "/$id", "an identifier of its own", detail::quoted(uri) + " again", {}};
            }
        }
        for_each_subschema(*place.schema, [&](const std::string& step, const nlohmann::json& child) {
            open.push_back({&child, place.base, place.pointer + step});
        });
        places_.insert_or_assign(place.schema, std::move(place));
    }
}

Place Document::child(const Place& from, const std::string& step, const nlohmann::json& schema) {
    const auto known = places_.find(&schema);
    if (known != places_.end()) return known->second;
    index(schema, from.base, from.pointer + step);
    return places_.at(&schema);
}

Place Document::follow(const Place& from, const std::string& reference) {
    const auto target = resolve(from.base, reference);
    const auto at = from.pointer + "/$ref";
    const SchemaFault dangling{at, "a reference to what is there", detail::quoted(reference), {}};

    if (!target.fragment.empty() && !target.fragment.starts_with('/')) {  // a name: {"$id": "#name"}
        const auto named = identified_.find(target.document + '#' + target.fragment);
        if (named == identified_.end()) throw dangling;
        return places_.at(named->second);
    }
    auto document = identified_.find(target.document);
    if (document == identified_.end() && target.document == metaschema_uri) {
        index(metaschema(), metaschema_uri, std::string(metaschema_uri) + '#');
        document = identified_.find(target.document);
    }
    if (document == identified_.end()) {
        throw SchemaFault{at, "a reference within this document", detail::quoted(reference),
                          "nothing is fetched: copy what it stands for under \"definitions\" and point there"};
    }
    return walk(places_.at(document->second), target.fragment, dangling);
}

Place Document::walk(const Place& from, const std::string& fragment, const SchemaFault& dangling) {
    Place here = from;   // the last schema on the way
    std::string behind;  // the way from there
    const auto* value = from.schema;
    std::string_view rest = fragment;
    while (!rest.empty()) {
        rest.remove_prefix(1);  // '/'
        const auto end = rest.find('/');
        const auto name = unescaped_step(rest.substr(0, end));
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
        value = step_into(*value, name);
        if (!value) throw dangling;
        behind += pointer_step(name);
        if (const auto known = places_.find(value); known != places_.end()) {
            here = known->second;
            behind.clear();
        }
    }
    if (!value->is_object() && !value->is_boolean()) {
        throw SchemaFault{dangling.pointer,
                          "a reference to a schema",
                          dangling.found + ", where " + value->type_name() + " stands",
                          {}};
    }
    return behind.empty() ? here : child(here, behind, *value);
}

}  // namespace stele::detail::json_schema
