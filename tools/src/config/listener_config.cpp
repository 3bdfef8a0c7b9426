#include "listener_config.hpp"

#include "../suggest.hpp"
#include "sql_settings.hpp"

#include <algorithm>
#include <chrono>
#include <map>

namespace stele::tool {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto longest_wait = std::chrono::milliseconds{24h * 365};
constexpr auto no_limit = std::numeric_limits<std::int64_t>::max();
constexpr int most_attempts = 1'000;
constexpr int most_workers = 1'000;

template <class From, class To>
void take(const std::optional<From>& from, To& to) {
    if (from) to = static_cast<To>(*from);
}

Query read_selection(TableReader& table) {
    QueryItem item;
    if (auto types = table.texts("types")) item.types = std::move(*types);
    if (auto tags = table.texts("tags")) item.tags = std::move(*tags);
    item.aggregate_type = table.word("aggregate_type", "a type of aggregates in quotes");
    item.tenant = table.text("tenant", "a tenant in quotes; \"\" for events without one");
    return item.asks_for_nothing() ? Query{} : Query{{item}};
}

OrderBy read_order(TableReader& table) {
    const auto* value = table.find("order");
    if (value == nullptr || value->text == "stream") return {};
    if (value->text == "global") return {OrderBy::Kind::global, {}};
    if (value->text == "none") return {OrderBy::Kind::none, {}};
    if (value->kind != TomlValue::Kind::text) {
        table.wrong("order", *value, "\"stream\", \"global\", \"none\" or SQL over the event");
        return {};
    }
    auto expression = read_expression(table, "order");
    return {OrderBy::Kind::expression, std::move(expression).value_or(sql::SqlText{})};
}

RetryPolicy read_retry(TableReader& table) {
    RetryPolicy policy;
    take(table.whole("attempts", 1, most_attempts), policy.attempts);
    if (auto delays = table.durations("delays", 0ms, longest_wait)) policy.delays = std::move(*delays);
    const auto* value = table.table("retry");
    if (value == nullptr) return policy;
    TableReader retry{*value, table.what() + ": retry", table.mistakes()};
    take(retry.duration("first", 0ms, longest_wait), policy.first);
    take(retry.number("factor", 1, std::numeric_limits<double>::max()), policy.factor);
    take(retry.duration("longest", 0ms, longest_wait), policy.longest);
    take(retry.number("jitter", 0, 1), policy.jitter);
    if (!policy.delays.empty()) {
        for (const char* key : {"first", "factor", "longest"})
            if (value->find(key) != nullptr)
                retry.mistake(value->find(key)->place,
                              std::string{key} + ": expected none, as delays says all waits; found one");
    }
    retry.finish();
    return policy;
}

// What the sink is like is the default: a host or a server that fails again and again is left alone for a while.
BreakerPolicy read_breaker(TableReader& table, const std::string& target) {
    BreakerPolicy policy;
    if (!target.empty()) {
        policy.failures = 5;
        policy.target = target;
    }
    const auto* value = table.table("breaker");
    if (value == nullptr) return policy;
    TableReader breaker{*value, table.what() + ": breaker", table.mistakes()};
    policy.failures = 5;
    take(breaker.whole("failures", 0, std::numeric_limits<int>::max()), policy.failures);
    take(breaker.duration("open", 1ms, longest_wait), policy.open);
    if (auto name = breaker.word("target", "a name in quotes")) policy.target = std::move(*name);
    breaker.finish();
    return policy;
}

std::optional<Deduplication> read_deduplication(TableReader& table) {
    const auto* value = table.table("deduplicate");
    if (value == nullptr) return std::nullopt;
    TableReader deduplicate{*value, table.what() + ": deduplicate", table.mistakes()};
    deduplicate.expect("by", "SQL over the event");
    deduplicate.expect("within", "a time such as \"10m\"");
    auto by = read_expression(deduplicate, "by");
    const auto within = deduplicate.duration("within", 0ms, longest_wait);
    deduplicate.finish();
    if (!by || !within) return std::nullopt;
    return Deduplication{std::move(*by), *within};
}

StartAt read_start(TableReader& table) {
    const auto* value = table.find("from");
    if (value == nullptr) return {};
    if (value->kind == TomlValue::Kind::whole && value->whole >= 0)
        return {StartAt::Kind::position, Position{value->whole}, {}};
    if (value->kind == TomlValue::Kind::text || value->kind == TomlValue::Kind::time) {
        if (value->text == "beginning") return {};
        if (value->text == "now") return {StartAt::Kind::now, {}, {}};
        try {
            return {StartAt::Kind::time, {}, parse_rfc3339(value->text)};
        } catch (const InvalidInput&) {  // said below, with all that may stand here
        }
    }
    table.wrong("from", *value, "\"beginning\", \"now\", a position, or a time such as 2026-01-05T10:00:00Z");
    return {};
}

Listener::Head read_head(TableReader& table, const std::string& breaker_target) {
    Listener::Head head;
    head.query = read_selection(table);
    if (auto where = read_expression(table, "where")) head.where = std::move(*where);
    head.order = read_order(table);
    if (const auto mode = table.choice("mode", {"queued", "sync"}))
        head.mode = *mode == 0 ? ListenerMode::queued : ListenerMode::sync;
    if (auto queue = table.word("queue", "the name of a queue in quotes")) head.queue = std::move(*queue);
    take(table.whole("priority", std::numeric_limits<int>::min(), std::numeric_limits<int>::max()), head.priority);
    head.retry = read_retry(table);
    if (const auto after = table.choice("after_last", {"dead_letter", "hold", "stop"}))
        head.after_last = *after == 0 ? AfterLast::free_key : *after == 1 ? AfterLast::hold_key : AfterLast::stop;
    take(table.whole("stop_after_dead", 0, no_limit), head.stop_after_dead);
    head.breaker = read_breaker(table, breaker_target);
    head.deduplication = read_deduplication(table);
    head.start = read_start(table);
    return head;
}

std::optional<DeclaredSink> read_sink_of(TableReader& table, const fs::path& folder) {
    table.expect("sink", "a table such as { type = \"log\" }");
    const auto* sink = table.table("sink");
    return sink == nullptr ? std::nullopt : read_sink(*sink, table.what(), folder, table.mistakes());
}

std::optional<DeclaredListener> read_listener(const TomlValue& value, const fs::path& folder, Mistakes& mistakes) {
    const auto mistakes_before = mistakes.count();
    TableReader table{value, "listener", mistakes};
    table.expect("name", "1 to 100 letters, digits, _ and -");
    const auto name = table.word("name", "1 to 100 letters, digits, _ and -");
    if (name) table.rename("listener \"" + *name + "\"");

    const auto sink = read_sink_of(table, folder);
    auto head = read_head(table, sink ? sink->target : "");
    table.finish();
    head.name = name.value_or("unnamed");
    try {
        auto listener = sinks::sink_listener(head, sink ? sink->sink : sinks::Sink{sinks::Log{}});
        if (!sink || mistakes.count() != mistakes_before) return std::nullopt;
        return DeclaredListener{std::move(listener), *sink, value.place};
    } catch (const InvalidInput& error) {
        if (error.field() == "listener name") {
            table.wrong("name", *table.find("name"), "1 to 100 letters, digits, _ and -");
        } else if (mistakes.count() == mistakes_before) {
            note_invalid(table, error);
        }
    } catch (const sql::DefinitionError& error) {
        if (mistakes.count() == mistakes_before) table.mistake({error.line(), 1}, error.what());
    }
    return std::nullopt;
}

// The tables of an array of tables: `[[queue]]`.
const std::vector<TomlValue>& tables(TableReader& file, const char* key) {
    static const std::vector<TomlValue> none;
    const auto* value = file.find(key);
    if (value == nullptr) return none;
    const auto is_table = [](const TomlValue& one) { return one.kind == TomlValue::Kind::table; };
    if (value->kind == TomlValue::Kind::list && std::all_of(value->list.begin(), value->list.end(), is_table))
        return value->list;
    file.mistakes().add(value->place, std::string{key} + ": expected tables that begin with [[" + key +
                                          "]], found " + shown(*value));
    return none;
}

// Notes a name that stands twice.
class Names {
public:
    explicit Names(Mistakes& mistakes) : mistakes_(mistakes) {}
    void take(const std::string& what, const TomlValue& table) {
        const auto* name = table.find("name");
        if (name == nullptr || name->value.text.empty()) return;
        const auto [first, is_new] = lines_.emplace(name->value.text, name->value.place.line);
        if (!is_new)
            mistakes_.add(name->value.place, "name: expected a name of its own, found that of the " + what +
                                                 " in line " + std::to_string(first->second));
    }

private:
    Mistakes& mistakes_;
    std::map<std::string, int> lines_;
};

std::vector<QueueOptions> read_queues(TableReader& file) {
    std::vector<QueueOptions> queues;
    Names names{file.mistakes()};
    for (const auto& value : tables(file, "queue")) {
        TableReader table{value, "queue", file.mistakes()};
        QueueOptions queue;
        table.expect("name", "a name");
        if (auto name = table.word("name", "a name in quotes")) {
            queue.name = std::move(*name);
            table.rename("queue \"" + queue.name + "\"");
        }
        take(table.whole("workers", 1, most_workers), queue.workers);
        take(table.number("rate", 0, std::numeric_limits<double>::max()), queue.rate);
        take(table.whole("priority", std::numeric_limits<int>::min(), std::numeric_limits<int>::max()),
             queue.priority);
        table.finish();
        names.take("queue", value);
        queues.push_back(std::move(queue));
    }
    return queues;
}

HealthLimits read_health(TableReader& file) {
    HealthLimits limits;
    const auto* value = file.table("health");
    if (value == nullptr) return limits;
    TableReader table{*value, "health", file.mistakes()};
    limits.lag_events = table.whole("max_lag_events", 0, no_limit);
    limits.lag_seconds = table.number("max_lag_seconds", 0, std::numeric_limits<double>::max());
    take(table.duration("stalled_after", 0ms, longest_wait), limits.stalled_after);
    take(table.whole("max_dead", 0, no_limit), limits.dead);
    table.finish();
    return limits;
}

// A queue that nobody defined works, with what queues have by default; but its name may be misspelt.
void hint_at_unknown_queue(const TomlValue& listener, const std::vector<QueueOptions>& queues, Mistakes& mistakes) {
    const auto* queue = listener.find("queue");
    if (queue == nullptr || queue->value.kind != TomlValue::Kind::text || queue->value.text == "default") return;
    std::vector<std::string> names;
    for (const auto& known : queues) names.push_back(known.name);
    if (std::find(names.begin(), names.end(), queue->value.text) != names.end()) return;
    const auto meant = nearest(queue->value.text, names);
    mistakes.hint(queue->value.place, "queue \"" + queue->value.text + "\" is not defined, so it has " +
                                          std::to_string(QueueOptions{}.workers) + " workers" +
                                          (meant ? "; did you mean \"" + *meant + "\"?"
                                                 : "; a table [[queue]] of that name may say more"));
}

}  // namespace

ListenerConfig read_listener_config(const TomlValue& value, const fs::path& folder, Mistakes& mistakes) {
    ListenerConfig config;
    TableReader file{value, "stele.toml", mistakes};
    if (const auto* enabled = file.find("listeners_enabled")) {
        if (enabled->kind != TomlValue::Kind::flag)
            mistakes.add(enabled->place, "listeners_enabled: expected true or false, found " + shown(*enabled));
        config.enabled = enabled->flag || enabled->kind != TomlValue::Kind::flag;
    }
    config.queues = read_queues(file);
    config.health = read_health(file);
    Names names{mistakes};
    for (const auto& table : tables(file, "listener")) {
        names.take("listener", table);
        hint_at_unknown_queue(table, config.queues, mistakes);
        if (auto listener = read_listener(table, folder, mistakes))
            config.listeners.push_back(std::move(*listener));
    }
    return config;
}

}  // namespace stele::tool
