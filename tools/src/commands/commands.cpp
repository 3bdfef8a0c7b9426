#include "commands.hpp"

namespace stele::tool {

void add_commands(CommandLine& line) {
    add_init(line);
    add_append(line);
    add_import(line);
    add_export(line);
    add_read(line);
    add_events(line);
    add_streams(line);
    add_types(line);
    add_schema(line);
    add_replay(line);
    add_diff(line);
    add_blame(line);
    add_bisect(line);
    add_trace(line);
    add_find(line);
    add_projection(line);
    add_listener(line);
    add_dead_letter(line);
    add_explain(line);
    add_run(line);
    add_check_config(line);
    add_status(line);
    add_health(line);
    add_metrics(line);
}

}  // namespace stele::tool
