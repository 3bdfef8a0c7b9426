// Sites, for scenarios: a decider, and projections in C++ and SQL.
#pragma once

#include <stele/testing/decider_scenario.hpp>
#include <stele/testing/projection_scenario.hpp>

#include <stele/test/catch.hpp>

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

namespace world {

struct SiteCreated {
    static constexpr auto type = "SiteCreated";
    static constexpr int version = 1;
    std::string domain;
    std::string plan = "free";
    [[nodiscard]] std::vector<std::string> tags() const { return {"plan:" + plan}; }
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(SiteCreated, domain, plan)
};
struct SiteDeleted {
    static constexpr auto type = "SiteDeleted";
    static constexpr int version = 1;
};

struct CreateSite {
    std::string domain;
};
struct DeleteSite {};

struct SiteExists : std::runtime_error {
    explicit SiteExists(const std::string& domain) : std::runtime_error("there is " + domain) {}
};
struct NoSuchSite : std::runtime_error {
    NoSuchSite() : std::runtime_error("no such site") {}
};

struct Site {
    static constexpr auto name = "Site";
    static constexpr auto aggregate_type = "Site";
    using events = stele::Events<SiteCreated, SiteDeleted>;
    struct State {
        std::optional<std::string> domain;
        friend bool operator==(const State&, const State&) = default;
    };
    static State evolve(State, const SiteCreated& created) { return {created.domain}; }
    static State evolve(State, const SiteDeleted&) { return {}; }

    static SiteCreated decide(const State& state, const CreateSite& create) {
        if (state.domain) throw SiteExists{*state.domain};
        return {create.domain};
    }
    static std::optional<SiteDeleted> decide(const State& state, const DeleteSite&) {
        if (!state.domain) return std::nullopt;
        return SiteDeleted{};
    }
};

struct SiteCount {
    static constexpr auto name = "site_count";
    static constexpr int version = 1;
    using events = stele::Events<SiteCreated, SiteDeleted>;
    static void setup(stele::Model& model) {
        model.exec("CREATE TABLE site_count (plan TEXT PRIMARY KEY, n INTEGER NOT NULL)");
    }
    static void on(const SiteCreated& created, const stele::Envelope&, stele::Model& model) {
        model.exec("INSERT INTO site_count VALUES (?1, 1) ON CONFLICT DO UPDATE SET n = n + 1", created.plan);
    }
    static void on(const SiteDeleted&, const stele::Envelope&, stele::Model& model) {
        model.exec("UPDATE site_count SET n = n - 1");
    }
};

/// What the one failure of `scenario` says, behind the place, which is in the caller's file.
template <class Scenario>
std::string failure_of(const Scenario& scenario, const char* file = __builtin_FILE()) {
    const stele::testing::CaptureFailures failures;
    scenario();
    REQUIRE(failures.messages().size() == 1);
    const auto& message = failures.messages().front();
    const auto place = std::filesystem::path{file}.filename().string() + ":";
    const auto at = message.find(place);
    REQUIRE(at != std::string::npos);
    return message.substr(message.find(": ", at) + 2);
}

}  // namespace world
