#include "schema_guard.hpp"

namespace stele {

namespace {

std::string name_of(const RecordedSchema& schema) { return schema.type + " v" + std::to_string(schema.version); }

/// Those that `before` holds already are not compiled again: what is recorded never changes.
std::shared_ptr<const SchemaGuard::Registry> compiled(const std::string& store, StoredSchemas stored,
                                                      const SchemaGuard::Registry* before,
                                                      const std::shared_ptr<const EventTypes>& names) {
    auto registry = std::make_shared<SchemaGuard::Registry>();
    registry->names = names;
    if (before != nullptr) registry->by_type = before->by_type;
    for (const auto& schema : stored.schemas) {
        auto& versions = registry->by_type[schema.type];
        if (versions.count(schema.version) != 0) continue;
        versions.emplace(schema.version,
                         JsonSchema::compile(schema.document, store + ": schema " + name_of(schema)));
    }
    registry->stored = std::move(stored);
    if (!names) return registry;

    // Of two names of a type that both have a version, today's is the one that speaks for the type; else the first
    // by the alphabet, in every process.
    const std::map<std::string, SchemaGuard::Versions> in_order{registry->by_type.begin(), registry->by_type.end()};
    for (const auto& [type, versions] : in_order) {
        const auto& today = names->today(type);
        auto& of_today = registry->by_today[today];
        for (const auto& [version, schema] : versions) {
            if (type == today) {
                of_today.insert_or_assign(version, schema);
            } else {
                of_today.emplace(version, schema);
            }
        }
    }
    return registry;
}

}  // namespace

std::vector<RecordedSchema> unknown_schemas(const std::string& store, const StoredSchemas& stored,
                                            const EventTypes& types) {
    std::map<TypeVersion, const RecordedSchema*> known;
    for (const auto& schema : stored.schemas) known.emplace(TypeVersion{schema.type, schema.version}, &schema);
    std::vector<RecordedSchema> unknown;
    for (const auto& [kind, schema] : types.schemas()) {
        const auto recorded = known.find(kind);
        if (recorded == known.end()) {
            unknown.push_back({kind.type, kind.version, schema.document(), schema.fingerprint(), {}});
        } else if (recorded->second->fingerprint != schema.fingerprint()) {
            throw SchemaChanged{store, *recorded->second, schema.fingerprint(), schema.file()};
        }
    }
    return unknown;
}

SchemaGuard::SchemaGuard(std::string store, std::function<StoredSchemas()> load,
                         std::shared_ptr<const EventTypes> names)
    : store_(std::move(store)), load_(std::move(load)), names_(std::move(names)) {}

std::shared_ptr<const SchemaGuard::Registry> SchemaGuard::current() {
    {
        const std::lock_guard lock{mutex_};
        if (registry_) return registry_;
    }
    update(load_());
    const std::lock_guard lock{mutex_};
    return registry_;
}

void SchemaGuard::update(StoredSchemas stored) {
    std::shared_ptr<const Registry> before;
    {
        const std::lock_guard lock{mutex_};
        before = registry_;
    }
    if (before && before->stored.generation >= stored.generation) return;
    auto registry = compiled(store_, std::move(stored), before.get(), names_);
    const std::lock_guard lock{mutex_};
    if (!registry_ || registry_->stored.generation < registry->stored.generation) registry_ = std::move(registry);
}

std::optional<SchemaViolationError> SchemaGuard::Registry::violation(const std::string& store,
                                                                     const StreamId& stream,
                                                                     const NewEvent& event) const {
    if (!checks()) return {};
    const auto refused = [&](std::string pointer, std::string expected, std::string found) {
        return SchemaViolationError{store,
                                    {stream.name(), event.type, event.schema_version, std::move(pointer),
                                     std::move(expected), std::move(found)}};
    };
    if (const auto* schema = schema_of(event)) {
        auto violation = schema->check(event.data);
        if (!violation) return {};
        return refused(std::move(violation->pointer), std::move(violation->expected), std::move(violation->found));
    }
    const bool is_strict = stored.mode == SchemaMode::strict;
    const auto* const versions = versions_of(event.type);
    if (versions == nullptr) {
        if (!is_strict) return {};
        return refused({}, "a schema for this type and version, as the store's mode is strict",
                       "none of this type");
    }
    // What is older than the first schema was there before there were any. What is not, says something that no
    // schema has looked at: a field that is forbidden would get in with it.
    if (!is_strict && event.schema_version < versions->begin()->first) return {};
    std::string known = "versions";
    const char* separator = " ";
    for (const auto& [version, schema] : *versions) {
        known += separator + std::to_string(version);
        separator = ", ";
    }
    if (names && names->today(event.type) != event.type) known += " of " + names->today(event.type);
    return refused({}, "a version of this type that has a schema; `stele schema add` records one", known);
}

// The one that was recorded for exactly this name and version; else that of the version under another name.
const JsonSchema* SchemaGuard::Registry::schema_of(const NewEvent& event) const {
    const auto find = [&](const Versions& versions) -> const JsonSchema* {
        const auto schema = versions.find(event.schema_version);
        return schema == versions.end() ? nullptr : &schema->second;
    };
    if (const auto type = by_type.find(event.type); type != by_type.end()) {
        if (const auto* schema = find(type->second)) return schema;
    }
    const auto* const versions = versions_of(event.type);
    return versions == nullptr ? nullptr : find(*versions);
}

// All that have a schema, under any name that the type has had.
const SchemaGuard::Versions* SchemaGuard::Registry::versions_of(const std::string& type) const {
    const auto& all = names ? by_today : by_type;
    const auto found = all.find(names ? names->today(type) : type);
    return found == all.end() ? nullptr : &found->second;
}

}  // namespace stele
