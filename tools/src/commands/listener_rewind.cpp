// stele listener rewind: send again what was sent, from a position on.
#include "../chosen_listeners.hpp"
#include "../definitions.hpp"
#include "../event_output.hpp"
#include "../options.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/projections/listeners/steering.hpp>

#include <memory>

namespace stele::tool {
namespace {

constexpr auto command = "stele listener rewind";

struct ListenerRewindArguments {
    std::string name;
    std::optional<std::int64_t> to;
    bool dry_run = false;
};

nlohmann::ordered_json to_json(const std::string& name, const Rewound& rewound, bool dry_run) {
    auto first = nlohmann::ordered_json::array();
    for (const auto& event : rewound.first)
        first.push_back({{"position", event.position.value()},
                         {"id", event.id.to_string()},
                         {"stream", event.stream.name()},
                         {"type", event.type}});
    return {{"name", name},
            {"from", rewound.from.value()},
            {"to", rewound.to.value()},
            {"events", rewound.events},
            {"parked", rewound.parked},
            {"dead", rewound.dead},
            {"first", std::move(first)},
            {"dry_run", dry_run}};
}

void print(const std::string& name, const Rewound& rewound, bool dry_run, Output& out) {
    out.line(name + ": " + (dry_run ? "would go" : "went") + " from position " +
             std::to_string(rewound.from.value()) + " back to " + std::to_string(rewound.to.value()) + "; " +
             counted(rewound.events, "event") +
             (dry_run               ? " would be"
              : rewound.events == 1 ? " is"
                                    : " are") +
             " sent again, " + grouped(rewound.parked) + " of them parked, " + grouped(rewound.dead) + " dead");
    EventPrinter printer{out, false, EventPrinter::Streams::shown};
    for (const auto& event : rewound.first) printer.print(event);
    printer.flush();
    const auto more = rewound.events - printer.printed();
    if (more > 0) out.line("… and " + grouped(more) + " more");
}

Exit run_listener_rewind(const ListenerRewindArguments& arguments, Context& context) {
    if (!arguments.to) throw usage_failure(command, "to where? --to POSITION; 0 sends everything again");
    const EventStore store = context.open_existing();
    const auto known = known_listeners(context);
    (void)names_of_listeners({arguments.name}, false, command, store, known);
    const auto rewound = rewind_listener(store, known, arguments.name, Position{*arguments.to}, arguments.dry_run);
    if (context.json()) {
        context.out().json(to_json(arguments.name, rewound, arguments.dry_run));
    } else {
        print(arguments.name, rewound, arguments.dry_run, context.out());
    }
    return Exit::done;
}

}  // namespace

void add_listener_rewind(CommandLine& line, CLI::App& group) {
    const auto arguments = std::make_shared<ListenerRewindArguments>();
    CLI::App& app = line.add(
        group,
        {"rewind",
         "Move a listener back, so that every event behind the position that it selects is delivered again, each "
         "with\n"
         "the same delivery key as before. Dead letters and parked deliveries of these events go: they are sent "
         "again\n"
         "with the others. Nothing but this sends again what was delivered; --dry-run says what it would be.",
         "stele listener rewind send_notification --to 90112 --dry-run",
         "0 done · 1 failed · 2 command line · 4 no such store or listener, or it was never run"},
        [arguments](Context& context) { return run_listener_rewind(*arguments, context); });
    argument(app, "NAME", arguments->name, "a listener of the project");
    number(app, "--to", "POSITION", arguments->to, 0, "the last event that is not sent again");
    flag(app, "--dry-run", arguments->dry_run, "say what would be sent, and change nothing");
}

}  // namespace stele::tool
