// stele projection check: is a read model what its projection makes of the log?
#include "../chosen_projections.hpp"
#include "../interrupt.hpp"
#include "../options.hpp"
#include "../progress.hpp"
#include "../stop_on_interrupt.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/projections/check.hpp>

#include <chrono>
#include <memory>
#include <random>

namespace stele::tool {
namespace {

constexpr auto check_command = "stele projection check";
constexpr std::int64_t rows_of_a_sample = 1'000;

struct ProjectionCheckArguments {
    std::vector<std::string> names;
    bool all = false;
    bool sample = false;
    std::optional<std::int64_t> rows;
    std::optional<std::int64_t> seed;
    std::optional<std::int64_t> nice;
};

// As JSON, or as a string what JSON cannot say.
nlohmann::ordered_json to_json(const Value& value) {
    auto parsed = nlohmann::ordered_json::parse(to_text(value), nullptr, false);
    return parsed.is_discarded() ? nlohmann::ordered_json(to_text(value)) : parsed;
}

const char* word(Difference::Kind kind) {
    switch (kind) {
        case Difference::Kind::value:
            return "value";
        case Difference::Kind::missing:
            return "missing";
        case Difference::Kind::extra:
            return "extra";
        case Difference::Kind::count:
            return "count";
        case Difference::Kind::definition:
            return "definition";
        case Difference::Kind::file:
            return "file";
    }
    return "";
}

nlohmann::ordered_json to_json(const Difference& difference) {
    auto key = nlohmann::ordered_json::object();
    for (const auto& [name, value] : difference.key) key[name] = to_json(value);
    const bool has_values =
        difference.kind != Difference::Kind::missing && difference.kind != Difference::Kind::extra;
    nlohmann::ordered_json json{{"what", word(difference.kind)}, {"table", difference.table}, {"key", key}};
    if (!difference.column.empty()) json["column"] = difference.column;
    if (has_values) json["stored"] = to_json(difference.stored);
    if (has_values && difference.kind != Difference::Kind::file) json["computed"] = to_json(difference.computed);
    return json;
}

// `tenant_stats {tenant: "acme"}: sites is 3, expected 2`
std::string sentence(const Difference& difference) {
    std::string key;
    for (const auto& [name, value] : difference.key)
        key += (key.empty() ? "" : ", ") + name + ": " + to_text(value);
    const std::string row = difference.table + " {" + key + "}";
    const auto is_there = [](const Value& value) { return !std::holds_alternative<std::nullptr_t>(value); };
    switch (difference.kind) {
        case Difference::Kind::value:
            return row + ": " + difference.column + " is " + to_text(difference.stored) + ", expected " +
                   to_text(difference.computed);
        case Difference::Kind::missing:
            return row + ": is missing";
        case Difference::Kind::extra:
            return row + ": is there, and the log makes no such row";
        case Difference::Kind::count:
            return difference.table + ": has " + to_text(difference.stored) + " rows, expected " +
                   to_text(difference.computed);
        case Difference::Kind::definition:
            if (!is_there(difference.stored)) return difference.table + ": is missing";
            if (!is_there(difference.computed))
                return difference.table + ": is there, and the definition makes no such thing";
            return difference.table + ": is defined as " + to_text(difference.stored) + ", expected " +
                   to_text(difference.computed);
        case Difference::Kind::file:
            return "the file is damaged: " + to_text(difference.stored);
    }
    return row;
}

struct Timed {
    const Checked& checked;
    double seconds;
};

void print_json(const Timed& timed, const CheckOptions& options, Output& out) {
    const auto& checked = timed.checked;
    auto tables = nlohmann::ordered_json::array();
    for (const auto& table : checked.tables)
        tables.push_back({{"table", table.name},
                          {"rows", table.rows},
                          {"compared", table.compared},
                          {"differences", table.differences}});
    auto first = nlohmann::ordered_json::array();
    for (const auto& difference : checked.first) first.push_back(to_json(difference));
    nlohmann::ordered_json line{{"name", checked.generation.name},
                                {"generation", checked.generation.number},
                                {"position", checked.generation.position.value()},
                                {"ok", checked.ok()},
                                {"tables", tables},
                                {"differences", checked.differences},
                                {"first", first},
                                {"events", checked.events}};
    if (options.sample) {
        line["sample"] = *options.sample;
        line["seed"] = options.seed;
    }
    line["seconds"] = timed.seconds;
    out.json(line);
}

void print(const Timed& timed, const CheckOptions& options, Output& out) {
    const auto& checked = timed.checked;
    const auto differences =
        checked.ok() ? std::string{"no difference"} : counted(checked.differences, "difference");
    out.line(checked.generation.name + ": generation " + std::to_string(checked.generation.number) +
             " at position " + std::to_string(checked.generation.position.value()) + ": " + differences + ", " +
             counted(checked.events, "event") + " folded" +
             (options.sample ? ", sampled with --seed " + std::to_string(options.seed) : "") + ", in " +
             human_seconds(timed.seconds));
    for (const auto& table : checked.tables) {
        const bool partly = table.compared < table.rows;
        out.line("  " + printable(table.name) + ": " + (partly ? grouped(table.compared) + " of " : "") +
                 counted(table.rows, "row") + " compared" +
                 (table.differences > 0 ? ", " + counted(table.differences, "difference") : ""));
    }
    for (const auto& difference : checked.first) out.line("  - " + printable(sentence(difference)));
    const auto more = checked.differences - static_cast<std::int64_t>(checked.first.size());
    if (more > 0) out.line("  … and " + grouped(more) + " more");
}

Exit check_one(const EventStore& store, const Projection& projection, CheckOptions options, Context& context) {
    const auto start = std::chrono::steady_clock::now();
    Progress progress{"check " + projection.name(), "events"};
    options.progress = [&](const FoldProgress& fold) {
        progress.update(fold.events, fold.position.value(), fold.target.value());
    };
    const auto checked = check(store, projection, options);
    progress.clear();
    if (!checked)
        throw Failure{Exit::failed, "interrupted",
                      store.name() + ": check of projection \"" + projection.name() + "\" interrupted"};
    const Timed timed{*checked, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()};
    if (context.json()) {
        print_json(timed, options, context.out());
    } else {
        print(timed, options, context.out());
        if (!checked->ok()) note("try: stele projection rebuild " + projection.name());
    }
    return checked->ok() ? Exit::done : Exit::damage;
}

Exit run_projection_check(const ProjectionCheckArguments& arguments, Context& context) {
    const auto [projections, known] = choose_projections(arguments.names, arguments.all, check_command, context);
    const EventStore store = context.open_existing();
    const Interrupt interrupt;
    std::stop_source stop;
    const StopOnInterrupt stopper{[&] { stop.request_stop(); }, interrupt};

    CheckOptions options;
    options.stop = stop.get_token();
    if (arguments.nice) options.niceness = static_cast<int>(*arguments.nice);
    if (arguments.sample) {
        options.sample = static_cast<std::size_t>(arguments.rows.value_or(rows_of_a_sample));
        options.seed = arguments.seed ? static_cast<std::uint64_t>(*arguments.seed) : std::random_device{}();
    }
    Exit status = Exit::done;
    const auto worst = [&](Exit other) {
        if (status != Exit::damage && other != Exit::done) status = other;
    };
    for (const auto& projection : projections) {
        try {
            worst(check_one(store, *projection, options, context));
        } catch (const Error& error) {
            // One that cannot be checked is no reason to trust the others unseen.
            if (interrupt.requested() || projections.size() == 1) throw;
            worst(report(error, context.json()));
        }
    }
    if (arguments.all) worst(known.report_broken_files(Exit::done, context.json()));
    return status;
}

}  // namespace

void add_projection_check(CommandLine& line, CLI::App& group) {
    const auto arguments = std::make_shared<ProjectionCheckArguments>();
    CLI::App& app = line.add(
        group,
        {"check",
         "Build a projection afresh beside its read model, up to the same position, and compare the two row by "
         "row.\n"
         "Changes nothing, and disturbs neither readers nor whoever advances it. The first rows that differ are "
         "named.",
         "stele projection check tenant_stats\n"
         "stele projection check --all --sample",
         "0 no difference · 1 could not be checked · 2 command line · 4 no such projection, or never built ·\n"
         "5 differences found"},
        [arguments](Context& context) { return run_projection_check(*arguments, context); });
    tool::arguments(app, "NAME", arguments->names, "a projection of the project, or a .sql file that defines one");
    flag(app, "--all", arguments->all, "all of the project's");
    flag(app, "--sample", arguments->sample,
         "cheaply: go on from where the last such check was, and compare rows drawn at random");
    number(app, "--rows", "N", arguments->rows, 1, "with --sample: so many rows of each table; 1000 if absent");
    number(app, "--seed", "N", arguments->seed, 0, "with --sample: draw the same rows again");
    nice(app, arguments->nice);
    needs(app, "--rows", "--sample");
    needs(app, "--seed", "--sample");
}

}  // namespace stele::tool
