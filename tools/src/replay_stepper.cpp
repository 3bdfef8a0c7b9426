#include "replay_stepper.hpp"

#include "keyboard.hpp"
#include "step_view.hpp"
#include "terminal.hpp"

#include <unistd.h>

namespace stele::tool {
namespace {

void require_terminal(const Context& context) {
    const char* reason = nullptr;
    if (context.json()) reason = "does not go together with --json";
    if (!is_terminal(STDIN_FILENO)) reason = "needs a terminal, and standard input is none";
    if (!is_terminal(context.out().fd())) reason = "needs a terminal, and standard output is none";
    if (reason == nullptr) return;
    throw Failure{Exit::command_line, "no_terminal",
                  std::string{"stele replay: --step "} + reason + "; --steps prints every step"}
        .hint("stele replay STREAM --steps");
}

}  // namespace

Exit step_through(const ReplayedStream& of, Context& context) {
    require_terminal(context);
    HistoryWalk walk{of.store, of.stream, *of.aggregate};
    StepView view{walk, context.out()};
    Keyboard keyboard;
    for (bool goes_on = true; goes_on;) {
        Keyboard::draw(view.screen(Keyboard::size()));
        goes_on = view.press(keyboard.next());
    }
    return Exit::done;
}

}  // namespace stele::tool
