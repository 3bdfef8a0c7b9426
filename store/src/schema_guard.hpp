// SchemaGuard: the schemas of a store, compiled, and what they have against an event.
//
// One for each open store, shared by those who append, who check before they queue up, and by the backend's writer,
// who notices under the write lock that another process has changed the schemas since: so no event is committed
// that was not checked by what was recorded before it.
//
// The names that an event type has had are one type to it, as far as the program knows of them: an event under a
// name of before is checked like one under the name of today.
#pragma once

#include <stele/schema/event_types.hpp>
#include <stele/store/schemas.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace stele {

/// What stands in the file.
struct StoredSchemas {
    std::uint64_t generation = 0;  ///< rises with every change; 0: none was ever made
    SchemaMode mode = SchemaMode::declared;
    std::vector<RecordedSchema> schemas;  ///< by type and version
};

/// The schemas of `types` that are not among `stored`. Throws SchemaChanged where one of them is another one there.
[[nodiscard]] std::vector<RecordedSchema> unknown_schemas(const std::string& store, const StoredSchemas& stored,
                                                          const EventTypes& types);

/// Any thread.
class SchemaGuard {
public:
    using Versions = std::map<int, JsonSchema>;

    /// The schemas as they were at one time. Immutable.
    struct Registry {
        StoredSchemas stored;
        std::unordered_map<std::string, Versions> by_type;   ///< by the name under which each was recorded
        std::unordered_map<std::string, Versions> by_today;  ///< by what the type is called today, of all its names
        std::shared_ptr<const EventTypes> names;             ///< what types are called today; null: nobody said

        /// Says by which registry something was checked. Never 0.
        [[nodiscard]] std::uint64_t token() const noexcept { return stored.generation + 1; }
        /// Whether any event can be refused.
        [[nodiscard]] bool checks() const noexcept {
            return stored.mode == SchemaMode::strict || (stored.mode == SchemaMode::declared && !by_type.empty());
        }
        [[nodiscard]] std::optional<SchemaViolationError> violation(const std::string& store,
                                                                    const StreamId& stream,
                                                                    const NewEvent& event) const;

    private:
        [[nodiscard]] const JsonSchema* schema_of(const NewEvent& event) const;
        [[nodiscard]] const Versions* versions_of(const std::string& type) const;
    };

    /// `load` reads what stands in the file; called at the first use. `names` knows what types are called today; it
    /// may be null.
    SchemaGuard(std::string store, std::function<StoredSchemas()> load,
                std::shared_ptr<const EventTypes> names = {});

    [[nodiscard]] std::shared_ptr<const Registry> current();
    /// Takes over what somebody has read, unless something newer is known. Compiles what is new.
    void update(StoredSchemas stored);
    [[nodiscard]] const std::string& store() const noexcept { return store_; }

private:
    const std::string store_;
    const std::function<StoredSchemas()> load_;
    const std::shared_ptr<const EventTypes> names_;
    std::mutex mutex_;
    std::shared_ptr<const Registry> registry_;
};

}  // namespace stele
