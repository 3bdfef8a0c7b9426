#include <stele/replay/trace.hpp>
#include <stele/schema/event_types.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace stele {
namespace {

constexpr auto nowhere = std::numeric_limits<std::size_t>::max();

std::optional<EventId> as_event_id(std::string_view text) {
    try {
        return EventId::parse(text);
    } catch (const InvalidInput&) {
        return std::nullopt;
    }
}

// Tells by the bytes of metadata, mostly without parsing them, that an event is none of ours.
class Suspicion {
public:
    explicit Suspicion(const std::string& correlation_id)
        : correlation_(JsonText::write(nlohmann::json(correlation_id), "correlation_id").text()) {}

    void add(const EventId& id) { ids_.insert(id.to_string()); }

    [[nodiscard]] bool falls_on(std::string_view metadata) const {
        // Escapes hide names and ids.
        if (metadata.find('\\') != std::string_view::npos) return true;
        return metadata.find(correlation_) != std::string_view::npos || names_a_cause(metadata);
    }

private:
    [[nodiscard]] bool names_a_cause(std::string_view metadata) const {
        constexpr std::string_view name = "\"causation_id\"";
        for (auto at = metadata.find(name); at != std::string_view::npos; at = metadata.find(name, at)) {
            at += name.size();
            const auto open = metadata.find_first_not_of(" \t\r\n:", at);
            if (open == std::string_view::npos || metadata[open] != '"') continue;
            const auto close = metadata.find('"', open + 1);
            if (close == std::string_view::npos) return true;
            std::string id{metadata.substr(open + 1, close - open - 1)};
            for (auto& c : id)
                if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
            if (ids_.count(id) != 0) return true;
        }
        return false;
    }

    std::string correlation_;
    std::unordered_set<std::string> ids_;
};

class Tracer {
public:
    Tracer(const EventStore& store, const TraceOptions& options) : store_(store), options_(options) {}

    Trace run(const TraceStart& start) {
        const auto event = event_at(start);
        if (event) {
            climb(*event);
        } else {
            trace_.correlation_id = std::get<CorrelationId>(start).id;
            first_ = Position{1};
        }
        gather();
        if (trace_.nodes.empty())
            throw NotFound{store_.name() + ": no event has the id or the correlation_id \"" +
                               trace_.correlation_id + "\"; " + std::to_string(trace_.looked_at) +
                               " events were looked at",
                           {{"store", store_.name()}, {"correlation_id", trace_.correlation_id}}};
        add_foreign_causes();
        find_parents();
        break_cycles();
        put_in_order(event ? std::optional{event->id} : std::nullopt);
        return std::move(trace_);
    }

private:
    // The event that is asked for; none where it is a correlation_id.
    std::optional<Event> event_at(const TraceStart& start) const {
        if (const auto* position = std::get_if<Position>(&start)) {
            if (auto event = store_.at(*position)) return event;
            const auto head = store_.head();
            throw NotFound{store_.name() + ": no event at position " + std::to_string(position->value()) +
                               (*position <= head ? "; upcasters make nothing of what is stored there"
                                                  : "; the log ends at position " + std::to_string(head.value())),
                           {{"store", store_.name()}, {"position", position->value()}}};
        }
        if (const auto* id = std::get_if<EventId>(&start)) {
            if (auto event = store_.find(*id)) return event;
            throw NotFound{store_.name() + ": no event with id " + id->to_string(),
                           {{"store", store_.name()}, {"id", id->to_string()}}};
        }
        const auto id = as_event_id(std::get<CorrelationId>(start).id);
        return id ? store_.find(*id) : std::nullopt;
    }

    bool add(const Event& event) {
        if (!places_.emplace(event.id, trace_.nodes.size()).second) return false;
        EventFacts facts{event};
        auto correlation = facts.correlation_id();
        auto causation = facts.causation_id();
        trace_.nodes.push_back(
            {std::move(facts), std::move(correlation), std::move(causation), 0, {}, false, false});
        return true;
    }

    [[nodiscard]] std::optional<Event> cause_of(const TraceNode& node) const {
        const auto id = node.causation_id ? as_event_id(*node.causation_id) : std::nullopt;
        return id ? store_.find(*id) : std::nullopt;
    }

    // From the event up to its first cause. Says what belongs to it, and where in the log that begins.
    void climb(const Event& event) {
        add(event);
        for (auto cause = cause_of(trace_.nodes.back()); cause && add(*cause);)
            cause = cause_of(trace_.nodes.back());
        const auto& asked = trace_.nodes.front();
        const auto& root = trace_.nodes.back();
        const auto id = root.event.id.to_string();
        trace_.correlation_id = asked.correlation_id.value_or(root.correlation_id.value_or(id));
        first_ = Position{1};
        if (trace_.correlation_id != id) return;
        first_ = root.event.position;
        for (const auto& node : trace_.nodes) first_ = std::min(first_, node.event.position);
    }

