// The aggregates of examples/hosting.
#include "platform.hpp"

#include <stele/replay/replay.hpp>

namespace hosting::test {
namespace {

TEST_CASE("each site and each backup is replayed to the state that its events say", "[hosting][aggregates]") {
    auto store = new_store();
    const auto lines = generated({3'000, 31, 20});
    append(store, lines);
    const auto aggregates = stele::AggregateRegistry::load(std::string{HOSTING} + "/aggregates");
    const auto facts = facts_of(lines);

    std::map<std::string, int> seen;
    for (const auto& [site, expected] : site_states(facts)) {
        const auto state = replay(store, {site.first, "Site", site.second}, aggregates).json.value();
        CAPTURE(site.first, site.second, state);
        CHECK(state.at("state") == expected);
        CHECK(state.at("backup_every_days") == (state.at("plan") == "starter" ? 3 : 1));
        CHECK(state.contains("server") == (expected == "active"));
        CHECK(state.contains("deleted_by") == (expected == "deleted"));
        ++seen[expected];
    }
    CHECK(seen["active"] > 0);
    CHECK(seen["deleted"] > 0);

    std::map<std::pair<std::string, std::string>, const Fact*> last_of_backup;
    for (const auto& fact : facts) {
        if (fact.aggregate_type == "Backup") last_of_backup[{fact.tenant, fact.aggregate_id}] = &fact;
    }
    for (const auto& [backup, last] : last_of_backup) {
        const auto state = replay(store, {backup.first, "Backup", backup.second}, aggregates).json.value();
        CAPTURE(backup.first, backup.second, state);
        CHECK(state.at("site_id") == last->data.at("site_id"));
        CHECK(state.at("state") == (last->type == "BackupCreated"     ? "running"
                                    : last->type == "BackupCompleted" ? "completed"
                                                                      : "failed"));
        CHECK(state.value("size_bytes", nlohmann::json{}) == last->data.value("size_bytes", nlohmann::json{}));
        CHECK(state.value("reason", nlohmann::json{}) == last->data.value("reason", nlohmann::json{}));
    }
    CHECK(last_of_backup.size() > 500);
}

}  // namespace
}  // namespace hosting::test
