// stele init: a project folder with a worked example.
#include "../line_writer.hpp"
#include "../options.hpp"
#include "../template.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <array>
#include <filesystem>
#include <memory>

namespace stele::tool {
namespace {

namespace fs = std::filesystem;

struct InitArguments {
    std::optional<std::string> folder;
};

struct TemplateFile {
    const char* path;
    const char* text;
};

const std::array<TemplateFile, 6>& template_files() {
    static const std::array<TemplateFile, 6> files{
        {{"stele.toml", template_project},
         {"events.jsonl", template_events},
         {"projections/tenant_stats.sql", template_projection},
         {"projections/tenant_stats.test.sql", template_projection_tests},
         {"aggregates/Site.sql", template_aggregate},
         {"README.md", template_readme}}};
    return files;
}

void refuse_to_overwrite(const fs::path& folder) {
    for (const auto& file : template_files()) {
        const auto path = folder / file.path;
        if (fs::exists(path))
            throw Failure{Exit::failed,
                          "exists",
                          path.string() + ": is there already; nothing was written",
                          {{"file", path.string()}}}
                .hint("stele init with the name of a new folder");
    }
}

void write_file(const fs::path& path, std::string_view text) {
    std::error_code failed;
    fs::create_directories(path.parent_path(), failed);
    if (failed) throw Failure{Exit::failed, "output", path.parent_path().string() + ": " + failed.message()};
    LineWriter file{path.string()};
    // The text was embedded with a line feed before and behind it; the one behind it comes with line().
    file.line(text.substr(1, text.size() - 2));
    file.commit();
}

Exit run_init(const InitArguments& arguments, Context& context) {
    const fs::path folder = arguments.folder.value_or(".");
    refuse_to_overwrite(folder);
    auto written = nlohmann::ordered_json::array();
    for (const auto& file : template_files()) {
        write_file(folder / file.path, file.text);
        written.push_back(file.path);
    }
    if (context.json()) {
        context.out().json({{"folder", folder.string()}, {"files", written}});
        return Exit::done;
    }
    for (const auto& file : template_files()) context.out().line(printable((folder / file.path).string()));
    note((folder == "." ? std::string("try: ") : "try: cd " + folder.string() + " && ") +
         "stele import events.jsonl && stele projection rebuild --all");
    return Exit::done;
}

}  // namespace

void add_init(CommandLine& line) {
    const auto arguments = std::make_shared<InitArguments>();
    CLI::App& app =
        line.add({"init", "Make a project folder with a worked example: a few events, a read model, an aggregate.",
                  "stele init my-audit", "0 done · 1 failed; no file is ever overwritten · 2 command line"},
                 [arguments](Context& context) { return run_init(*arguments, context); });
    optional_argument(app, "DIR", arguments->folder, "the folder; this one if absent");
}

}  // namespace stele::tool
