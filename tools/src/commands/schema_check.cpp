// stele schema check: whether new versions of schemas keep to what was promised, for CI.
#include "../options.hpp"
#include "../schema_files.hpp"
#include "commands.hpp"

#include <stele/schema/schema_compatibility.hpp>

#include <memory>

namespace stele::tool {
namespace {

struct SchemaCheckArguments {
    std::optional<std::string> type;
    std::optional<std::string> against;
    std::string demanded = "backward";
};

/// Two versions that follow one another; of one number where a published version was changed.
struct Step {
    const KnownSchema& older;
    const KnownSchema& newer;
    bool upcast = false;  ///< an upcaster makes the newer version of old data

    [[nodiscard]] bool rewritten() const {
        return older.version == newer.version && older.schema.fingerprint() != newer.schema.fingerprint();
    }
};

bool meets(const Step& step, const SchemaComparison& comparison, Compatibility demanded) {
    if (step.rewritten() || demanded == Compatibility::none) return !step.rewritten();
    // New readers get old data through the upcaster; `schema test` finds out whether what it makes of them fits.
    auto read = comparison;
    if (step.upcast) read.backward = Holds::yes;
    return read.meets(demanded);
}

bool matters(const SchemaChange& change, Compatibility demanded) {
    const bool backward = demanded == Compatibility::backward || demanded == Compatibility::full;
    const bool forward = demanded == Compatibility::forward || demanded == Compatibility::full;
    return (backward && change.backward != Holds::yes) || (forward && change.forward != Holds::yes);
}

void print(const Step& step, const SchemaComparison& comparison, Compatibility demanded, bool ok,
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
        return context.out().json({{"type", step.newer.type},
                                   {"from", step.older.version},
                                   {"to", step.newer.version},
                                   {"required", to_string(demanded)},
                                   {"ok", ok},
                                   {"backward", to_string(comparison.backward)},
                                   {"forward", to_string(comparison.forward)},
                                   {"upcaster", step.upcast},
                                   {"rewritten", step.rewritten()},
                                   {"older", step.older.place},
                                   {"newer", step.newer.place},
                                   {"changes", std::move(changes)}});
    }
    auto& out = context.out();
    const auto version = [](const KnownSchema& one) { return "v" + std::to_string(one.version); };
    std::string line = step.newer.type + ' ' + version(step.older) + " -> " + version(step.newer) + ": ";
    if (step.rewritten()) {
        out.line(line + "BREAKS: this version is another one in " + step.older.place +
                 "; add the next version instead");
    } else {
        line += ok ? "ok" : "BREAKS";
        line += " (backward: " + std::string(to_string(comparison.backward)) +
                ", forward: " + std::string(to_string(comparison.forward)) + ")";
        if (step.upcast) line += "; an upcaster reads old data: stele schema test checks it";
        out.line(line);
    }
    if (ok) return;
    for (const auto& change : comparison.changes) {
        if (!step.rewritten() && !matters(change, demanded)) continue;
        out.line("  " + (change.pointer.empty() ? "(all)" : change.pointer) + ": " + change.what +
                 (change.why.empty() ? "" : ": " + change.why));
    }
}

/// The version of `versions` that `newer` follows: the same one where it is there, else the one before it.
const KnownSchema* before(const SchemaVersions& versions, int newer, bool same_too) {
    auto at = same_too ? versions.upper_bound(newer) : versions.lower_bound(newer);
    return at == versions.begin() ? nullptr : &std::prev(at)->second;
}

Exit run_schema_check(const SchemaCheckArguments& arguments, Context& context) {
    const auto folder = schema_folder(context);
    const auto demanded = compatibility_from(arguments.demanded);
    const auto ours = schemas_in(folder);
    if (arguments.type) (void)versions_of(ours, *arguments.type, shown_from_here(folder));
    std::optional<SchemasByType> theirs;
    if (arguments.against && *arguments.against == "store") {
        theirs = recorded_schemas(context.open_existing(Context::Events::stored));
    } else if (arguments.against) {
        theirs = schemas_in(*arguments.against);
    }

    bool all_ok = true;
    int steps = 0;
    for (const auto& [type, versions] : ours) {
        if (arguments.type && *arguments.type != type) continue;
        for (const auto& [number, newer] : versions) {
            // Against others, versions that both have are compared too: one that was published stays as it is.
            const KnownSchema* older = before(versions, number, false);
            if (theirs) {
                const auto known = theirs->find(type);
                const auto* published = known == theirs->end() ? nullptr : before(known->second, number, true);
                if (published && (!older || published->version >= older->version)) older = published;
            }
            if (!older) continue;
            const Step step{*older, newer,
                            older->version + 1 == number && has_upcaster(folder, type, older->version)};
            const auto comparison = compare_schemas(older->schema, newer.schema);
            const bool ok = meets(step, comparison, demanded);
            print(step, comparison, demanded, ok, context);
            all_ok = all_ok && ok;
            ++steps;
        }
    }
    if (steps == 0) note("no version follows another one: there is nothing to compare");
    return all_ok ? Exit::done : Exit::failed;
}

}  // namespace

void add_schema_check(CommandLine& line, CLI::App& group) {
    const auto arguments = std::make_shared<SchemaCheckArguments>();
    CLI::App& app = line.add(
        group,
        {"check",
         "Compare each version of a schema with the one before it, and say whether new readers can read old data\n"
         "(backward) and old readers new data (forward), and which change breaks whom. Made for CI. Where it\n"
         "cannot be told, the demand is not met. Where a file TYPE.v1-v2.sql upcasts old data, backward is met.",
         "stele schema check\n"
         "stele schema check SiteCreated --require full\n"
         "stele schema check --against ../main/schemas",
         "0 all keep to what is demanded · 1 one breaks it · 2 command line · 4 no such type or folder"},
        [arguments](Context& context) { return run_schema_check(*arguments, context); });
    optional_argument(app, "TYPE", arguments->type, "only the schemas of this type");
    text(app, "--against", "WHERE", arguments->against,
         "compare with these too: `store`, or another folder of schemas. A version that is there already must be "
         "the "
         "same here");
    choice(app, "--require", {"backward", "forward", "full", "none"}, arguments->demanded,
           "what a new version must be; none: only unchanged where it is published");
}

}  // namespace stele::tool
