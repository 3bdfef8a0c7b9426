// ListenerRegistry: the listeners that a program knows, by name.
#pragma once

#include <stele/projections/listeners/listener.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

/// Threads  adding is for one thread, before others look.
class ListenerRegistry {
public:
    /// Throws InvalidInput where there is one of that name.
    void add(std::shared_ptr<const Listener> listener);

    /// Null where there is none.
    [[nodiscard]] std::shared_ptr<const Listener> find(std::string_view name) const;
    /// Throws NotFound, with the names that there are.
    [[nodiscard]] const Listener& of(std::string_view name) const;
    /// By name.
    [[nodiscard]] std::vector<std::shared_ptr<const Listener>> all() const;
    [[nodiscard]] bool empty() const noexcept { return listeners_.empty(); }

private:
    std::map<std::string, std::shared_ptr<const Listener>, std::less<>> listeners_;
};

}  // namespace stele
