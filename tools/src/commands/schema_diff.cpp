// stele schema diff: what changed between two versions of a schema.
#include "../options.hpp"
#include "../schema_files.hpp"
#include "commands.hpp"

#include <stele/schema/schema_compatibility.hpp>

#include <memory>

namespace stele::tool {
namespace {

struct SchemaDiffArguments {
    std::string type;
    std::optional<std::string> from;
    std::optional<std::string> to;
};

int version_in(const std::string& word) {
    const auto digits = word.starts_with('v') ? word.substr(1) : word;
    if (digits.empty() || digits.size() > 9 || digits.find_first_not_of("0123456789") != std::string::npos) {
        throw usage_failure("stele schema diff", "expected a version, such as 2 or v2, found \"" + word + '"');
    }
    return std::stoi(digits);
}

const KnownSchema& version_of(const SchemaVersions& versions, int version, const std::string& type) {
    const auto known = versions.find(version);
    if (known != versions.end()) return known->second;
    std::string there;
    for (const auto& [number, schema] : versions) (there += there.empty() ? "" : ", ") += std::to_string(number);
    throw Failure{Exit::not_found,
                  "not_found",
                  type + ": no schema of version " + std::to_string(version) + "; there are: " + there,
                  {{"type", type}, {"version", version}}};
}

void print(const KnownSchema& older, const KnownSchema& newer, const SchemaComparison& comparison,
           Context& context) {
    if (context.json()) {
        auto changes = nlohmann::ordered_json::array();
        for (const auto& change : comparison.changes) {
            changes.push_back({{"pointer", change.pointer},
                               {"what", change.what},
                               {"backward", to_string(change.backward)},
                               {"forward", to_string(change.forward)},
                               {"why", change.why}});
        }
        return context.out().json({{"type", newer.type},
                                   {"from", older.version},
                                   {"to", newer.version},
                                   {"backward", to_string(comparison.backward)},
                                   {"forward", to_string(comparison.forward)},
                                   {"changes", std::move(changes)},
                                   {"patch", comparison.patch}});
    }
    auto& out = context.out();
    const auto broken = [](Holds backward, Holds forward) {
        const auto word = [](const char* direction, Holds holds) {
            if (holds == Holds::yes) return std::string();
            return std::string(direction) + (holds == Holds::no ? ": breaks" : ": cannot tell");
        };
        const auto first = word("backward", backward);
        const auto second = word("forward", forward);
        return first + (!first.empty() && !second.empty() ? ", " : "") + second;
    };
    out.line(newer.type + " v" + std::to_string(older.version) + " -> v" + std::to_string(newer.version) +
             ": backward: " + std::string(to_string(comparison.backward)) +
             ", forward: " + std::string(to_string(comparison.forward)));
    if (comparison.changes.empty()) return out.line("  no difference in what they say");
    for (const auto& change : comparison.changes) {
        const auto whom = broken(change.backward, change.forward);
        out.line("  " + (change.pointer.empty() ? "(all)" : change.pointer) + ": " + change.what +
                 (whom.empty() ? "" : "  [" + whom + "]"));
        if (!change.why.empty()) out.line("      " + change.why);
    }
}

Exit run_schema_diff(const SchemaDiffArguments& arguments, Context& context) {
    if (arguments.from && !arguments.to) {
        throw usage_failure("stele schema diff", "expected two versions or none, found one");
    }
    const auto folder = schema_folder(context);
    const auto schemas = schemas_in(folder);
    const auto& versions = versions_of(schemas, arguments.type, shown_from_here(folder));
    if (!arguments.from && versions.size() < 2) {
        note(arguments.type + ": there is one version, and nothing to compare it with");
        return Exit::done;
    }
    const auto last = versions.rbegin();
    const auto& older = arguments.from ? version_of(versions, version_in(*arguments.from), arguments.type)
                                       : std::next(last)->second;
    const auto& newer =
        arguments.to ? version_of(versions, version_in(*arguments.to), arguments.type) : last->second;
    print(older, newer, compare_schemas(older.schema, newer.schema), context);
    return Exit::done;
}

}  // namespace

void add_schema_diff(CommandLine& line, CLI::App& group) {
    const auto arguments = std::make_shared<SchemaDiffArguments>();
    CLI::App& app =
        line.add(group,
                 {"diff",
                  "Say what changed between two versions of a type's schema, and whom each change breaks; by "
                  "default the two\n"
                  "newest. With --json there is a JSON Patch too, which makes the newer document of the older one.",
                  "stele schema diff SiteCreated\n"
                  "stele schema diff SiteCreated 1 3 --json",
                  "0 done · 1 failed · 2 command line · 4 no such type or version"},
                 [arguments](Context& context) { return run_schema_diff(*arguments, context); });
    argument(app, "TYPE", arguments->type, "the type of event");
    optional_argument(app, "V1", arguments->from, "the older version");
    optional_argument(app, "V2", arguments->to, "the newer version");
}

}  // namespace stele::tool
