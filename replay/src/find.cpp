#include <stele/replay/find.hpp>

#include "find_plan.hpp"

#include <algorithm>
#include <limits>
#include <sstream>
#include <utility>

namespace stele {
namespace {

constexpr auto everywhere = std::numeric_limits<std::int64_t>::max();

// The smallest bounds that all alternatives are within.
FindBranch hull(const std::vector<FindBranch>& branches) {
    auto hull = branches.front();
    for (const auto& branch : branches) {
        hull.first = std::min(hull.first, branch.first);
        hull.last = std::max(hull.last, branch.last);
        hull.first_version = std::min(hull.first_version, branch.first_version);
        hull.last_version = std::max(hull.last_version, branch.last_version);
        hull.since = std::min(hull.since, branch.since);
        hull.until = std::max(hull.until, branch.until);
    }
    return hull;
}

Query query_of(const std::vector<FindBranch>& branches) {
    std::vector<QueryItem> items;
    for (const auto& branch : branches) {
        if (branch.item.asks_for_nothing()) return Query{};
        if (std::find(items.begin(), items.end(), branch.item) == items.end()) items.push_back(branch.item);
    }
    return Query{std::move(items)};
}

// What the read asks for already, and the alternatives of the condition, together.
std::vector<FindBranch> within(const Read& read, const std::vector<FindBranch>& alternatives) {
    if (read.query().selects_everything()) return alternatives;
    std::vector<FindBranch> joined;
    for (const auto& item : read.query().items())
        for (const auto& alternative : alternatives)
            if (auto branch = both({.item = item}, alternative)) joined.push_back(*std::move(branch));
    return joined;
}

bool is_of_one_stream(const Query& query) {
    const auto& items = query.items();
    return !items.empty() && std::all_of(items.begin(), items.end(), [&](const QueryItem& item) {
        return item.stream && *item.stream == items.front().stream;
    });
}

std::string way_of(const Query& query) {
    const auto& items = query.items();
    if (is_of_one_stream(query)) return "along the stream " + items.front().stream->name();
    const auto all_have = [&](auto part) { return std::all_of(items.begin(), items.end(), part); };
    if (items.empty() || !all_have([](const QueryItem& item) { return !item.types.empty() || !item.tags.empty(); }))
        return "through the log";
    if (all_have([](const QueryItem& item) { return item.tags.empty(); }))
        return "by the index of types, or through the log where most events are of them";
    return "by the indices of tags and types";
}

// The same read of other events.
Read with_query(const Read& read, Query query) {
    Read other{std::move(query)};
    other.after(read.after()).backward(read.is_backward()).only(read.parts()).raw(read.is_raw());
    if (const auto bound = read.until_position()) other.until(*bound);
    if (const auto bound = read.from_version()) other.from(*bound);
    if (const auto bound = read.until_version()) other.until(*bound);
    if (const auto bound = read.since()) other.since(*bound);
    if (const auto bound = read.until_time()) other.until(*bound);
    if (const auto& id = read.correlation()) other.correlation(*id);
    if (const auto limit = read.limit()) other.limit(*limit);
    return other;
}

std::string from_to(const std::string& from, const std::string& to) {
    if (to.empty()) return "from " + from;
    return from.empty() ? "up to " + to : from + " to " + to;
}

std::vector<std::string> described(const Query& query, const FindBranch& bounds, bool versions) {
    std::vector<std::string> lines;
    if (!query.selects_everything()) {
        std::ostringstream text;
        text << query;
        lines.push_back("events: " + text.str());
    }
    const auto numbers = [&](const std::string& what, std::int64_t first, std::int64_t last) {
        if (first <= 1 && last == everywhere) return;
        lines.push_back(
            what + ": " +
            from_to(first <= 1 ? "" : std::to_string(first), last == everywhere ? "" : std::to_string(last)));
    };
    numbers("positions", bounds.first.value(), bounds.last.value());
    if (versions) numbers("versions", bounds.first_version.value(), bounds.last_version.value());
    if (bounds.since > first_moment || bounds.until < last_moment)
        lines.push_back("recorded: " + from_to(bounds.since > first_moment ? to_rfc3339(bounds.since) : "",
                                               bounds.until < last_moment ? to_rfc3339(bounds.until) : ""));
    return lines;
}

// How much of the log is behind, in positions.
class Progressed {
public:
    Progressed(const EventStore& store, const Read& read, const FindOptions& options)
        : options_(options), backward_(read.is_backward()) {
        if (!options.progress) return;
        end_ = std::min(store.head(), read.until_position().value_or(store.head())).value();
        begin_ = std::min(read.after().value(), end_);
    }

    void at(Position position, std::int64_t looked_at) const {
        constexpr std::int64_t every = 1'000;
        if (!options_.progress || looked_at % every != 0) return;
        options_.progress(backward_ ? end_ - position.value() : position.value() - begin_, end_ - begin_);
    }

private:
    const FindOptions& options_;
    bool backward_;
    std::int64_t begin_ = 0;
    std::int64_t end_ = 0;
};

}  // namespace

FindPlan plan_find(const EventStore& store, const sql::Condition& condition, const Read& read) {
    FindPlan plan{read, false, {}, {}};
    const auto branches = within(read, branches_of(sql::shape_of(condition.text().text), store, read.is_raw()));
    if (branches.empty()) {
        plan.nothing = true;
        plan.way = "not at all: no event can fit";
        return plan;
    }
    const auto query = query_of(branches);
    const auto bounds = hull(branches);
    const bool versions = is_of_one_stream(query);
    plan.read = with_query(read, query);
    // Bounds add up with those that the read has.
    if (bounds.first.value() > 1) plan.read.after(bounds.first.previous());
    if (bounds.last.value() < everywhere) plan.read.until(bounds.last);
    if (bounds.since > first_moment) plan.read.since(bounds.since);
    if (bounds.until < last_moment) plan.read.until(bounds.until);
    if (versions && bounds.first_version.value() > 1) plan.read.from(bounds.first_version);
    if (versions && bounds.last_version.value() < everywhere) plan.read.until(bounds.last_version);
    plan.narrowed_to = described(query, bounds, versions);
    plan.way = way_of(query);
    return plan;
}

Found find(const EventStore& store, sql::Condition& condition, const Read& read,
           const std::function<bool(const Event&)>& visit, const FindOptions& options) {
    Found found;
    auto plan = plan_find(store, condition, read);
    if (plan.nothing || options.limit == 0) return found;
    if (!options.whole_events) {
        const auto uses = condition.uses();
        plan.read.only({.id = uses.id, .data = uses.data, .metadata = uses.metadata, .tags = uses.tags});
    }
    const Progressed progressed{store, plan.read, options};
    for (const Event& event : store.read(plan.read)) {
        progressed.at(event.position, ++found.looked_at);
        if (!condition.holds(event)) continue;
        ++found.events;
        if (!visit(event) || found.events == options.limit) break;
    }
    return found;
}

}  // namespace stele
