// What Upcasters share: the steps of a registry, where they are found quickly.
#pragma once

#include "upcast_bench.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace stele {

/// Unchanged once it is made, but for the benches that wait to be borrowed.
struct Upcasters::Compiled {
    /// What is done with the events of one type.
    struct TypePlan {
        std::string today;                                    ///< what it is called
        std::map<int, const detail::UpcastStep*> by_version;  ///< others stay as they are
        bool is_renamed = false;
    };

    std::map<TypeVersion, detail::UpcastStep> steps;
    std::unordered_map<std::string, TypePlan> plans;
    std::unordered_map<std::string, std::string> aggregates;  ///< the name today, of those that have another one
    std::unordered_map<std::string, std::string> first_aggregate_names;  ///< by the name today
    std::vector<std::string> renamed_aggregates;
    std::map<std::string, std::set<std::string>> made_of;  ///< the stored types that may become a type, but itself
    std::string revision;
    Uses uses;
    std::optional<int> most_pieces;

    std::mutex mutex;  ///< guards what follows
    std::vector<std::unique_ptr<detail::UpcastBench>> idle;

    [[nodiscard]] const detail::UpcastStep* step_of(const TypePlan& plan, int version) const noexcept {
        const auto step = plan.by_version.find(version);
        return step == plan.by_version.end() ? nullptr : step->second;
    }
    [[nodiscard]] const TypePlan* plan_of(const std::string& type) const noexcept {
        const auto plan = plans.find(type);
        return plan == plans.end() ? nullptr : &plan->second;
    }
    [[nodiscard]] int pieces_of(const TypeVersion& kind) const;
    void note_sources();

    std::unique_ptr<detail::UpcastBench> borrow() {
        {
            const std::lock_guard lock{mutex};
            if (!idle.empty()) {
                auto bench = std::move(idle.back());
                idle.pop_back();
                return bench;
            }
        }
        return std::make_unique<detail::UpcastBench>();
    }
    void give_back(std::unique_ptr<detail::UpcastBench> bench) noexcept {
        constexpr std::size_t most_idle = 8;
        const std::lock_guard lock{mutex};
        if (idle.size() < most_idle) idle.push_back(std::move(bench));
    }
};

}  // namespace stele
