#include <stele/tools/tool.hpp>

#include "command_line.hpp"
#include "commands/commands.hpp"
#include "interrupt.hpp"
#include "run.hpp"

#include <stele/schema/sql/process.hpp>

#include <unistd.h>

#include <string_view>

namespace stele::tool {
namespace {

// Before the command line is understood, an error about it should come in the form that it asks for.
bool asks_for_json(int argc, char** argv) {
    for (int i = 1; i < argc; ++i)
        if (std::string_view{argv[i]} == "--json") return true;
    return false;
}

Exit run(int argc, char** argv, const Registry& registry, const std::function<void(CommandLine&)>& add_more,
         Output& out) {
    CommandLine line;
    add_commands(line);
    if (add_more) add_more(line);
    const auto call = line.parse(argc, argv);
    Context context{line.globals(), registry, out};
    Exit status = Exit::done;
    if (call.run) {
        status = call.run(context);
    } else {
        out.write(call.text);
    }
    out.flush();
    return status;
}

}  // namespace

int main(int argc, char** argv, Registry registry) { return run_main(argc, argv, registry, {}); }

int run_main(int argc, char** argv, const Registry& registry, const std::function<void(CommandLine&)>& add_more) {
    (void)sql::stop_counting_memory();  // rebuilds of several projections use all cores
    const IgnoreBrokenPipe ignore;
    Output out{STDOUT_FILENO};
    try {
        return static_cast<int>(run(argc, argv, registry, add_more, out));
    } catch (const OutputClosed&) {
        return static_cast<int>(Exit::done);
    } catch (const std::exception& error) {
        // What was found before the failure is a result as well.
        try {
            out.flush();
        } catch (const std::exception&) {  // the first failure is the one to report
        }
        return static_cast<int>(report(error, asks_for_json(argc, argv)));
    }
}

}  // namespace stele::tool
