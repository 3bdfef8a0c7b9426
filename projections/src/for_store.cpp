#include "for_store.hpp"

#include <stele/schema/event_types.hpp>

#include <algorithm>

namespace stele {
namespace {

class ThroughUpcasters final : public Projection {
public:
    ThroughUpcasters(std::shared_ptr<const Projection> own, Query query, const std::string& upcasters)
        : Projection({.name = own->name(),
                      .version = own->version(),
                      .fingerprint = fingerprint_of(own->fingerprint() + " through " + upcasters),
                      .query = std::move(query),
                      .mode = own->mode(),
                      .on_error = own->on_error(),
                      .parts = own->parts(),
                      .looks_at_parts_alone = own->looks_at_parts_alone(),
                      .folds_in_memory = own->folds_in_memory()}),
          own_(std::move(own)) {}

    void setup(Model& model) const override { own_->setup(model); }
    std::unique_ptr<ProjectionHandler> handler(Model& model) const override { return own_->handler(model); }

private:
    std::shared_ptr<const Projection> own_;
};

// None where the query takes any type.
std::vector<std::string> types_of(const Query& query) {
    std::vector<std::string> types;
    for (const auto& item : query.items()) {
        if (item.types.empty()) return {};
        types.insert(types.end(), item.types.begin(), item.types.end());
    }
    return types;
}

}  // namespace

std::shared_ptr<const Projection> for_store(const EventStore& store, std::shared_ptr<const Projection> projection) {
    const bool is_done = dynamic_cast<const ThroughUpcasters*>(projection.get()) != nullptr;
    if (is_done || !store.event_types()) return projection;
    const auto upcasters = store.event_types()->upcasters().fingerprint(types_of(projection->query()));
    if (upcasters.empty()) return projection;
    auto query = store.today(projection->query());
    return std::make_shared<ThroughUpcasters>(std::move(projection), std::move(query), upcasters);
}

std::shared_ptr<const Projection> for_store(const EventStore& store, const Projection& projection) {
    return for_store(store, std::shared_ptr<const Projection>{std::shared_ptr<const Projection>{}, &projection});
}

ProjectionRegistry for_store(const EventStore& store, const ProjectionRegistry& registry) {
    ProjectionRegistry all;
    for (auto& projection : registry.all()) all.add(for_store(store, std::move(projection)));
    return all;
}

}  // namespace stele
