#include "find_plan.hpp"

#include <algorithm>
#include <utility>

namespace stele {
namespace {

using Shape = sql::ConditionShape;
using Comparison = Shape::Comparison;
using Branches = std::vector<FindBranch>;

constexpr std::size_t most_branches = 64;  // of more, the last conditions are left to be computed

bool fits_nothing(const FindBranch& branch) {
    return branch.first > branch.last || branch.first_version > branch.last_version || branch.since > branch.until;
}

// ---- One comparison

// `value < number` and the like, as the first and the last number that fit.
template <class Number>
void bound(Comparison comparison, std::int64_t number, Number& first, Number& last) {
    constexpr auto least = std::numeric_limits<std::int64_t>::min();
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    if (comparison == Comparison::equal || comparison == Comparison::greater_or_equal)
        first = std::max(first, Number{number});
    if (comparison == Comparison::equal || comparison == Comparison::less_or_equal)
        last = std::min(last, Number{number});
    if (comparison == Comparison::greater)
        first = number == most ? Number{most} : std::max(first, Number{number + 1});
    if (comparison == Comparison::less) last = number == least ? Number{least} : std::min(last, Number{number - 1});
}

// Moments are compared as texts, all of which are 27 bytes long.
void bound(Comparison comparison, const std::string& text, Timestamp& since, Timestamp& until) {
    constexpr std::chrono::microseconds one{1};
    const auto from = first_moment_from(text);
    const bool is_exact = from <= last_moment && to_rfc3339(from) == text;
    const auto behind = is_exact ? from + one : from;  // the first moment that is written behind the text
    if (comparison == Comparison::equal || comparison == Comparison::greater_or_equal)
        since = std::max(since, from);
    if (comparison == Comparison::greater) since = std::max(since, behind);
    if (comparison == Comparison::equal || comparison == Comparison::less_or_equal)
        until = std::min(until, behind - one);
    if (comparison == Comparison::less) until = std::min(until, from - one);
}

Branches anything() { return {FindBranch{}}; }

Branches by_name(const Shape& shape, const EventStore& store, bool raw) {
    Branches branches;
    FindBranch types;
    for (const auto& literal : shape.literals) {
        const auto* text = std::get_if<std::string>(&literal);
        if (text == nullptr) continue;  // no text equals a number
        FindBranch branch;
        if (shape.placeholder == "$type") {
            if (!text->empty()) types.item.types.push_back(*text);
            continue;
        }
        if (shape.placeholder == "$aggregate_type") branch.item.aggregate_type = *text;
        if (shape.placeholder == "$tenant") branch.item.tenant = *text;
        try {
            if (shape.placeholder == "$stream") {
                branch.item.stream = StreamId::parse(*text);
                if (branch.item.stream->name() != *text) continue;
            }
            if (shape.placeholder == "$event_id") {
                const auto id = EventId::parse(*text);
                const auto event = raw ? store.find_stored(id) : store.find(id);
                if (!event || event->id.to_string() != *text) continue;
                branch.first = branch.last = event->position;
            }
        } catch (const InvalidInput&) {
            continue;  // nothing is called that
        }
        const bool names_nothing = text->empty();  // there is no such aggregate type; no tenant is NULL and not ""
        if (!names_nothing) branches.push_back(std::move(branch));
    }
    if (!types.item.types.empty()) branches.push_back(std::move(types));
    return branches;
}

Branches by_comparison(const Shape& shape, const EventStore& store, bool raw) {
    const auto& name = shape.placeholder;
    const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (shape.comparison == Comparison::is_null) {
        if (name != "$tenant") return anything();
        FindBranch none;
        none.item.tenant = "";
        return {none};
    }
    if (shape.comparison == Comparison::contains) {
        const auto* tag = std::get_if<std::string>(&shape.literals.front());
        if (name != "$tags" || tag == nullptr || tag->empty()) return anything();
        FindBranch tagged;
        tagged.item.tags = {*tag};
        return {tagged};
    }
    if (shape.comparison == Comparison::equal &&
        is_one_of({"$type", "$aggregate_type", "$tenant", "$stream", "$event_id"}))
        return by_name(shape, store, raw);

    const bool is_number = is_one_of({"$position", "$version"});
    if (!is_number && name != "$recorded_at") return anything();
    Branches branches;
    for (const auto& literal : shape.literals) {
        FindBranch branch;
        const auto* number = std::get_if<std::int64_t>(&literal);
        const auto* text = std::get_if<std::string>(&literal);
        // Numbers stand before all texts: such a comparison says nothing, or nobody means it.
        if ((is_number && number == nullptr) || (!is_number && text == nullptr)) return anything();
        if (name == "$position") bound(shape.comparison, *number, branch.first, branch.last);
        if (name == "$version") bound(shape.comparison, *number, branch.first_version, branch.last_version);
        if (name == "$recorded_at") bound(shape.comparison, *text, branch.since, branch.until);
        if (!fits_nothing(branch)) branches.push_back(std::move(branch));
    }
    return branches;
}

// ---- Joining them

Branches of_each(const Branches& left, const Branches& right) {
    if (left.size() * right.size() > most_branches) return left;
    Branches joined;
    for (const auto& a : left)
        for (const auto& b : right)
            if (auto branch = both(a, b)) joined.push_back(*std::move(branch));
    return joined;
}

template <class T>
bool agree(std::optional<T>& to, const std::optional<T>& other) {
    if (!other) return true;
    if (to && *to != *other) return false;
    to = other;
    return true;
}

bool of_stream(const QueryItem& item) {
    if (!item.stream) return true;
    return (!item.aggregate_type || *item.aggregate_type == item.stream->aggregate_type()) &&
           (!item.tenant || *item.tenant == item.stream->tenant());
}

}  // namespace

Timestamp first_moment_from(std::string_view text) {
    auto low = first_moment.time_since_epoch().count();
    auto high = last_moment.time_since_epoch().count() + 1;
    const auto moment = [](auto count) { return Timestamp{std::chrono::microseconds{count}}; };
    while (low < high) {
        const auto middle = low + (high - low) / 2;
        if (to_rfc3339(moment(middle)) >= text)
            high = middle;
        else
            low = middle + 1;
    }
    return moment(low);
}

std::optional<FindBranch> both(const FindBranch& a, const FindBranch& b) {
    FindBranch joined = a;
    auto& types = joined.item.types;
    if (types.empty()) {
        types = b.item.types;
    } else if (!b.item.types.empty()) {
        std::erase_if(types, [&](const std::string& type) {
            return std::find(b.item.types.begin(), b.item.types.end(), type) == b.item.types.end();
        });
        if (types.empty()) return std::nullopt;
    }
    for (const auto& tag : b.item.tags)
        if (std::find(joined.item.tags.begin(), joined.item.tags.end(), tag) == joined.item.tags.end())
            joined.item.tags.push_back(tag);
    if (!agree(joined.item.stream, b.item.stream) || !agree(joined.item.aggregate_type, b.item.aggregate_type) ||
        !agree(joined.item.tenant, b.item.tenant) || !of_stream(joined.item))
        return std::nullopt;
    joined.first = std::max(a.first, b.first);
    joined.last = std::min(a.last, b.last);
    joined.first_version = std::max(a.first_version, b.first_version);
    joined.last_version = std::min(a.last_version, b.last_version);
    joined.since = std::max(a.since, b.since);
    joined.until = std::min(a.until, b.until);
    if (fits_nothing(joined)) return std::nullopt;
    return joined;
}

std::vector<FindBranch> branches_of(const sql::ConditionShape& shape, const EventStore& store, bool raw) {
    if (shape.kind == Shape::Kind::comparison) return by_comparison(shape, store, raw);
    if (shape.kind == Shape::Kind::other) return anything();
    if (shape.kind == Shape::Kind::all_of) {
        auto branches = anything();
        for (const auto& part : shape.parts) branches = of_each(branches, branches_of(part, store, raw));
        return branches;
    }
    Branches branches;
    for (const auto& part : shape.parts)
        for (auto& branch : branches_of(part, store, raw)) branches.push_back(std::move(branch));
    return branches.size() > most_branches ? anything() : branches;
}

}  // namespace stele
