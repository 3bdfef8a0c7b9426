#include <stele/projections/listeners/listener_registry.hpp>

namespace stele {

void ListenerRegistry::add(std::shared_ptr<const Listener> listener) {
    const std::string name = listener->name();
    if (listeners_.emplace(name, std::move(listener)).second) return;
    throw InvalidInput{"listener \"" + name + "\"", "one definition", "two"};
}

std::shared_ptr<const Listener> ListenerRegistry::find(std::string_view name) const {
    const auto found = listeners_.find(name);
    return found == listeners_.end() ? nullptr : found->second;
}

const Listener& ListenerRegistry::of(std::string_view name) const {
    if (const auto found = listeners_.find(name); found != listeners_.end()) return *found->second;
    std::vector<std::string_view> names;
    for (const auto& [known, listener] : listeners_) names.push_back(known);
    const auto hint = sql::nearest(name, names.data(), names.size());
    throw NotFound{
        "no listener \"" + std::string{name} + "\"" + (hint.empty() ? "" : "; did you mean " + hint + "?"),
        {{"listener", name}, {"nearest", hint}}};
}

std::vector<std::shared_ptr<const Listener>> ListenerRegistry::all() const {
    std::vector<std::shared_ptr<const Listener>> found;
    found.reserve(listeners_.size());
    for (const auto& [name, listener] : listeners_) found.push_back(listener);
    return found;
}

}  // namespace stele
