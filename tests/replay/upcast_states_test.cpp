// States over upcasters: a cached state is what a read gives, and a snapshot belongs to the upcasters it was made
// with.
#include "sites.hpp"

#include <stele/schema/event_types.hpp>

namespace stele {
namespace {

using namespace test;

const StreamId site{"Site", "site-1"};

std::shared_ptr<const EventTypes> shared(EventTypes types) {
    return std::make_shared<const EventTypes>(std::move(types));
}

// What was called SiteMoved is DomainChanged; Restarted is split in two; Noted is dropped.
EventTypes todays_types(const std::string& prefix) {
    EventTypes types;
    types.rename("SiteMoved", "DomainChanged");
    types.upcast_into({"Restarted", 1}, {{"SiteDeleted", 1}, {"SiteCreated", 1}},
                      [prefix](const nlohmann::json& data) {
                          return std::vector<Upcast>{
                              {{"SiteDeleted", 1}, nlohmann::json::object()},
                              {{"SiteCreated", 1}, {{"domain", prefix + data.at("domain").get<std::string>()}}}};
                      });
    types.upcast("Noted", 1, [](const nlohmann::json&) { return std::optional<nlohmann::json>{}; });
    types.revision(prefix);
    return types;
}

Options with(EventTypes types) {
    Options options;
    options.durability = Durability::relaxed;
    options.event_types = shared(std::move(types));
    return options;
}

std::vector<NewEvent> of(std::initializer_list<NewEvent> events) { return events; }

TEST_CASE("a cached state sees its own events upcast as a read gives them", "[replay][handle][upcast]") {
    auto store = EventStore::temporary(with(todays_types("")));
    CommandHandler<Site> sites{store};
    const auto append = [&](std::vector<NewEvent> events) {
        return sites.handle(site, [&](const Site::State&) { return events; });
    };
    append(of({event(SiteCreated{"a"}), event("SiteMoved", {{"domain", "b"}}), event("Noted")}));
    append(of({event("Restarted", {{"domain", "c"}})}));
    append(of({event("SiteMoved", {{"domain", "d"}})}));

    const auto folded = load<Site>(store, site);
    CHECK(folded.state == Site::State{true, {"c", "d"}, 5});
    CHECK(sites.load(site).state == folded.state);
    CHECK(sites.cache().misses == 1);
    CHECK(sites.load(site).version == Version{5});
}

TEST_CASE("a stream that ends with events nothing is made of can be written to", "[replay][handle][upcast]") {
    auto store = EventStore::temporary(with(todays_types("")));
    store.append(site, expect::none, of({event(SiteCreated{"a"}), event("Noted"), event("Noted")}));
    CommandHandler<Site> sites{store};
    CHECK(sites.handle(site, ChangeDomain{"b"}).appended->version == Version{4});
    CHECK(sites.handle(site, ChangeDomain{"c"}).attempts == 1);

    const StreamId empty{"Site", "site-2"};
    store.append(empty, expect::none, of({event("Noted")}));
    CHECK(sites.handle(empty, CreateSite{"a"}).appended->version == Version{2});
}

TEST_CASE("snapshots are of the upcasters that they were made with", "[replay][snapshots][upcast]") {
    auto first = EventStore::temporary(with(todays_types("one.")));
    first.append(site, expect::none,
                 of({event("Restarted", {{"domain", "a"}}), event("SiteMoved", {{"domain", "b"}})}));
    const auto domains = [](EventStore& store, SnapshotCounts& counts) {
        Snapshots snapshots{store, {.every = 1}};
        CommandHandler<Site> sites{store};
        sites.keep_snapshots_in(snapshots);
        auto found = sites.load(site).state.domains;
        counts = snapshots.counts();
        return found;
    };
    SnapshotCounts counts;
    CHECK(domains(first, counts) == std::vector<std::string>{"one.a", "b"});
    CHECK(counts.kept == 1);
    CHECK(domains(first, counts) == std::vector<std::string>{"one.a", "b"});
    CHECK(counts.found == 1);

    auto second = EventStore::open(first.name(), with(todays_types("two.")));
    CHECK(domains(second, counts) == std::vector<std::string>{"two.a", "b"});
    CHECK(counts.found == 0);
}

}  // namespace
}  // namespace stele
