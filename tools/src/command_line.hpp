// CommandLine: the commands there are, what their help says, and which one was called.
#pragma once

#include "context.hpp"
#include "failure.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace stele::tool {

/// What `--help` says of a command, beside its options.
struct About {
    const char* name;
    const char* purpose;      ///< what it does, in a sentence or two
    const char* examples;     ///< one a line
    const char* exit_status;  ///< `0 done · 1 …`
};

class CommandLine {
public:
    using Run = std::function<Exit(Context&)>;

    CommandLine();
    ~CommandLine();
    CommandLine(const CommandLine&) = delete;
    CommandLine& operator=(const CommandLine&) = delete;

    /// Adds a command, and returns where its options go. What `run` and the options refer to must stay as long as
    /// the CommandLine.
    CLI::App& add(const About& about, Run run) { return add(*root_, about, std::move(run)); }
    /// The same within a group.
    CLI::App& add(CLI::App& group, const About& about, Run run);
    /// Adds a word that commands stand behind, as `projection` in `projection rebuild`.
    CLI::App& group(const char* name, const char* purpose);

    /// What was asked for: a command to run, or a text to print.
    struct Call {
        Run run;           ///< empty: print
        std::string text;  ///< help or version
    };
    /// Throws Failure (command line) saying what is wrong and what may have been meant.
    [[nodiscard]] Call parse(int argc, char** argv);

    [[nodiscard]] const Globals& globals() const noexcept { return globals_; }

private:
    struct Entry {
        About about;
        Run run;
    };

    void add_common_options(CLI::App& app);
    [[nodiscard]] std::string help(const CLI::App& app) const;
    [[nodiscard]] std::string help_of_group(const CLI::App& app) const;
    [[nodiscard]] std::string help_of_command(const CLI::App& app, const Entry& entry) const;
    [[nodiscard]] Failure unknown_word(const CLI::App& app, const std::string& word) const;

    Globals globals_;
    bool version_ = false;
    std::unique_ptr<CLI::App> root_;
    std::map<const CLI::App*, Entry> entries_;
};

}  // namespace stele::tool
