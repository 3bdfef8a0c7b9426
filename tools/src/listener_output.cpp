#include "listener_output.hpp"

#include "event_output.hpp"
#include "terminal.hpp"

#include <utility>

namespace stele::tool {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const BreakerStatus& breaker) {
    return {{"target", breaker.target},
            {"state", breaker.state},
            {"failures", breaker.failures},
            {"until", time_or_null(breaker.until)},
            {"error", text_or_null(breaker.error)}};
}

Json to_json(const ListenerCounts& counts) {
    return {{"dispatched", counts.dispatched},
            {"delivered", counts.delivered},
            {"failed", counts.failed},
            {"retried", counts.retried},
            {"dead", counts.dead},
            {"deduplicated", counts.deduplicated},
            {"failed_by_cause", counts.failed_by_cause},
            {"dead_by_cause", counts.dead_by_cause}};
}

// What an event's fate is, in a sentence.
std::string sentence(const Explanation& explanation) {
    std::string text = explanation.fate;
    if (explanation.attempts > 0) text += ", " + counted(explanation.attempts, "attempt") + " failed";
    if (explanation.next_attempt) text += ", the next at " + human_time(*explanation.next_attempt);
    if (!explanation.reason.empty()) text += ": " + explanation.reason;
    if (!explanation.error.empty() && explanation.error != explanation.reason) text += ": " + explanation.error;
    return text;
}

}  // namespace

// ---- Listeners

nlohmann::ordered_json to_json(const ListenerStatus& status) {
    return {{"name", status.name},
            {"sink", text_or_null(status.sink)},
            {"mode", status.mode},
            {"queue", text_or_null(status.queue)},
            {"state", status.state},
            {"since", time_or_null(status.since)},
            {"position", status.position.value()},
            {"read_to", status.read_to.value()},
            {"head", status.head.value()},
            {"lag_events", status.lag_events},
            {"lag_seconds", status.lag_seconds},
            {"under_way", status.under_way},
            {"parked", status.parked},
            {"parked_keys", status.parked_keys},
            {"held_keys", status.held_keys},
            {"dead", status.dead},
            {"next_retry", time_or_null(status.next_retry)},
            {"stored_at", time_or_null(status.stored_at)},
            {"owner", text_or_null(status.owner)},
            {"breaker", status.breaker ? to_json(*status.breaker) : Json()},
            {"counts", to_json(status.counts)},
            {"failed_at", status.failed_position ? Json(status.failed_position->value()) : Json()},
            {"error", text_or_null(status.error)},
            {"try", text_or_null(status.advice)}};
}

void print_listener_table(const std::vector<ListenerStatus>& listeners, Output& out) {
    using Align = Table::Align;
    Table table{out,
                {{"LISTENER"},
                 {"STATE"},
                 {"POSITION", Align::right},
                 {"BEHIND", Align::right},
                 {"PARKED", Align::right},
                 {"DEAD", Align::right},
                 {"OWNER"},
                 {"ERROR"}}};
    for (const auto& status : listeners) {
        std::string behind = std::to_string(status.lag_events);
        if (status.lag_events > 0) behind += " (" + human_seconds(status.lag_seconds) + ")";
        table.row({status.name, status.state, std::to_string(status.position.value()), behind,
                   std::to_string(status.parked), std::to_string(status.dead),
                   status.owner.empty() ? "-" : status.owner, status.error});
    }
    table.flush_rows();
}

void print_listeners(const std::vector<ListenerStatus>& listeners, Context& context) {
    if (!context.json()) return print_listener_table(listeners, context.out());
    for (const auto& status : listeners) context.out().json(to_json(status));
}

void print_listener_statuses(const std::vector<ListenerStatus>& listeners, Context& context) {
    if (context.json()) return print_listeners(listeners, context);
    bool first = true;
    for (const auto& status : listeners) {
        if (!std::exchange(first, false)) context.out().line("");
        context.out().write(describe(status));
    }
}

// ---- Dead letters

nlohmann::ordered_json to_json(const DeadLetter& letter) {
    return {{"id", letter.id},
            {"listener", letter.listener},
            {"key", letter.key},
            {"position", letter.position.value()},
            {"stream", letter.stream},
            {"type", letter.type},
            {"event_id", letter.event_id.to_string()},
            {"attempts", letter.attempts},
            {"first_failed_at", to_rfc3339(letter.first_failed_at)},
            {"last_failed_at", to_rfc3339(letter.last_failed_at)},
            {"cause", letter.cause},
            {"error", letter.error},
            {"holds_key", letter.holds_key},
            {"retrying", letter.retrying}};
}

nlohmann::ordered_json to_json(const Attempt& attempt) {
    return {{"number", attempt.number},
            {"at", to_rfc3339(attempt.at)},
            {"seconds", std::chrono::duration<double>(attempt.duration).count()},
            {"cause", attempt.cause},
            {"error", attempt.error}};
}

void print_letter_table(const std::vector<DeadLetter>& letters, Output& out) {
    using Align = Table::Align;
    Table table{out,
                {{"ID", Align::right},
                 {"LISTENER"},
                 {"POSITION", Align::right},
                 {"STREAM"},
                 {"TYPE"},
                 {"ATTEMPTS", Align::right},
                 {"LAST FAILED AT"},
                 {"NOW"},
                 {"CAUSE"},
                 {"ERROR"}}};
    for (const auto& letter : letters) {
        const auto* const standing = letter.holds_key ? "holds key" : letter.retrying ? "retrying" : "-";
        table.row({std::to_string(letter.id), letter.listener, std::to_string(letter.position.value()),
                   letter.stream, letter.type, std::to_string(letter.attempts), human_time(letter.last_failed_at),
                   standing, letter.cause, letter.error});
    }
    table.flush_rows();
}

// ---- Explanations

nlohmann::ordered_json to_json(const Event& event, const std::vector<Explanation>& explanations) {
    auto listeners = Json::array();
    for (const auto& explanation : explanations) {
        listeners.push_back({{"listener", explanation.listener},
                             {"selected", explanation.selected},
                             {"fate", explanation.fate},
                             {"reason", text_or_null(explanation.reason)},
                             {"key", text_or_null(explanation.order_key)},
                             {"delivery_key", text_or_null(explanation.delivery_key)},
                             {"attempts", explanation.attempts},
                             {"next_attempt", time_or_null(explanation.next_attempt)},
                             {"error", text_or_null(explanation.error)}});
    }
    return {{"position", event.position.value()},
            {"id", event.id.to_string()},
            {"stream", event.stream.name()},
            {"type", event.type},
            {"listeners", std::move(listeners)}};
}

void print_explanations(const Event& event, const std::vector<Explanation>& explanations, Context& context) {
    if (context.json()) return context.out().json(to_json(event, explanations));
    context.out().line("position " + std::to_string(event.position.value()) + ": " + printable(event.type) +
                       " of " + printable(event.stream.name()) + ", recorded " + human_time(event.recorded_at));
    for (const auto& explanation : explanations) {
        context.out().line("  " + explanation.listener + ": " + printable(sentence(explanation)));
        if (!explanation.delivery_key.empty() && explanation.fate != "not kept")
            context.out().line(
                (explanation.order_key.empty() ? "    " : "    key " + printable(explanation.order_key) + ", ") +
                "delivery " + explanation.delivery_key);
    }
}

}  // namespace stele::tool
