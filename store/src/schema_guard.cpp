#include "schema_guard.hpp"

namespace stele {

namespace {

std::string name_of(const RecordedSchema& schema) { return schema.type + " v" + std::to_string(schema.version); }

/// Those that `before` holds already are not compiled again: what is recorded never changes.
std::shared_ptr<const SchemaGuard::Registry> compiled(const std::string& store, StoredSchemas stored,
                                                      const SchemaGuard::Registry* before) {
    auto registry = std::make_shared<SchemaGuard::Registry>();
    if (before != nullptr) registry->by_type = before->by_type;
    for (const auto& schema : stored.schemas) {
        auto& versions = registry->by_type[schema.type];
        if (versions.count(schema.version) != 0) continue;
        versions.emplace(schema.version,
                         JsonSchema::compile(schema.document, store + ": schema " + name_of(schema)));
    }
    registry->stored = std::move(stored);
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

SchemaGuard::SchemaGuard(std::string store, std::function<StoredSchemas()> load)
    : store_(std::move(store)), load_(std::move(load)) {}

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
    auto registry = compiled(store_, std::move(stored), before.get());
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
    const auto type = by_type.find(event.type);
    if (type != by_type.end()) {
        if (const auto schema = type->second.find(event.schema_version); schema != type->second.end()) {
            auto violation = schema->second.check(event.data);
            if (!violation) return {};
            return refused(std::move(violation->pointer), std::move(violation->expected),
                           std::move(violation->found));
        }
    }
    const bool is_strict = stored.mode == SchemaMode::strict;
    if (type == by_type.end()) {
        if (!is_strict) return {};
        return refused({}, "a schema for this type and version, as the store's mode is strict",
                       "none of this type");
    }
    // What is older than the first schema was there before there were any. What is not, says something that no
    // schema has looked at: a field that is forbidden would get in with it.
    if (!is_strict && event.schema_version < type->second.begin()->first) return {};
    std::string known = "versions";
    const char* separator = " ";
    for (const auto& [version, schema] : type->second) {
        known += separator + std::to_string(version);
        separator = ", ";
    }
    return refused({}, "a version of this type that has a schema; `stele schema add` records one", known);
}

}  // namespace stele
