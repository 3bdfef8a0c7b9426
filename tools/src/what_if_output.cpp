#include "what_if_output.hpp"

#include "change_output.hpp"
#include "colour.hpp"
#include "json_layout.hpp"
#include "terminal.hpp"

#include <stele/schema/event_json.hpp>

namespace stele::tool {
namespace {

using nlohmann::json;

std::string json_line(const FoldComparison& comparison) {
    std::string line = "{\"stream\":" + json(comparison.state.stream.name()).dump() +
                       ",\"version\":" + std::to_string(comparison.state.version.value()) +
                       ",\"position\":" + std::to_string(comparison.state.position.value()) +
                       ",\"state\":" + json_on_one_line(comparison.state.json.text()) +
                       ",\"other\":" + json_on_one_line(comparison.other.json.text()) +
                       ",\"patch\":" + comparison.patch.dump() + ",\"parts_at\":";
    if (const auto& parted = comparison.parted) {
        line += "{\"version\":" + std::to_string(parted->event.version.value()) +
                ",\"position\":" + std::to_string(parted->event.position.value()) +
                ",\"event\":" + to_event_line(parted->event) + ",\"patch\":" + parted->patch.dump() + "}";
    } else {
        line += comparison.began_apart ? "{\"version\":0,\"position\":0}" : "null";
    }
    line += ",\"meets_at\":" + (comparison.met ? std::to_string(comparison.met->value()) : "null");
    if (const auto& failed = comparison.failed) {
        line += ",\"failed_at\":{\"version\":" + std::to_string(failed->event.version.value()) +
                ",\"position\":" + std::to_string(failed->event.position.value()) +
                ",\"event\":" + to_event_line(failed->event) + ",\"message\":" + json(failed->message).dump() + "}";
    }
    return line + "}";
}

void print_difference(const json& patch, const JsonText& state, Output& out) {
    print_changes(out, patch, state.value(), "  ");
    if (patch.empty()) out.line("  (no difference)");
}

void print_text(const FoldComparison& comparison, const std::string& what, Output& out) {
    const auto heading = [&](const std::string& text) { out.line(painted(out, Colour::bold, text)); };
    const auto& state = comparison.state;
    note(printable(state.stream.name()) + ": - and the left of ~ is as it is, + and the right of ~ " + what);
    if (comparison.began_apart) heading("they part before the first event");
    if (const auto& parted = comparison.parted) {
        heading("they part at " + event_heading(parted->event));
        print_difference(parted->patch, parted->state, out);
    }
    if (!comparison.parted && !comparison.began_apart) heading("they never part");
    if (comparison.met) heading("they meet again at version " + std::to_string(comparison.met->value()));
    if (const auto& failed = comparison.failed) {
        heading("it fails at " + event_heading(failed->event));
        out.line("  " + printable(failed->message));
    }
    const auto version = std::to_string(state.version.value());
    heading((comparison.failed ? "before that, at version " : "in the end, at version ") + version);
    print_difference(comparison.patch, state.json, out);
}

}  // namespace

Exit print_comparison(const FoldComparison& comparison, const std::string& what, Context& context) {
    if (context.json())
        context.out().line(json_line(comparison));
    else
        print_text(comparison, what, context.out());
    return comparison.failed ? Exit::failed : Exit::done;
}

}  // namespace stele::tool
