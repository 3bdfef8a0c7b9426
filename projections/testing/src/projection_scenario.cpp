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
    std::optional<std::string> error;

    Built(const detail::History& history, std::shared_ptr<const Projection> made)
        : projection(std::move(made)), events(history.events()) {
        for (auto* store : {&whole, &again}) {
            for (const auto& event : events) append(*store, event);
            build(*store);
        }
        step();
    }

private:
    // The rows of one that was stopped are those of the events before.
    void build(TemporaryStore& store) {
        auto options = at_once();
        try {
            rebuild(store, *projection, options);
        } catch (const HandlerFailed& failed) {
            error = failed.what();
            options.until = failed.position().previous();
            rebuild(store, *projection, options);
        }
    }

    void step() {
        rebuild(stepwise, *projection, at_once());
        try {
            for (const auto& event : events) {
                append(stepwise, event);
                catch_up(stepwise, *projection);
                stepwise.reopen();
            }
        } catch (const HandlerFailed&) {
            return;  // as the others were
        }
    }
};

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
                   (built.error ? "  it was stopped: " + *built.error + "\n" : "");
        }
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
    if (built_->error && built_->error->find(text) != std::string::npos) return {};
    return to_string(place) + ": projection \"" + built_->projection->name() + "\"\n  expected an error with \"" +
           text + "\"\n  found    " + built_->error.value_or("that every event was taken in") + "\n";
}

ProjectionScenario GivenEvents::project_file(const std::filesystem::path& file) const {
    return {history_, SqlProjection::load(file)};
}

}  // namespace stele::testing
