// stele types: what types of events occur.
#include "commands.hpp"

namespace stele::tool {
namespace {

using Align = Table::Align;

Exit run_types(Context& context) {
    const EventStore store = context.open_existing(Context::Events::either);
    Table table{context.out(),
                {{"TYPE"}, {"EVENTS", Align::right}, {"FIRST", Align::right}, {"LAST", Align::right}}};
    for (const TypeInfo& info : store.types()) {
        if (context.json()) {
            context.out().json(nlohmann::ordered_json{{"type", info.type},
                                                      {"count", info.count},
                                                      {"first_position", info.first_position.value()},
                                                      {"last_position", info.last_position.value()}});
        } else {
            table.row({info.type, std::to_string(info.count), std::to_string(info.first_position.value()),
                       std::to_string(info.last_position.value())});
        }
    }
    table.flush_rows();
    return Exit::done;
}

}  // namespace

void add_types(CommandLine& line) {
    line.add({"types", "List the types of events: how many there are of each, the first and the last.",
              "stele types --json", "0 done · 1 failed · 2 command line · 4 no such store"},
             run_types);
}

}  // namespace stele::tool
