#include "projection_output.hpp"

#include "terminal.hpp"

namespace stele::tool {

const char* word(ProjectionMode mode) { return mode == ProjectionMode::sync ? "sync" : "async"; }

nlohmann::ordered_json to_json(const ProjectionStatus& status) {
    nlohmann::ordered_json json{
        {"name", status.name},         {"version", status.version},       {"generation", status.generation},
        {"mode", word(status.mode)},   {"state", status.state},           {"position", status.position.value()},
        {"head", status.head.value()}, {"lag_events", status.lag_events}, {"lag_seconds", status.lag_seconds},
        {"skipped", status.skipped}};
    json["error"] = status.error.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(status.error);
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
                   std::to_string(status.position.value()), behind, status.error});
    }
    table.flush_rows();
}

void print_projections(const std::vector<ProjectionStatus>& projections, Context& context) {
    if (!context.json()) return print_projection_table(projections, context.out());
    for (const auto& status : projections) context.out().json(to_json(status));
}

}  // namespace stele::tool
