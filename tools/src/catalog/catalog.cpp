#include "catalog.hpp"

#include "../definitions.hpp"
#include "../schema_files.hpp"

#include <stele/schema/schema_inference.hpp>

#include <algorithm>
#include <filesystem>

namespace stele::tool {
namespace {

using nlohmann::ordered_json;

std::string joined(const ordered_json& words, const char* between) {
    if (!words.is_array()) return words.is_string() ? words.get<std::string>() : words.dump();
    std::string text;
    for (const auto& word : words) {
        (text += text.empty() ? "" : between) += word.is_string() ? word.get<std::string>() : word.dump();
    }
    return text;
}

std::string text_in(const ordered_json& schema, const char* keyword) {
    const auto at = schema.find(keyword);
    return at != schema.end() && at->is_string() ? at->get<std::string>() : std::string{};
}

/// Lists the fields of a schema, nested ones behind the one that holds them.
class Fields {
public:
    explicit Fields(const ordered_json& root) : root_(root) {}

    std::vector<CatalogField> list() {
        add_members(resolved(root_), "", 0);
        return std::move(fields_);
    }

private:
    static constexpr int deepest = 8;

    /// References to definitions are followed; others are shown as they are.
    const ordered_json& resolved(const ordered_json& schema) const {
        const auto* at = &schema;
        for (int steps = 0; steps < deepest && at->is_object() && at->contains("$ref"); ++steps) {
            const auto reference = text_in(*at, "$ref");
            if (!reference.starts_with("#/")) return *at;
            const ordered_json::json_pointer pointer(reference.substr(1));
            if (!root_.contains(pointer)) return *at;
            at = &root_.at(pointer);
        }
        return *at;
    }

    void add_members(const ordered_json& schema, const std::string& path, int depth) {
        if (depth > deepest || !schema.is_object()) return;
        if (const auto items = schema.find("items"); items != schema.end() && items->is_object()) {
            add_members(resolved(*items), path + "[]", depth + 1);
        }
        const auto properties = schema.find("properties");
        if (properties == schema.end() || !properties->is_object()) return;
        const auto required = schema.value("required", ordered_json::array());
        for (const auto& [name, member] : properties->items()) {
            const auto here = path.empty() ? name : path + '.' + name;
            const bool is_required =
                std::find(required.begin(), required.end(), ordered_json(name)) != required.end();
            add(here, member, is_required);
            add_members(resolved(member), here, depth + 1);
        }
    }

    void add(const std::string& path, const ordered_json& member, bool required) {
        const auto& schema = resolved(member);
        CatalogField field{path, "", required, false,
                           text_in(member.is_object() ? member : ordered_json(), "description")};
        if (schema.is_object()) {
            if (const auto type = schema.find("type"); type != schema.end()) field.type = joined(*type, " or ");
            if (const auto format = text_in(schema, "format"); !format.empty()) field.type += " (" + format + ')';
            if (field.description.empty()) field.description = text_in(schema, "description");
            field.forbidden =
                text_in(schema, "x-stele") == "forbidden" || text_in(member, "x-stele") == "forbidden";
            if (const auto values = schema.find("enum"); values != schema.end()) {
                field.description +=
                    (field.description.empty() ? "one of: " : "; one of: ") + joined(*values, ", ");
            }
            if (const auto value = schema.find("const"); value != schema.end()) {
                field.description += (field.description.empty() ? "always " : "; always ") + value->dump();
            }
        }
        fields_.push_back(std::move(field));
    }

    const ordered_json& root_;
    std::vector<CatalogField> fields_;
};

bool may_take(const Query& query, const std::string& type) {
    if (query.selects_everything()) return true;
    return std::any_of(query.items().begin(), query.items().end(), [&](const QueryItem& item) {
        return item.types.empty() || std::find(item.types.begin(), item.types.end(), type) != item.types.end();
    });
}

void add_schemas(const SchemasByType& schemas, std::map<std::string, CatalogEntry>& entries) {
    for (const auto& [type, versions] : schemas) {
        auto& entry = entries[type];
        for (const auto& [number, known] : versions) {
            if (std::find(entry.versions.begin(), entry.versions.end(), number) == entry.versions.end()) {
                entry.versions.push_back(number);
            }
        }
        std::sort(entry.versions.begin(), entry.versions.end());
        const auto& newest = versions.rbegin()->second;
        if (entry.versions.back() == newest.version) {
            entry.schema = ordered_json::parse(newest.schema.document().text());
        }
    }
}

void look_at_events(const EventStore& store, const CatalogOptions& options, CatalogEntry& entry) {
    SchemaInference inference{{.enums = options.values}};
    const bool declared = !entry.schema.is_null();
    for (const Event& event : store.read(Read{matching(types(entry.type))}
                                             .backward()
                                             .limit(static_cast<std::size_t>(options.sample))
                                             .only({.id = false, .data = !declared, .tags = false}))) {
        entry.aggregate_types.emplace(event.stream.aggregate_type());
        if (options.actors) {
            const auto metadata = event.metadata.value();
            const auto actor = metadata.find("actor");
            if (actor != metadata.end() && actor->is_string()) entry.actors.insert(actor->get<std::string>());
        }
        if (!declared) inference.add(event.data);
    }
    if (declared || inference.count() == 0) return;
    entry.inferred = true;
    entry.schema = ordered_json::parse(inference.schema().text());
}

/// The store that is named, where it is there.
std::optional<EventStore> store_of(Context& context) {
    try {
        return context.open_existing(Context::Events::stored);
    } catch (const Failure& failure) {
        // A project is described without its store as well.
        if (!context.project() || (failure.code() != "not_found" && failure.code() != "no_store")) throw;
        return std::nullopt;
    }
}

}  // namespace

Catalog catalog_of(Context& context, const CatalogOptions& options) {
    std::map<std::string, CatalogEntry> entries;
    const auto store = store_of(context);
    std::error_code failed;
    const auto* project = context.project();
    if (project && std::filesystem::is_directory(project->schemas, failed)) {
        add_schemas(schemas_in(project->schemas), entries);
    }
    if (store) {
        add_schemas(recorded_schemas(*store), entries);
        for (const auto& info : store->types()) {
            auto& entry = entries[info.type];
            entry.type = info.type;
            entry.events = info.count;
            entry.first_position = info.first_position.value();
            entry.last_position = info.last_position.value();
            look_at_events(*store, options, entry);
        }
    }
    const auto projections = known_projections(context).registry.all();
    const auto listeners = known_listeners(context).all();

    Catalog catalog;
    const auto folder = context.project_folder();
    catalog.name =
        folder ? std::filesystem::absolute(*folder).lexically_normal().filename().string() : std::string();
    if (catalog.name.empty() && folder) {
        catalog.name = std::filesystem::absolute(*folder).lexically_normal().parent_path().filename().string();
    }
    if (catalog.name.empty() && store) catalog.name = store->name();
    for (auto& [type, entry] : entries) {
        entry.type = type;
        if (entry.schema.is_object()) {
            entry.title = text_in(entry.schema, "title");
            entry.description = text_in(entry.schema, "description");
            entry.fields = Fields{entry.schema}.list();
        }
        for (const auto& one : projections) {
            if (may_take(one->query(), type)) entry.projections.push_back(one->name());
        }
        for (const auto& one : listeners) {
            if (may_take(one->head().query, type)) entry.listeners.push_back(one->name());
        }
        catalog.entries.push_back(std::move(entry));
    }
    return catalog;
}

}  // namespace stele::tool
