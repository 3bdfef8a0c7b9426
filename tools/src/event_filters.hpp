// Which events of the log: the options that `events` and `export` share.
#pragma once

#include "context.hpp"

#include <stele/store/event_store.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace stele::tool {

struct EventFilters {
    std::optional<std::int64_t> after;
    std::vector<std::string> types;
    std::optional<std::string> aggregate_type;
    std::optional<std::string> tenant;
    std::vector<std::string> tags;
    std::optional<Timestamp> since;
    std::optional<Timestamp> until;
    std::optional<std::int64_t> until_position;
    std::optional<std::string> correlation;
    std::optional<std::int64_t> limit;
    bool raw = false;

    void add_to(CLI::App& app);

    /// What they select.
    [[nodiscard]] Read read() const;
    /// How the store is to be opened for it.
    [[nodiscard]] Context::Events events() const;
};

}  // namespace stele::tool
