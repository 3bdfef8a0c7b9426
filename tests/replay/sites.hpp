// A small world for deciders: sites that are created, moved to other domains, and deleted.
#pragma once

#include <stele/replay/command_handler.hpp>
#include <stele/test/catch.hpp>

#include <array>
#include <stdexcept>
#include <string>
#include <vector>

namespace stele::test {

struct SiteCreated {
    static constexpr auto type = "SiteCreated";
    static constexpr int version = 1;
    std::string domain;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(SiteCreated, domain)
};
struct DomainChanged {
    static constexpr auto type = "DomainChanged";
    static constexpr int version = 1;
    std::string domain;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(DomainChanged, domain)
};
struct SiteDeleted {
    static constexpr auto type = "SiteDeleted";
    static constexpr int version = 1;
};

struct CreateSite {
    std::string domain;
};
struct ChangeDomain {
    std::string domain;
};
struct DeleteSite {};

struct NoSuchSite : std::runtime_error {
    NoSuchSite() : std::runtime_error("no such site") {}
};
struct SiteExists : std::runtime_error {
    SiteExists() : std::runtime_error("the site is there already") {}
};

struct Site {
    static constexpr auto name = "Site";
    static constexpr int version = 1;
    static constexpr auto aggregate_type = "Site";
    using events = Events<SiteCreated, DomainChanged, SiteDeleted>;

    struct State {
        bool is_there = false;
        std::vector<std::string> domains;  // the newest last
        std::int64_t last_change = 0;      // its position
        friend bool operator==(const State&, const State&) = default;
        friend std::ostream& operator<<(std::ostream& out, const State& state) {
            out << (state.is_there ? "there:" : "gone:");
            for (const auto& domain : state.domains) out << ' ' << domain;
            return out << ", last change at " << state.last_change;
        }
        NLOHMANN_DEFINE_TYPE_INTRUSIVE(State, is_there, domains, last_change)
    };

    static State evolve(State state, const SiteCreated& created, const Envelope& event) {
        state.is_there = true;
        state.domains = {created.domain};
        state.last_change = event.position.value();
        return state;
    }
    static State evolve(State state, const DomainChanged& changed, const Envelope& event) {
        state.domains.push_back(changed.domain);
        state.last_change = event.position.value();
        return state;
    }
    static State evolve(State state, const SiteDeleted&) {
        state.is_there = false;
        return state;
    }

    static SiteCreated decide(const State& state, const CreateSite& create) {
        if (state.is_there) throw SiteExists{};
        return {create.domain};
    }
    static std::optional<DomainChanged> decide(const State& state, const ChangeDomain& change) {
        if (!state.is_there) throw NoSuchSite{};
        if (state.domains.back() == change.domain) return std::nullopt;
        return DomainChanged{change.domain};
    }
    static std::vector<SiteDeleted> decide(const State& state, const DeleteSite&) {
        return std::vector<SiteDeleted>(state.is_there ? 1 : 0);
    }
};

[[nodiscard]] inline std::vector<std::string> types_of(const std::vector<NewEvent>& events) {
    std::vector<std::string> types;
    for (const auto& event : events) types.push_back(event.type);
    return types;
}
[[nodiscard]] inline std::vector<std::string> types_in(const EventStore& store, const StreamId& stream) {
    std::vector<std::string> types;
    for (const Event& event : store.read(stream)) types.push_back(event.type);
    return types;
}

}  // namespace stele::test
