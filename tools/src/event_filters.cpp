#include "event_filters.hpp"

#include "options.hpp"

namespace stele::tool {

void EventFilters::add_to(CLI::App& app) {
    number(app, "--after", "P", after, 0, "from the event behind this position");
    texts(app, "--type", "T", types, "events of this type; of any of them, where given several times");
    text(app, "--aggregate-type", "A", aggregate_type, "events of aggregates of this type");
    text(app, "--tenant", "T", tenant, "events of this tenant; \"\" for those without one");
    texts(app, "--tag", "T", tags, "events with this tag; with all of them, where given several times");
    time(app, "--since", since, "recorded at or after it");
    time(app, "--until", until, "recorded at or before it");
    number(app, "--until-position", "P", until_position, 0, "up to this position, included");
    text(app, "--correlation", "ID", correlation, "whose metadata has this correlation_id");
    number(app, "--limit", "N", limit, 0, "at most so many");
    raw_flag(app, raw);
}

Context::Events EventFilters::events() const { return Context::seen(raw); }

Read EventFilters::read() const {
    Read read = all();
    if (after) read.after(Position{*after});
    if (!types.empty()) read.types(types);
    if (aggregate_type) read.aggregate_type(*aggregate_type);
    if (tenant) read.tenant(*tenant);
    if (!tags.empty()) read.tags(tags);
    if (since) read.since(*since);
    if (until) read.until(*until);
    if (until_position) read.until(Position{*until_position});
    if (correlation) read.correlation(*correlation);
    if (limit) read.limit(static_cast<std::size_t>(*limit));
    return read;
}

}  // namespace stele::tool
