// stele projection test: the given/expect cases that stand beside projections.
#include "../chosen_projections.hpp"
#include "../options.hpp"
#include "../row_difference.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/projections/projection_tests.hpp>
#include <stele/projections/sql_projection.hpp>

#include <filesystem>
#include <memory>

namespace stele::tool {
namespace {

namespace fs = std::filesystem;
constexpr auto test_command = "stele projection test";

struct ProjectionTestArguments {
    std::vector<std::string> names;
    bool all = false;
};

struct Tested {
    std::int64_t projections = 0;
    std::int64_t without_tests = 0;
    std::int64_t passed = 0;
    std::int64_t failed = 0;
};

// Where the tests of a projection stand; empty for one that is not a file's.
fs::path test_file_of(const Projection& projection) {
    const auto* sql = dynamic_cast<const SqlProjection*>(&projection);
    return sql == nullptr ? fs::path{} : ProjectionTests::file_beside(sql->file());
}

// x.test.sql names the projection in x.sql.
std::vector<std::string> projections_named(std::vector<std::string> names) {
    constexpr std::string_view ending = ".test.sql";
    for (auto& name : names)
        if (ProjectionTests::is_test_file(name)) name.replace(name.size() - ending.size(), ending.size(), ".sql");
    return names;
}

// Rows that JSON can say, as JSON.
nlohmann::ordered_json to_json(const std::vector<std::string>& rows) {
    auto array = nlohmann::ordered_json::array();
    for (const auto& row : rows) {
        auto parsed = nlohmann::ordered_json::parse(row, nullptr, false);
        array.push_back(parsed.is_discarded() ? nlohmann::ordered_json(row) : std::move(parsed));
    }
    return array;
}

void print_json(const Projection& projection, const ProjectionTest& test, const ProjectionTestResult& result,
                Output& out) {
    nlohmann::ordered_json line{{"projection", projection.name()},
                                {"test", test.name},
                                {"file", test.file},
                                {"line", result.passed ? test.line : result.line},
                                {"passed", result.passed}};
    if (!result.query.empty()) {
        line["query"] = result.query;
        line["expected"] = to_json(result.expected);
        line["found"] = to_json(result.found);
    }
    line["error"] = result.reason.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(result.reason);
    out.json(line);
}

// The lines of a query as they stand in the file, without the empty ones at its end.
void print_query(std::string_view query, Output& out) {
    while (!query.empty()) {
        const auto end = query.find('\n');
        const auto line = query.substr(0, end);
        if (line.find_first_not_of(" \t\r") != std::string_view::npos) out.line("  " + printable(line));
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    }
}

void print_failure(const ProjectionTest& test, const ProjectionTestResult& result, Output& out) {
    out.line(printable(test.file) + ":" + std::to_string(result.line) + ": failed: " + printable(test.name));
    if (!result.reason.empty()) return out.line("  " + printable(result.reason));
    print_query(result.query, out);
    const auto rows = [](std::size_t count) { return counted(static_cast<std::int64_t>(count), "row"); };
    out.line("  expected " + rows(result.expected.size()) + " (-), found " + rows(result.found.size()) + " (+):");
    for (const auto& line : row_difference(result.expected, result.found)) out.line("  " + printable(line));
}

void test_one(const Projection& projection, const fs::path& file, Tested& tested, Context& context) {
    std::int64_t passed = 0;
    const auto tests = ProjectionTests::load(file);
    for (const auto& test : tests) {
        const auto result = run_test(test, projection);
        ++(result.passed ? passed : tested.failed);
        if (context.json()) {
            print_json(projection, test, result, context.out());
        } else if (!result.passed) {
            print_failure(test, result, context.out());
        }
    }
    tested.passed += passed;
    if (!context.json())
        context.out().line(projection.name() + ": " + std::to_string(passed) + " of " +
                           counted(static_cast<std::int64_t>(tests.size()), "test") + " passed");
}

Exit run_projection_test(const ProjectionTestArguments& arguments, Context& context) {
    const bool all = arguments.all || arguments.names.empty();
    const auto [projections, known] =
        choose_projections(projections_named(arguments.names), all, test_command, context);
    Tested tested;
    Exit status = Exit::done;
    for (const auto& projection : projections) {
        const auto file = test_file_of(*projection);
        ++tested.projections;
        if (!file.empty() && fs::exists(file)) {
            try {
                test_one(*projection, file, tested, context);
            } catch (const Error& error) {
                // A file that cannot be read is no reason to leave the others untested.
                if (projections.size() == 1) throw;
                status = report(error, context.json());
            }
        } else if (all) {
            ++tested.without_tests;
            if (!context.json()) note(projection->name() + ": has no tests");
        } else {
            const auto where =
                file.empty() ? "projection \"" + projection->name() + "\": is not a file's, and has"
                             : file.string() + ": no such file; projection \"" + projection->name() + "\" has";
            throw Failure{Exit::not_found, "not_found", where + " no tests", {{"projection", projection->name()}}};
        }
    }
    if (!context.json() && projections.size() > 1)
        context.out().line(counted(tested.passed + tested.failed, "test") + " of " +
                           counted(tested.projections - tested.without_tests, "projection") + ": " +
                           grouped(tested.passed) + " passed, " + grouped(tested.failed) + " failed");
    if (tested.failed > 0) status = Exit::failed;
    return all ? known.report_broken_files(status, context.json()) : status;
}

}  // namespace

void add_projection_test(CommandLine& line, CLI::App& group) {
    const auto arguments = std::make_shared<ProjectionTestArguments>();
    CLI::App& app = line.add(
        group,
        {"test",
         "Run the tests that stand beside a projection, in FILE.test.sql for FILE.sql: events in, rows out. They\n"
         "need no store. Without a name: the tests of all projections of the project.",
         "stele projection test\n"
         "stele projection test projections/tenant_stats.sql",
         "0 passed · 1 a test failed, or could not be run · 2 command line · 4 no such projection, or no tests"},
        [arguments](Context& context) { return run_projection_test(*arguments, context); });
    tool::arguments(app, "NAME", arguments->names,
                    "a projection of the project, or the .sql file of it or its tests");
    flag(app, "--all", arguments->all, "all of the project's; the same as naming none");
}

}  // namespace stele::tool
