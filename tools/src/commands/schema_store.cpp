// stele schema add, list, show, mode: the schemas that a store keeps.
#include "../event_output.hpp"
#include "../options.hpp"
#include "../schema_files.hpp"
#include "../suggest.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>

namespace stele::tool {
namespace {

namespace fs = std::filesystem;
using Align = Table::Align;

std::string label(const std::string& type, int version) { return type + " v" + std::to_string(version); }

// ---- add

struct AddArguments {
    std::vector<std::string> what;
};

// Of all that the project declares, what was asked for: files, or types; everything where nothing was named.
EventTypes chosen(const EventTypes& declared, const std::vector<std::string>& what) {
    if (what.empty()) return declared.without_upcasters();
    EventTypes types;
    for (const auto& word : what) {
        bool found = false;
        std::vector<std::string> known;
        for (const auto& [kind, schema] : declared.schemas()) {
            std::error_code ignored;
            const bool is_file = !schema.file().empty() && fs::equivalent(schema.file(), word, ignored);
            if (kind.type == word || is_file) {
                if (types.schema(kind.type, kind.version) == nullptr) types.add(kind.type, kind.version, schema);
                found = true;
            }
            known.push_back(kind.type);
        }
        if (found) continue;
        const auto meant = nearest(word, known);
        throw Failure{Exit::not_found,
                      "not_found",
                      "no schema of \"" + word + "\" in the folder of schemas",
                      {{"schema", word}}}
            .hint(meant ? "stele schema add " + *meant : "a file schemas/" + word + ".v1.json");
    }
    return types;
}

Exit add(const AddArguments& arguments, Context& context) {
    const auto types = chosen(context.event_types(), arguments.what);
    EventStore store = context.open_existing(Context::Events::stored);
    const auto recorded = store.record_schemas(types);
    for (const auto& schema : recorded) {
        if (context.json()) {
            context.out().json(
                {{"type", schema.type}, {"version", schema.version}, {"fingerprint", schema.fingerprint}});
        } else {
            context.out().line(printable(label(schema.type, schema.version)) + ": recorded");
        }
    }
    if (!context.json()) {
        const auto known = types.schemas().size() - recorded.size();
        if (known > 0) context.out().line(counted(static_cast<std::int64_t>(known), "schema") + " known already");
        if (types.schemas().empty()) note("there is no schema to record: see stele schema infer");
    }
    return Exit::done;
}

// ---- list

struct Row {
    const RecordedSchema* recorded = nullptr;
    std::string file;
    std::string upcaster;
    std::int64_t seen = 0;
};

Exit list_schemas(Context& context) {
    const auto& declared = context.event_types();
    const EventStore store = context.open_existing(Context::Events::stored);
    const auto recorded = store.schemas();
    std::map<TypeVersion, Row> rows;
    for (const auto& schema : recorded) rows[{schema.type, schema.version}].recorded = &schema;
    for (const auto& known : declared.known()) {
        rows[known.kind].file = known.schema;
        rows[known.kind].upcaster = known.upcaster;
    }
    auto read = all();
    read.only({.id = false, .data = false, .metadata = false, .tags = false});
    TypeVersion kind;
    for (const Event& event : store.read(read)) {
        kind.type = event.type;
        kind.version = event.schema_version;
        ++rows[kind].seen;
    }

    Table table{
        context.out(),
        {{"TYPE"}, {"VERSION", Align::right}, {"EVENTS", Align::right}, {"SCHEMA"}, {"SINCE"}, {"UPCASTER"}}};
    for (const auto& [of, row] : rows) {
        if (context.json()) {
            nlohmann::ordered_json line{{"type", of.type}, {"version", of.version}, {"count", row.seen}};
            line["recorded"] = row.recorded != nullptr;
            line["since"] =
                row.recorded != nullptr ? nlohmann::json(to_rfc3339(row.recorded->since)) : nlohmann::json{};
            line["fingerprint"] =
                row.recorded != nullptr ? nlohmann::json(row.recorded->fingerprint) : nlohmann::json{};
            line["file"] = row.file.empty() ? nlohmann::json{} : nlohmann::json(row.file);
            line["upcaster"] = row.upcaster.empty() ? nlohmann::json{} : nlohmann::json(row.upcaster);
            context.out().json(line);
            continue;
        }
        const std::string schema = row.recorded != nullptr ? "recorded"
                                   : row.file.empty()      ? "none"
                                                           : "not recorded";
        table.row({of.type, std::to_string(of.version), std::to_string(row.seen), schema,
                   row.recorded != nullptr ? human_time(row.recorded->since) : "", row.upcaster});
    }
    table.flush_rows();
    if (!context.json()) context.out().line("mode: " + std::string{to_string(store.schema_mode())});
    return Exit::done;
}

// ---- show

struct ShowArguments {
    std::string type;
    std::optional<std::int64_t> version;
};

Exit show(const ShowArguments& arguments, Context& context) {
    const EventStore store = context.open_existing(Context::Events::stored);
    const auto recorded = store.schemas();
    const RecordedSchema* found = nullptr;
    std::vector<std::string> known;
    for (const auto& schema : recorded) {
        known.push_back(schema.type);
        const bool is_wanted = !arguments.version || schema.version == *arguments.version;
        if (schema.type == arguments.type && is_wanted) found = &schema;  // the newest comes last
    }
    if (found == nullptr) {
        const auto meant = nearest(arguments.type, known);
        const auto version = arguments.version ? " v" + std::to_string(*arguments.version) : "";
        throw Failure{Exit::not_found,
                      "not_found",
                      store.name() + ": no schema of " + arguments.type + version + " is recorded",
                      {{"type", arguments.type}}}
            .hint(meant && *meant != arguments.type ? "stele schema show " + *meant : "stele schema list");
    }
    if (context.json()) {
        context.out().json({{"type", found->type},
                            {"version", found->version},
                            {"since", to_rfc3339(found->since)},
                            {"fingerprint", found->fingerprint},
                            {"schema", nlohmann::ordered_json::parse(found->document.text())}});
    } else {
        context.out().line(found->document.text());
    }
    return Exit::done;
}

// ---- mode

Exit mode(const std::optional<std::string>& word, Context& context) {
    EventStore store = context.open_existing(Context::Events::stored);
    if (word) {
        try {
            store.set_schema_mode(parse_schema_mode(*word, "MODE"));
        } catch (const InvalidInput& error) {
            throw usage_failure("stele schema mode", error.what());
        }
    }
    const std::string now{to_string(store.schema_mode())};
    if (context.json()) {
        context.out().json({{"mode", now}});
    } else {
        context.out().line(now);
    }
    return Exit::done;
}

}  // namespace

void add_schema_store(CommandLine& line, CLI::App& group) {
    const auto to_add = std::make_shared<AddArguments>();
    CLI::App& add_app = line.add(
        group,
        {"add",
         "Record schemas of the project's folder in the store: appends of every process are checked by them from\n"
         "then on. `stele append` and `stele import` do so by themselves. What is recorded stays: a schema is\n"
         "changed by adding its next version.",
         "stele schema add\n"
         "stele schema add SiteCreated schemas/BackupFailed.v2.json",
         "0 recorded, or known already · 1 a version is recorded with another schema; nothing was recorded ·\n"
         "2 command line · 4 no such store or schema"},
        [to_add](Context& context) { return add(*to_add, context); });
    arguments(add_app, "FILE|TYPE", to_add->what, "files or types; all of the folder where none is named");

    line.add(group,
             {"list",
              "List types and versions: how many events are stored of each, whether its schema is recorded in the\n"
              "store, and the upcaster that makes the next version of it. Reads the whole log.",
              "stele schema list --json", "0 done · 1 failed · 2 command line · 4 no such store"},
             list_schemas);

    const auto to_show = std::make_shared<ShowArguments>();
    CLI::App& show_app = line.add(group,
                                  {"show", "Print a schema as it is recorded.", "stele schema show SiteCreated 2",
                                   "0 done · 1 failed · 2 command line · 4 no such store or schema"},
                                  [to_show](Context& context) { return show(*to_show, context); });
    argument(show_app, "TYPE", to_show->type, "the type");
    number(show_app, "VERSION", "VERSION", to_show->version, 1, "the newest one if absent");

    const auto wanted = std::make_shared<std::optional<std::string>>();
    CLI::App& mode_app =
        line.add(group,
                 {"mode",
                  "Print or set what appends of every process are checked for.\n"
                  "  off       nothing\n"
                  "  declared  events of types that have a recorded schema (the default)\n"
                  "  strict    the same, and events whose type and version have none are refused",
                  "stele schema mode strict", "0 done · 1 failed · 2 command line · 4 no such store"},
                 [wanted](Context& context) { return mode(*wanted, context); });
    optional_argument(mode_app, "off|declared|strict", *wanted, "the new mode");
}

}  // namespace stele::tool