    // Reads through the log once: as it is stored, for upcasters leave metadata alone, and one that fails at an
    // event that does not belong stands in nobody's way.
    void gather() {
        constexpr std::int64_t progress_every = 10'000;
        Suspicion suspicion{trace_.correlation_id};
        for (const auto& node : trace_.nodes) suspicion.add(node.event.id);
        const auto end = std::min(store_.head(), options_.until.value_or(store_.head()));
        const auto begin = std::max(options_.after, first_.previous());
        const bool is_as_stored = !store_.event_types() || store_.event_types()->upcasters().empty();
        auto read =
            all().raw().after(begin).until(end).only({.id = true, .data = false, .metadata = true, .tags = false});
        for (const Event& event : store_.read(read)) {
            if (++trace_.looked_at % progress_every == 0 && options_.progress)
                options_.progress(event.position.value() - begin.value(), end.value() - begin.value());
            const bool is_a_piece_there = !is_as_stored && places_.contains(event.id);
            if (!is_a_piece_there && (!suspicion.falls_on(event.metadata.text()) || !belongs(event))) continue;
            if (trace_.nodes.size() >= options_.most_events) {
                trace_.is_cut = true;
                return;
            }
            const auto take = [&](const Event& one) {
                if (add(one)) suspicion.add(one.id);
            };
            if (is_as_stored) {
                take(event);
                continue;
            }
            auto its_pieces = all().after(event.position.previous()).until(event.position);
            for (const Event& piece : store_.read(its_pieces)) take(piece);
        }
    }

    [[nodiscard]] bool belongs(const Event& event) const {
        const EventFacts facts{event};
        if (facts.correlation_id() == trace_.correlation_id) return true;
        const auto causation = facts.causation_id();
        const auto id = causation ? as_event_id(*causation) : std::nullopt;
        return id && places_.contains(*id);
    }

    // What caused events of the trace and was not found with them: as ids are indexed, each costs a look.
    void add_foreign_causes() {
        for (std::size_t i = 0; i < trace_.nodes.size() && trace_.nodes.size() < options_.most_events; ++i) {
            const auto causation = trace_.nodes[i].causation_id;
            const auto id = causation ? as_event_id(*causation) : std::nullopt;
            if (!id || places_.contains(*id)) continue;
            if (const auto cause = store_.find(*id)) add(*cause);
        }
    }

    void find_parents() {
        for (auto& node : trace_.nodes) {
            if (!node.causation_id) continue;
            const auto id = as_event_id(*node.causation_id);
            const auto place = id ? places_.find(*id) : places_.end();
            if (place != places_.end())
                node.parent = place->second;
            else
                node.cause_is_missing = !id || !store_.find(*id);
        }
    }

    // Each event has at most one cause, so going up ends, or comes round: the earliest of a round loses its cause.
    void break_cycles() {
        auto& nodes = trace_.nodes;
        std::vector<std::size_t> seen_from(nodes.size(), nowhere);
        for (std::size_t start = 0; start < nodes.size(); ++start) {
            auto at = start;
            while (at != nowhere && seen_from[at] == nowhere) {
                seen_from[at] = start;
                at = nodes[at].parent.value_or(nowhere);
            }
            if (at == nowhere || seen_from[at] != start) continue;
            auto earliest = at;
            for (auto other = *nodes[at].parent; other != at; other = *nodes[other].parent)
                if (nodes[other].event.position < nodes[earliest].event.position) earliest = other;
            nodes[earliest].parent.reset();
            nodes[earliest].closes_a_cycle = true;
        }
    }

    void put_in_order(const std::optional<EventId>& asked) {
        auto& nodes = trace_.nodes;
        std::vector<std::vector<std::size_t>> effects(nodes.size());
        std::vector<std::size_t> waiting;  // the next one last
        for (std::size_t i = 0; i < nodes.size(); ++i)
            (nodes[i].parent ? effects[*nodes[i].parent] : waiting).push_back(i);
        const auto later_first = [&](std::size_t a, std::size_t b) {
            return std::pair{nodes[a].event.position, a} > std::pair{nodes[b].event.position, b};
        };
        std::sort(waiting.begin(), waiting.end(), later_first);

        std::vector<TraceNode> ordered;
        std::vector<std::size_t> new_place(nodes.size(), nowhere);
        ordered.reserve(nodes.size());
        while (!waiting.empty()) {
            const auto i = waiting.back();
            waiting.pop_back();
            new_place[i] = ordered.size();
            auto& node = ordered.emplace_back(std::move(nodes[i]));
            if (node.parent) {
                node.parent = new_place[*node.parent];
                node.depth = ordered[*node.parent].depth + 1;
            }
            if (asked && node.event.id == *asked) trace_.asked = new_place[i];
            std::sort(effects[i].begin(), effects[i].end(), later_first);
            waiting.insert(waiting.end(), effects[i].begin(), effects[i].end());
        }
        nodes = std::move(ordered);
    }

    const EventStore& store_;
    const TraceOptions& options_;
    Trace trace_;
    std::unordered_map<EventId, std::size_t> places_;  // in trace_.nodes, until they are put in order
    Position first_;                                   // of the log, from where on events may belong
};

}  // namespace

TraceStart parse_trace_start(std::string_view text) {
    std::int64_t position = 0;
    const auto* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, position);
    if (error == std::errc{} && stop == end && position > 0) return Position{position};
    return CorrelationId{std::string{text}};
}

Trace trace(const EventStore& store, const TraceStart& start, const TraceOptions& options) {
    return Tracer{store, options}.run(start);
}

}  // namespace stele
