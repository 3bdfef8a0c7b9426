#include "command_line.hpp"

#include "options.hpp"
#include "suggest.hpp"
#include "terminal.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace stele::tool {
namespace {

constexpr const char* common_group = "common";

bool is_common(const CLI::Option& option) { return option.get_group() == common_group; }
bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }
bool is_several(const CLI::Option& option) { return option.get_expected_max() > 1; }

// `stele projection rebuild`
std::string full_name(const CLI::App& app) {
    return app.get_parent() == nullptr ? app.get_name() : full_name(*app.get_parent()) + " " + app.get_name();
}

// `--limit N`, `NAME…`
std::string spelt(const CLI::Option& option) {
    if (option.get_positional()) return option.get_name() + (is_several(option) ? "…" : "");
    std::string text = "--" + option.get_lnames().front();
    return is_flag(option) ? text : text + " " + option.get_type_name();
}

std::string in_usage(const CLI::Option& option) {
    std::string text = spelt(option);
    if (!option.get_required()) text = "[" + text + "]";
    return !option.get_positional() && is_several(option) ? text + "…" : text;
}

std::vector<const CLI::Option*> own_options(const CLI::App& app) {
    return app.get_options([](const CLI::Option* option) { return !is_common(*option); });
}

const CLI::App& called(const CLI::App& app) {
    const auto inner = app.get_subcommands();
    return inner.empty() ? app : called(*inner.front());
}

std::vector<const CLI::App*> subcommands(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App*) { return true; });
}

// `label` before the first of `lines`, and the others below it.
std::string labelled_lines(const std::string& label, const std::string& lines) {
    std::string text = label;
    for (const char c : lines) {
        text += c;
        if (c == '\n') text += std::string(display_width(label), ' ');
    }
    return text + "\n";
}

// `label` and the words behind it, on as many lines as it takes.
std::string wrapped(const std::string& label, const std::vector<std::string>& words) {
    constexpr std::size_t widest = 110;
    std::string text = label;
    std::size_t column = display_width(label);
    for (const auto& word : words) {
        const std::size_t width = display_width(word) + 1;
        if (column + width > widest) {
            text += "\n" + std::string(display_width(label), ' ');
            column = display_width(label);
        }
        text += " " + word;
        column += width;
    }
    return text + "\n";
}

// The first sentence, without its full stop.
std::string first_sentence(const std::string& text) {
    const auto end = text.find(". ");
    if (end != std::string::npos) return text.substr(0, end);
    return !text.empty() && text.back() == '.' ? text.substr(0, text.size() - 1) : text;
}

// Two columns; the left one as wide as its widest.
std::string two_columns(const std::vector<std::pair<std::string, std::string>>& rows) {
    std::size_t width = 0;
    for (const auto& [left, right] : rows) width = std::max(width, display_width(left));
    std::string text;
    for (const auto& [left, right] : rows)
        text += labelled_lines("  " + left + std::string(width - display_width(left) + 2, ' '), right);
    return text;
}

}  // namespace

CommandLine::CommandLine()
    : root_(std::make_unique<CLI::App>(
          "Stele keeps an append-only log of events, rebuilds read models from it, and replays aggregates.",
          "stele")) {
    root_->require_subcommand(0, 1);
    add_common_options(*root_);
    flag(*root_, "--version", version_, "print the version");
    root_->get_option("--version")->group(common_group);
}

CommandLine::~CommandLine() = default;

void CommandLine::add_common_options(CLI::App& app) {
    app.set_help_flag("-h,--help", "print what the command does");
    text(app, "--store", "PATH", globals_.store, "the store's folder; else STELE_STORE, else what stele.toml says");
    text(app, "--project", "DIR", globals_.project, "the folder with stele.toml; else this folder or one above");
    flag(app, "--json", globals_.json, "print JSON, one object a line; errors too, on standard error");
    for (const char* option : {"--help", "--store", "--project", "--json"})
        app.get_option(option)->group(common_group);
}

CLI::App& CommandLine::add(CLI::App& group, const About& about, Run run) {
    CLI::App& app = *group.add_subcommand(about.name, about.purpose);
    app.require_subcommand(0, 1);
    add_common_options(app);
    entries_.emplace(&app, Entry{about, std::move(run)});
    return app;
}

