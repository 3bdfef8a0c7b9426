#include "upcasters_compiled.hpp"

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

namespace stele {

namespace {

std::string message_of(const std::string& place, const Event& stored, const TypeVersion& kind,
                       const std::string& reason) {
    std::ostringstream out;
    out << place << ": position " << stored.position << ", " << stored.stream << " version " << stored.version
        << ", " << kind << ": " << reason;
    return out.str();
}

std::string fingerprint_of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    std::ostringstream hex;
    hex << std::hex << hash;
    return hex.str();
}

/// Each part behind its length, so that no two lists of parts give the same text.
void add_part(std::string& text, std::string_view part) {
    text += std::to_string(part.size());
    text += ':';
    text += part;
}

}  // namespace

UpcastError::UpcastError(std::string place, const Event& stored, const TypeVersion& kind, std::string reason)
    : Error("upcast", message_of(place, stored, kind, reason),
            {{"place", place},
             {"position", stored.position.value()},
             {"stream", stored.stream.name()},
             {"version", stored.version.value()},
             {"type", kind.type},
             {"schema_version", kind.version},
             {"reason", reason}}),
      place_(std::move(place)),
      position_(stored.position),
      stream_(stored.stream),
      reason_(std::move(reason)) {}

Upcasters::Upcasters(const EventTypes& types) {
    types.check();
    auto compiled = std::make_shared<Compiled>();
    const auto& parts = *types.parts_;
    compiled->steps = parts.steps;
    compiled->revision = parts.revision;
    for (const auto& [type, rename] : parts.renames) {
        auto& plan = compiled->plans[type];
        plan.today = types.today(type);
        plan.is_renamed = true;
    }
    detail::UpcastBench bench;
    for (const auto& [from, step] : compiled->steps) {
        auto& plan = compiled->plans[from.type];
        plan.today = from.type;
        plan.by_version.emplace(from.version, &step);
        if (step.is_sql()) bench.prepare(step);
        if (step.looks_at_event) compiled->uses = {true, true, true};
    }
    const auto in_sql = bench.uses();
    compiled->uses.id = compiled->uses.id || in_sql.id;
    compiled->uses.metadata = compiled->uses.metadata || in_sql.metadata;
    compiled->uses.tags = compiled->uses.tags || in_sql.tags;

    for (const auto& [name, rename] : parts.aggregate_renames) {
        auto today = rename.to;
        for (auto next = parts.aggregate_renames.find(today); next != parts.aggregate_renames.end();
             next = parts.aggregate_renames.find(today)) {
            today = next->second.to;
        }
        compiled->renamed_aggregates.push_back(name);
        const bool is_first =
            std::none_of(parts.aggregate_renames.begin(), parts.aggregate_renames.end(),
                         [&, &name = name](const auto& other) { return other.second.to == name; });
        if (is_first) {
            const auto [first, is_only] = compiled->first_aggregate_names.emplace(today, name);
            if (!is_only) first->second = today;
        }
        compiled->aggregates.emplace(name, std::move(today));
    }
    compiled->note_sources();
    compiled_ = std::move(compiled);
}

void Upcasters::Compiled::note_sources() {
    for (const auto& [start, plan] : plans) {
        std::set<std::string> seen;
        std::vector<std::string> open{start};
        while (!open.empty()) {
            const auto type = std::move(open.back());
            open.pop_back();
            if (!seen.insert(type).second) continue;
            if (type != start) made_of[type].insert(start);
            const auto* next = plan_of(type);
            if (next == nullptr) continue;
            if (next->is_renamed) open.push_back(next->today);
            for (const auto& [version, step] : next->by_version) {
                for (const auto& into : step->into) open.push_back(into.type);
            }
        }
    }
    most_pieces = 1;
    for (const auto& [from, step] : steps) {
        if (step.several) most_pieces.reset();
    }
    if (!most_pieces) return;
    for (const auto& [from, step] : steps) most_pieces = std::max(*most_pieces, pieces_of(from));
}

int Upcasters::Compiled::pieces_of(const TypeVersion& kind) const {
    constexpr int most = 1 << 20;
    const auto* plan = plan_of(kind.type);
    if (plan != nullptr && plan->is_renamed) plan = plan_of(plan->today);
    const auto* step = plan == nullptr ? nullptr : step_of(*plan, kind.version);
    if (step == nullptr) return 1;
    int pieces = 0;
    for (const auto& into : step->into) {
        pieces = std::min(most, pieces + pieces_of(into));
        if (pieces == most) break;
    }
    return pieces;
}

bool Upcasters::empty() const noexcept { return compiled_->plans.empty() && compiled_->aggregates.empty(); }

std::vector<std::string> Upcasters::sources_of(const std::string& type) const {
    std::vector<std::string> sources{type};
    const auto others = compiled_->made_of.find(type);
    if (others != compiled_->made_of.end()) {
        sources.insert(sources.end(), others->second.begin(), others->second.end());
        std::sort(sources.begin(), sources.end());
    }
    return sources;
}

bool Upcasters::concerns(const std::string& type) const noexcept {
    return compiled_->plan_of(type) != nullptr || compiled_->made_of.find(type) != compiled_->made_of.end();
}

bool Upcasters::has_types() const noexcept { return !compiled_->plans.empty(); }

const std::string& Upcasters::aggregate_today(const std::string& name) const noexcept {
    const auto today = compiled_->aggregates.find(name);
    return today == compiled_->aggregates.end() ? name : today->second;
}

const std::string& Upcasters::first_aggregate_name(const std::string& today) const noexcept {
    const auto first = compiled_->first_aggregate_names.find(today);
    return first == compiled_->first_aggregate_names.end() ? today : first->second;
}

const std::vector<std::string>& Upcasters::renamed_aggregates() const noexcept {
    return compiled_->renamed_aggregates;
}

Upcasters::Uses Upcasters::uses() const noexcept { return compiled_->uses; }
std::optional<int> Upcasters::most_pieces() const noexcept { return compiled_->most_pieces; }

std::string Upcasters::fingerprint(const std::vector<std::string>& types) const {
    std::set<std::string> sources;
    for (const auto& type : types) {
        for (auto& source : sources_of(type)) sources.insert(std::move(source));
    }
    const auto concerns = [&](const std::string& type) { return types.empty() || sources.count(type) != 0; };

    std::string text;
    for (const auto& [from, step] : compiled_->steps) {
        if (!concerns(from.type)) continue;
        add_part(text, detail::name_of(from));
        for (const auto& into : step.into) add_part(text, detail::name_of(into));
        if (!step.is_sql()) add_part(text, "C++ " + compiled_->revision);
        for (const auto& expression : step.expressions) add_part(text, expression.text);
    }
    for (const auto& [type, plan] : std::map(compiled_->plans.begin(), compiled_->plans.end())) {
        if (!plan.is_renamed || !concerns(type)) continue;
        add_part(text, "rename " + type);
        add_part(text, plan.today);
    }
    for (const auto& [name, today] : std::map(compiled_->aggregates.begin(), compiled_->aggregates.end())) {
        add_part(text, "rename-aggregate " + name);
        add_part(text, today);
    }
    return text.empty() ? text : fingerprint_of(text);
}

}  // namespace stele
