// stele listener: the group of commands; how listeners are, and what stops them and lets them go on.
#include "../chosen_listeners.hpp"
#include "../definitions.hpp"
#include "../listener_output.hpp"
#include "../options.hpp"
#include "commands.hpp"

#include <functional>
#include <memory>

namespace stele::tool {
namespace {

struct ListenerArguments {
    std::vector<std::string> names;
    bool all = false;
};

Exit list_listeners(Context& context) {
    const EventStore store = context.open_existing();
    print_listeners(listener_status(store, known_listeners(context)), context);
    return Exit::done;
}

Exit status_of_listeners(const std::vector<std::string>& names, Context& context) {
    const EventStore store = context.open_existing();
    const auto known = known_listeners(context);
    if (names.empty()) {
        print_listener_statuses(listener_status(store, known), context);
        return Exit::done;
    }
    std::vector<ListenerStatus> chosen;
    for (const auto& name : names_of_listeners(names, false, "stele listener status", store, known))
        chosen.push_back(listener_status(store, known, name));
    print_listener_statuses(chosen, context);
    return Exit::done;
}

// What is done to one listener: returns what to say of it to people.
using ListenerAct = std::function<std::string(const EventStore&, const ListenerRegistry&, const std::string& name)>;

Exit act_on_each_listener(const ListenerArguments& arguments, const std::string& command, const ListenerAct& act,
                          Context& context) {
    const EventStore store = context.open_existing();
    const auto known = known_listeners(context);
    const auto names = names_of_listeners(arguments.names, arguments.all, command, store, known);
    Exit status = Exit::done;
    for (const auto& name : names) {
        try {
            const auto said = act(store, known, name);
            if (context.json()) {
                context.out().json(to_json(listener_status(store, known, name)));
            } else {
                context.out().line(name + ": " + said);
            }
        } catch (const Error& error) {
            if (names.size() == 1) throw;
            status = report(error, context.json());
        }
    }
    return status;
}

std::string at(const ListenerStatus& status) { return "at position " + std::to_string(status.position.value()); }

std::string pause_it(const EventStore& store, const ListenerRegistry& known, const std::string& name) {
    pause_listener(store, known, name);
    return "paused, " + at(listener_status(store, known, name));
}

std::string resume_it(const EventStore& store, const ListenerRegistry& known, const std::string& name) {
    resume_listener(store, known, name);
    const auto status = listener_status(store, known, name);
    return "goes on, " + at(status) + (status.owner.empty() ? ", as soon as somebody runs it" : "");
}

void add(CommandLine& line, CLI::App& group, const About& about, const ListenerAct& act) {
    const auto arguments = std::make_shared<ListenerArguments>();
    const std::string command = std::string("stele listener ") + about.name;
    CLI::App& app = line.add(group, about, [arguments, command, act](Context& context) {
        return act_on_each_listener(*arguments, command, act, context);
    });
    tool::arguments(app, "NAME", arguments->names, "a listener of the project, or one that was run on the store");
    flag(app, "--all", arguments->all, "all that there are");
}

}  // namespace

void add_listener(CommandLine& line) {
    CLI::App& group =
        line.group("listener", "Listeners: list them, ask how they are, stop them, send events again.");
    line.add(group,
             {"list", "List the listeners: how far each has delivered, what is parked, what is dead.",
              "stele listener list --json", "0 done · 1 failed · 2 command line · 4 no such store"},
             list_listeners);

    const auto names = std::make_shared<std::vector<std::string>>();
    CLI::App& app = line.add(group,
                             {"status",
                              "Say all there is to say of listeners: state and since when, how far behind, what is "
                              "under way, parked and\n"
                              "dead, who delivers, how its breaker is; of a failed one the error; and what to do. "
                              "Without a name: of all.",
                              "stele listener status send_notification\n"
                              "stele listener status --json",
                              "0 done · 1 failed · 2 command line · 4 no such store or listener"},
                             [names](Context& context) { return status_of_listeners(*names, context); });
    tool::arguments(app, "NAME", *names, "a listener of the project, or one that was run on the store");

    constexpr auto exit_status = "0 done · 1 failed · 2 command line · 4 no such store or listener";
    add(line, group,
        {"pause",
         "Deliver nothing from now on, but for what is under way. Nothing is lost: what is appended meanwhile is\n"
         "delivered when the listener is resumed.",
         "stele listener pause send_notification", exit_status},
        pause_it);
    add(line, group,
        {"resume",
         "Let a paused listener go on, or a failed one try the event again that it stopped at, with all of its\n"
         "attempts.",
         "stele listener resume send_notification", exit_status},
        resume_it);
    add_listener_rewind(line, group);
    add_listener_explain(line, group);
}

}  // namespace stele::tool
