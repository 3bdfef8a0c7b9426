// What a registry holds: the parts that EventTypes collects and Upcasters applies.
#pragma once

#include <stele/schema/event_types.hpp>
#include <stele/schema/sql/text.hpp>

#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace stele::detail {

/// What becomes of the events of one type and version.
struct UpcastStep {
    std::string place;              ///< the file, or "C++"
    std::vector<TypeVersion> into;  ///< for SQL, one for each expression; none: the event is dropped
    std::function<std::optional<nlohmann::json>(nlohmann::json&&, const Event&)> one;
    std::function<std::vector<Upcast>(nlohmann::json&&, const Event&)> several;
    bool looks_at_event = false;            ///< the function does, beyond its data
    std::vector<sql::SqlText> expressions;  ///< where there is no function

    [[nodiscard]] bool is_sql() const noexcept { return !one && !several; }
};

/// What an upcaster of version `from` makes. The greatest of all has no next one: EventTypes refuses an upcaster of
/// it.
[[nodiscard]] constexpr int next_version(int from) noexcept {
    return from < std::numeric_limits<int>::max() ? from + 1 : from;
}

/// `SiteCreated v2`, as it is written to a stream.
[[nodiscard]] inline std::string name_of(const TypeVersion& kind) {
    return kind.type + " v" + std::to_string(kind.version);
}

struct Rename {
    std::string to;
    std::string place;  ///< file and line, or "C++"
};

}  // namespace stele::detail

namespace stele {

struct EventTypes::Parts {
    std::map<TypeVersion, detail::UpcastStep> steps;
    std::map<std::string, detail::Rename> renames;
    std::map<std::string, detail::Rename> aggregate_renames;
    std::string revision;
    std::map<TypeVersion, JsonSchema> schemas;
};

}  // namespace stele
