// Read models that keep up with the log by themselves, and are rebuilt while events are appended and readers read.
//
// usage: rebuild_projection STORE PROJECTIONS
#include <stele/projections/cpp_projection.hpp>
#include <stele/projections/runner.hpp>

#include <future>
#include <iostream>

using namespace stele;
using namespace std::chrono_literals;

struct SiteCreated {
    static constexpr auto type = "SiteCreated";
    static constexpr int version = 1;
    std::string plan;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(SiteCreated, plan)
};

struct SitesByPlan {  // a projection in C++, beside the one in projections/tenant_sites.sql
    static constexpr auto name = "sites_by_plan";
    static constexpr int version = 1;
    using events = Events<SiteCreated>;

    static void setup(Model& m) { m.exec("CREATE TABLE sites_by_plan (plan TEXT PRIMARY KEY, sites INTEGER)"); }
    static void on(const SiteCreated& site, const Envelope&, Model& m) {
        m.exec("INSERT INTO sites_by_plan VALUES (?1, 1) ON CONFLICT DO UPDATE SET sites = sites + 1", site.plan);
    }
};

int main(int count, char** arguments) try {
    auto store = EventStore::open(count > 1 ? arguments[1] : "sites.stele");
    ProjectionRegistry registry;
    registry.load(count > 2 ? arguments[2] : "projections");
    registry.add(projection<SitesByPlan>());
    Runner runner{store};
    runner.add(registry);
    runner.start();  // builds what was never built, and follows the log from then on

    auto writing = std::async(std::launch::async, [&] {
        for (int i = 0; i < 600; ++i) {
            store.append(StreamId{i % 3 == 0 ? "acme" : "zephyr", "Site", "site-" + std::to_string(i)},
                         expect::none, {event("SiteCreated", {{"plan", i % 2 == 0 ? "pro" : "free"}})});
        }
    });
    for (const auto& one : registry.all()) {
        if (runner.wait_for(one->name(), Position{100}, 60s) != WaitResult::reached) return 1;
        rebuild(store, *one);  // beside the writer, the runner and the readers
    }
    writing.get();
    for (const auto& one : registry.all()) {
        if (runner.wait_for(one->name(), store.head(), 60s) != WaitResult::reached) return 1;
        for (const Row& row : runner.model(one->name()).query("SELECT * FROM " + one->name() + " ORDER BY 1"))
            std::cout << one->name() << ": " << row.text(0) << " has " << row.integer(1) << '\n';
    }
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
