// stele schema: the group of commands.
#include "commands.hpp"

namespace stele::tool {

void add_schema(CommandLine& line) {
    CLI::App& group =
        line.group("schema", "What events must look like: compare versions, infer schemas, list them all.");
    add_schema_store(line, group);
    add_schema_test(line, group);
    add_schema_check(line, group);
    add_schema_diff(line, group);
    add_schema_infer(line, group);
    add_schema_catalog(line, group);
}

}  // namespace stele::tool
