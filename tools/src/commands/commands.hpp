// The commands of the tool, one file each in this folder.
#pragma once

#include "../command_line.hpp"

namespace stele::tool {

/// Adds all of them, in the order of `stele --help`.
void add_commands(CommandLine& line);

void add_init(CommandLine& line);
void add_append(CommandLine& line);
void add_check_config(CommandLine& line);
void add_import(CommandLine& line);
void add_export(CommandLine& line);
void add_read(CommandLine& line);
void add_events(CommandLine& line);
void add_streams(CommandLine& line);
void add_types(CommandLine& line);
void add_replay(CommandLine& line);
void add_diff(CommandLine& line);
void add_blame(CommandLine& line);
void add_bisect(CommandLine& line);
void add_trace(CommandLine& line);
void add_find(CommandLine& line);
void add_projection(CommandLine& line);
void add_projection_check(CommandLine& line, CLI::App& group);
void add_projection_lifecycle(CommandLine& line, CLI::App& group);
void add_projection_query(CommandLine& line, CLI::App& group);
void add_projection_rebuild(CommandLine& line, CLI::App& group);
void add_projection_test(CommandLine& line, CLI::App& group);
void add_listener(CommandLine& line);
void add_listener_explain(CommandLine& line, CLI::App& group);
void add_listener_rewind(CommandLine& line, CLI::App& group);
void add_dead_letter(CommandLine& line);
/// explain and debug-event.
void add_explain(CommandLine& line);
void add_schema(CommandLine& line);
void add_schema_catalog(CommandLine& line, CLI::App& group);
void add_schema_store(CommandLine& line, CLI::App& group);
void add_schema_test(CommandLine& line, CLI::App& group);
void add_schema_check(CommandLine& line, CLI::App& group);
void add_schema_diff(CommandLine& line, CLI::App& group);
void add_schema_infer(CommandLine& line, CLI::App& group);
void add_run(CommandLine& line);
void add_status(CommandLine& line);
void add_health(CommandLine& line);
void add_metrics(CommandLine& line);

}  // namespace stele::tool
