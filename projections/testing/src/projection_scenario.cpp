#include <stele/projections/projection_error.hpp>
#include <stele/projections/read_model.hpp>
#include <stele/projections/rebuild.hpp>
#include <stele/projections/sql_projection.hpp>
#include <stele/projections/value.hpp>
#include <stele/testing/projection_scenario.hpp>
#include <stele/testing/temporary_store.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace stele::testing {
namespace {

RebuildOptions at_once() {
    RebuildOptions options;
    options.grace = {};
    return options;
}

void append(TemporaryStore& store, const Event& event) {
    NewEvent again;
    again.type = event.type;
    again.data = event.data;
    again.metadata = event.metadata;
    again.id = event.id;
    again.occurred_at = event.occurred_at;
    again.schema_version = event.schema_version;
    again.tags = event.tags;
    store.clock().set(event.recorded_at);
    store->append(event.stream, expect::any, {again});
}

std::vector<Values> rows_of(EventStore& store, const Projection& projection, const std::string& query) {
    const auto model = ReadModel::open(store, projection.name());
    std::vector<Values> rows;
    for (const Row& row : model.query(query)) rows.push_back(values_of(row));
    return rows;
}

std::string listed(const std::vector<Values>& rows) {
    std::string text;
    for (const auto& row : rows) text += "    " + to_text(row) + "\n";
    return text.empty() ? "    no rows\n" : text;
}

std::string listed(const ExpectedRows& rows) {
    std::string text;
    for (const auto& row : rows) text += "    " + nlohmann::json(row).dump() + "\n";
    return text.empty() ? "    no rows\n" : text;
}

bool equal(const std::vector<nlohmann::json>& expected, const Values& found) {
    return std::equal(expected.begin(), expected.end(), found.begin(), found.end(),
                      [](const nlohmann::json& value, const Value& is) { return equals(is, value); });
}

// Which rows differ, by their numbers.
std::string differing(const ExpectedRows& expected, const std::vector<Values>& found) {
    std::string text;
    for (std::size_t i = 0; i < std::max(expected.size(), found.size()); ++i) {
        const auto number = "  row " + std::to_string(i + 1) + ": ";
        if (i >= found.size()) {
            text += number + "expected " + nlohmann::json(expected[i]).dump() + ", found none\n";
        } else if (i >= expected.size()) {
            text += number + "expected none, found " + to_text(found[i]) + "\n";
        } else if (!equal(expected[i], found[i])) {
            text +=
                number + "expected " + nlohmann::json(expected[i]).dump() + ", found " + to_text(found[i]) + "\n";
        }
    }
    return text;
}

}  // namespace

struct ProjectionScenario::Built {
    std::shared_ptr<const Projection> projection;
    std::vector<Event> events;
    TemporaryStore whole;
    TemporaryStore again;
    TemporaryStore stepwise;
    // What stopped it, and where: an event's position is its number.
    struct Stop {
        Position position;
        std::string message;
    };
    std::optional<Stop> stop;
    std::optional<Stop> stop_again;
    std::optional<Stop> stop_stepwise;

    Built(const detail::History& history, std::shared_ptr<const Projection> made)
        : projection(std::move(made)), events(history.events()) {
        stop = build(whole);
        stop_again = build(again);
        stop_stepwise = step();
    }

private:
    // The rows of one that was stopped are those of the events before.
    std::optional<Stop> build(TemporaryStore& store) const {
        for (const auto& event : events) append(store, event);
        auto options = at_once();
        try {
            rebuild(store, *projection, options);
            return std::nullopt;
        } catch (const HandlerFailed& failed) {
            options.until = failed.position().previous();
            rebuild(store, *projection, options);
            return Stop{failed.position(), failed.what()};
        }
    }

    std::optional<Stop> step() {
        rebuild(stepwise, *projection, at_once());
        try {
            for (const auto& event : events) {
                append(stepwise, event);
                catch_up(stepwise, *projection);
                stepwise.reopen();
            }
            return std::nullopt;
        } catch (const HandlerFailed& failed) {
            return Stop{failed.position(), failed.what()};
        }
    }
};

namespace {

template <class Stop>
bool alike(const std::optional<Stop>& a, const std::optional<Stop>& b) {
    return a.has_value() == b.has_value() && (!a || a->position == b->position);
}

template <class Stop>
std::string said(const std::optional<Stop>& stop) {
    return stop ? stop->message : "that every event was taken in";
}

}  // namespace

ProjectionScenario::ProjectionScenario(const detail::History& history, std::shared_ptr<const Projection> projection)
    : built_(std::make_unique<Built>(history, std::move(projection))) {}
ProjectionScenario::~ProjectionScenario() = default;
ProjectionScenario::ProjectionScenario(ProjectionScenario&&) noexcept = default;
ProjectionScenario& ProjectionScenario::operator=(ProjectionScenario&&) noexcept = default;

std::string ProjectionScenario::difference(const std::string& query, const ExpectedRows& rows,
                                           const detail::Place& place) const {
    auto& built = *built_;
    const auto headline = to_string(place) + ": given " + std::to_string(built.events.size()) +
                          (built.events.size() == 1 ? " event" : " events") + ", projection \"" +
                          built.projection->name() + "\": " + query + "\n";
    try {
        const auto found = rows_of(built.whole, *built.projection, query);
        const auto different = differing(rows, found);
        if (!different.empty()) {
            return headline + "  expected\n" + listed(rows) + "  found\n" + listed(found) + different +
                   (built.stop ? "  it was stopped: " + built.stop->message + "\n" : "");
        }
        if (!alike(built.stop, built.stop_again))
            return headline +
                   "  built a second time from the same events, it is stopped elsewhere: it depends on "
                   "more than its events\n  first    " +
                   said(built.stop) + "\n  then     " + said(built.stop_again) + "\n";
        if (!alike(built.stop, built.stop_stepwise))
            return headline +
                   "  taken in event by event, with restarts in between, it is stopped elsewhere: it "
                   "keeps something that is not in its tables\n  in one go       " +
                   said(built.stop) + "\n  event by event  " + said(built.stop_stepwise) + "\n";
        const auto again = rows_of(built.again, *built.projection, query);
        if (again != found) {
            return headline +
                   "  built a second time from the same events, it gives other rows: it depends on more "
                   "than its events\n  first\n" +
                   listed(found) + "  then\n" + listed(again);
        }
        const auto stepwise = rows_of(built.stepwise, *built.projection, query);
        if (stepwise != found) {
            return headline +
                   "  taken in event by event, with restarts in between, it gives other rows: it keeps "
                   "something that is not in its tables\n  in one go\n" +
                   listed(found) + "  event by event\n" + listed(stepwise);
        }
        return {};
    } catch (const Error& error) {
        return headline + "  " + error.what() + "\n";
    }
}

std::string ProjectionScenario::unless_failed(const std::string& text, const detail::Place& place) const {
    const auto& stop = built_->stop;
    const auto last = static_cast<std::int64_t>(built_->events.size());
    const bool is_last = stop && stop->position.value() == last;
    if (is_last && stop->message.find(text) != std::string::npos) return {};
    return to_string(place) + ": projection \"" + built_->projection->name() + "\"\n  expected an error with \"" +
           text + "\"\n  found    " +
           (stop && !is_last ? "that event " + std::to_string(stop->position.value()) + " of " +
                                   std::to_string(last) + ", and not the last one, stopped it: "
                             : "") +
           said(stop) + "\n";
}

ProjectionScenario GivenEvents::project_file(const std::filesystem::path& file) const {
    return {history_, SqlProjection::load(file)};
}

}  // namespace stele::testing
