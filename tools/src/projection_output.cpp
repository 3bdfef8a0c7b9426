#include "projection_output.hpp"

#include "terminal.hpp"

#include <utility>

namespace stele::tool {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const BuildStatus& building) {
    return {{"generation", building.generation},
            {"version", building.version},
            {"position", building.position.value()},
            {"target", building.target.value()},
            {"events", building.events},
            {"percent", building.percent},
            {"events_per_second", building.events_per_second},
            {"seconds_left", building.seconds_left ? Json(*building.seconds_left) : Json()},
            {"started_at", time_or_null(building.started_at)},
            {"builder", text_or_null(building.builder)}};
}

}  // namespace

const char* word(ProjectionMode mode) { return mode == ProjectionMode::sync ? "sync" : "async"; }

nlohmann::ordered_json to_json(const ProjectionStatus& status) {
    nlohmann::ordered_json json{{"name", status.name},
                                {"version", status.version},
                                {"generation", status.generation},
                                {"mode", word(status.mode)},
                                {"state", status.state},
                                {"since", time_or_null(status.since)},
                                {"position", status.position.value()},
                                {"head", status.head.value()},
                                {"lag_events", status.lag_events},
                                {"lag_seconds", status.lag_seconds},
                                {"rate", status.rate},
                                {"owner", text_or_null(status.owner)},
                                {"skipped", status.skipped},
                                {"building", nullptr},
                                {"error", text_or_null(status.error)},
                                {"trouble", text_or_null(status.trouble)},
                                {"failed_at", nullptr},
                                {"try", text_or_null(status.advice)}};
    if (status.building) json["building"] = to_json(*status.building);
    if (status.failure)
        json["failed_at"] = {{"position", status.failure->position.value()},
                             {"type", status.failure->type},
                             {"place", text_or_null(status.failure->place)}};
    return json;
}

void print_projection_table(const std::vector<ProjectionStatus>& projections, Output& out) {
    using Align = Table::Align;
    Table table{out,
                {{"PROJECTION"},
                 {"VERSION", Align::right},
                 {"GENERATION", Align::right},
                 {"STATE"},
                 {"POSITION", Align::right},
                 {"BEHIND", Align::right},
                 {"ERROR"}}};
    for (const auto& status : projections) {
        std::string behind = std::to_string(status.lag_events);
        if (status.lag_events > 0) behind += " (" + human_seconds(status.lag_seconds) + ")";
        table.row({status.name, std::to_string(status.version),
                   status.generation == 0 ? "-" : std::to_string(status.generation), status.state,
                   std::to_string(status.position.value()), behind,
                   status.error.empty() ? status.trouble : status.error});
    }
    table.flush_rows();
}

void print_statuses(const std::vector<ProjectionStatus>& projections, Context& context) {
    if (context.json()) return print_projections(projections, context);
    bool first = true;
    for (const auto& status : projections) {
        if (!std::exchange(first, false)) context.out().line("");
        context.out().write(describe(status));
    }
}

void print_projections(const std::vector<ProjectionStatus>& projections, Context& context) {
    if (!context.json()) return print_projection_table(projections, context.out());
    for (const auto& status : projections) context.out().json(to_json(status));
}

}  // namespace stele::tool