CLI::App& CommandLine::group(const char* name, const char* purpose) {
    CLI::App& app = *root_->add_subcommand(name, purpose);
    app.require_subcommand(0, 1);
    add_common_options(app);
    return app;
}

CommandLine::Call CommandLine::parse(int argc, char** argv) {
    try {
        root_->parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return {{}, help(called(*root_))};
    } catch (const CLI::ExtrasError&) {
        const CLI::App& app = called(*root_);
        throw unknown_word(app, app.remaining().empty() ? std::string{} : app.remaining().front());
    } catch (const CLI::ParseError& error) {
        throw usage_failure(full_name(called(*root_)), error.what());
    }
    const CLI::App& app = called(*root_);
    if (version_) return {{}, std::string("stele ") + STELE_VERSION + "\n"};
    const auto entry = entries_.find(&app);
    if (entry == entries_.end()) throw usage_failure(full_name(app), "which command?");
    return {entry->second.run, {}};
}

Failure CommandLine::unknown_word(const CLI::App& app, const std::string& word) const {
    const std::string name = full_name(app);
    std::vector<std::string> known;
    if (word.rfind('-', 0) == 0) {
        for (const auto* option : app.get_options())
            for (const auto& spelling : option->get_lnames()) known.push_back("--" + spelling);
        const auto meant = nearest(word.substr(0, word.find('=')), known);
        Failure failure = usage_failure(name, "no option " + word);
        return meant ? std::move(failure).hint(name + " " + *meant) : std::move(failure);
    }
    const auto commands = subcommands(app);
    if (commands.empty()) return usage_failure(name, "one argument too many: \"" + word + "\"");
    for (const auto* command : commands) known.push_back(command->get_name());
    const auto meant = nearest(word, known);
    Failure failure = usage_failure(name, "no command \"" + word + "\"");
    return meant ? std::move(failure).hint(name + " " + *meant) : std::move(failure);
}

std::string CommandLine::help(const CLI::App& app) const {
    const auto entry = entries_.find(&app);
    return entry == entries_.end() ? help_of_group(app) : help_of_command(app, entry->second);
}

std::string CommandLine::help_of_group(const CLI::App& app) const {
    std::string text = app.get_description() + "\nusage: " + full_name(app) + " COMMAND …\n";
    std::vector<std::pair<std::string, std::string>> commands;
    for (const auto* command : subcommands(app))
        commands.emplace_back(command->get_name(), first_sentence(command->get_description()));
    text += two_columns(commands);
    if (app.get_parent() == nullptr) {
        text += "for every command:\n";
        std::vector<std::pair<std::string, std::string>> options;
        for (const auto* option : app.get_options([](const CLI::Option* option) { return is_common(*option); }))
            options.emplace_back(spelt(*option), option->get_description());
        text += two_columns(options);
        text += "exit status: 0 done · 1 failed · 2 command line · 3 conflict · 4 not found · 5 damage found\n";
    }
    return text + "more: " + full_name(app) + " COMMAND --help\n";
}

std::string CommandLine::help_of_command(const CLI::App& app, const Entry& entry) const {
    const auto options = own_options(app);
    std::vector<std::string> words;
    for (const auto* option : options)
        if (option->get_positional()) words.push_back(in_usage(*option));
    for (const auto* option : options)
        if (!option->get_positional()) words.push_back(in_usage(*option));
    words.emplace_back("[--json]");

    std::vector<std::pair<std::string, std::string>> rows;
    for (const auto* option : options) rows.emplace_back(spelt(*option), option->get_description());
    rows.emplace_back("--json", "print JSON, one object a line");

    return std::string(entry.about.purpose) + "\n" + wrapped("usage: " + full_name(app), words) +
           two_columns(rows) +
           labelled_lines(
               std::string(entry.about.examples).find('\n') == std::string::npos ? "example: " : "examples: ",
               entry.about.examples) +
           labelled_lines("exit status: ", entry.about.exit_status);
}

}  // namespace stele::tool
