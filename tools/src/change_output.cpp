#include "change_output.hpp"

#include "colour.hpp"
#include "event_output.hpp"
#include "terminal.hpp"

namespace stele::tool {

std::vector<std::string> described_changes(const nlohmann::json& changes, nlohmann::json state) {
    std::vector<std::string> lines;
    for (const auto& change : changes) {
        const auto& operation = change.at("op").get_ref<const std::string&>();
        const auto& path = change.at("path").get_ref<const std::string&>();
        const std::string shown = path.empty() ? "(all)" : path;
        const auto old_value = [&] { return state.at(nlohmann::json::json_pointer(path)).dump(); };
        if (operation == "add") {
            lines.push_back("+ " + shown + ": " + change.at("value").dump());
        } else if (operation == "remove") {
            lines.push_back("- " + shown + ": " + old_value());
        } else {
            lines.push_back("~ " + shown + ": " + old_value() + " → " + change.at("value").dump());
        }
        // Paths of the next operation are those of the state that this one leaves.
        state.patch_inplace(nlohmann::json::array({change}));
    }
    return lines;
}

void print_changes(Output& out, const nlohmann::json& changes, nlohmann::json state, const std::string& indent) {
    for (const auto& change : described_changes(changes, std::move(state))) {
        auto line = indent + printable(change);
        if (out.terminal()) line = shortened(line, out.width());
        const auto colour = change.front() == '+'   ? Colour::green
                            : change.front() == '-' ? Colour::red
                                                    : Colour::yellow;
        out.line(painted(out, colour, line));
    }
}

std::string event_heading(const Event& event) {
    return "version " + std::to_string(event.version.value()) + "  position " +
           std::to_string(event.position.value()) + "  " + human_time(event.occurred_at) + "  " +
           printable(event.type);
}

}  // namespace stele::tool
