// What a registry as a whole must satisfy.
#include "upcast_bench.hpp"

#include <set>

namespace stele {

namespace {

using Renames = std::map<std::string, detail::Rename>;

void check_circles(const Renames& renames) {
    for (const auto& [start, first] : renames) {
        const auto* place = &first.place;
        const auto* name = &first.to;
        for (std::size_t steps = 0; steps <= renames.size(); ++steps) {
            const auto next = renames.find(*name);
            if (next == renames.end()) break;
            place = &next->second.place;
            name = &next->second.to;
            if (*name != start) continue;
            throw EventTypesError{*place, "expected renames to come to an end, found " + start +
                                              " renamed to itself, by way of " + first.place};
        }
    }
}

/// Walks along all chains; an event that came back to where it was would never be done.
class CircleSearch {
public:
    CircleSearch(const EventTypes& types, const std::map<TypeVersion, detail::UpcastStep>& steps)
        : types_(types), steps_(steps) {}

    void run() {
        for (const auto& [from, step] : steps_) visit(from);
    }

private:
    void visit(const TypeVersion& given) {
        const TypeVersion kind{types_.today(given.type), given.version};
        const auto step = steps_.find(kind);
        if (step == steps_.end() || done_.count(kind) != 0) return;
        if (!under_way_.insert(kind).second) {
            throw EventTypesError{step->second.place, "expected upcasters to come to an end, found " +
                                                          detail::name_of(kind) + " made of itself, by way of " +
                                                          last_->place};
        }
        for (const auto& into : step->second.into) {
            last_ = &step->second;
            visit(into);
        }
        under_way_.erase(kind);
        done_.insert(kind);
    }

    const EventTypes& types_;
    const std::map<TypeVersion, detail::UpcastStep>& steps_;
    std::set<TypeVersion> under_way_;
    std::set<TypeVersion> done_;
    const detail::UpcastStep* last_ = nullptr;
};

/// Behind an upcaster to version N there may be none, or the one from N; one from a later version would wait for
/// events that never come.
void check_gaps(const std::map<TypeVersion, detail::UpcastStep>& steps) {
    for (const auto& [from, step] : steps) {
        const TypeVersion next{from.type, from.version + 1};
        const bool goes_on = std::find(step.into.begin(), step.into.end(), next) != step.into.end();
        const auto later = steps.upper_bound(from);
        if (!goes_on || later == steps.end() || later->first.type != from.type || later->first == next) continue;
        throw EventTypesError{later->second.place, "expected an upcaster of " + detail::name_of(next) +
                                                       " between " + step.place + " and this one, found none"};
    }
}

}  // namespace

void EventTypes::check() const {
    const auto& steps = parts_->steps;
    const auto& renames = parts_->renames;
    check_circles(renames);
    check_circles(parts_->aggregate_renames);
    for (const auto& [from, step] : steps) {
        const auto rename = renames.find(from.type);
        if (rename == renames.end()) continue;
        throw EventTypesError{step.place, "expected an upcaster of a type as it is called today, found one of " +
                                              from.type + ", which " + rename->second.place + " renames to " +
                                              rename->second.to + ", so that it would never run"};
    }
    CircleSearch{*this, steps}.run();
    check_gaps(steps);

    detail::UpcastBench bench;
    for (const auto& [from, step] : steps) {
        if (step.is_sql()) bench.prepare(step);
    }
}

}  // namespace stele
