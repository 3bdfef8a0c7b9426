// ProjectionTests: what a projection's rows are to be, written beside it: events in, rows out.
//
// The tests of tenant_stats.sql stand in tenant_stats.test.sql, in sections as its own (directive_file.hpp):
//
//     --@ test a failed backup counts for the tenant of its site
//     --@ given
//     {"tenant":"acme","aggregate_type":"Site","aggregate_id":"s1","type":"SiteCreated","data":{}}
//     {"tenant":"acme","aggregate_type":"Site","aggregate_id":"s1","type":"BackupFailed","data":{}}
//     --@ expect
//     SELECT tenant, sites, failed_backups FROM tenant_stats
//     --@ rows
//     ["acme", 1, 1]
//
//   --@ test NAME           begins a test. Each starts from an empty log.
//   --@ given               events that are appended now: event lines, as an import takes them.
//   --@ expect              a query on the read model, as it is after all events given so far; and behind it either
//   --@ rows                its rows, in this order, one a line: a JSON array of the columns' values, or an object
//                           by their names, as `stele projection query --json` prints it; no line: no rows; or
//   --@ rows in any order   the same where the query does not say which comes first.
//   --@ expect failure      the last event given stops the projection (or, with on-error skip, is passed over), and
//                           the text behind stands in the message. Rows may be expected all the same: those of the
//                           events before it.
//
// Values are compared with their kind: null is NULL, 1 an INTEGER, 1.0 a REAL, true and false 1 and 0, a string a
// TEXT; an array or object is a TEXT that holds that JSON, however it is laid out. Blobs are asked for by hex().
//
// What an event line leaves out is the same in every run: the n-th event happened n seconds into 2026, and has the
// id 00000000-0000-4000-8000-00000000000n. Events are recorded when they happened; one that happened earlier than
// the event before it is recorded together with that one.
#pragma once

#include <stele/projections/projection.hpp>
#include <stele/schema/event_json.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stele {

struct ProjectionTest {
    /// Events that are appended.
    struct Given {
        std::vector<EventLine> events;
    };
    /// Rows that a query is to give.
    struct Expect {
        int line = 0;  ///< of the directive
        std::string query;
        int query_line = 0;
        std::vector<nlohmann::json> rows;  ///< arrays and objects
        bool in_order = true;
    };
    /// The last event is to fail.
    struct ExpectFailure {
        int line = 0;
        std::string text;  ///< in the message
    };

    std::string name;
    std::string file;
    int line = 0;
    std::vector<std::variant<Given, Expect, ExpectFailure>> steps;
};

class ProjectionTests {
public:
    /// Reads the file. Throws sql::DefinitionError naming file and line: another directive, an event line or a row
    /// that cannot be read, a test that expects nothing, a query without rows.
    [[nodiscard]] static std::vector<ProjectionTest> load(const std::filesystem::path& path);
    /// `file` names the text in messages.
    [[nodiscard]] static std::vector<ProjectionTest> parse(std::string_view text, std::string file);

    /// Where the tests of a projection's file stand: `x.test.sql` for `x.sql`.
    [[nodiscard]] static std::filesystem::path file_beside(const std::filesystem::path& projection_file);
    /// Whether it is named as files of tests are. Such a file in a folder of projections is no projection.
    [[nodiscard]] static bool is_test_file(const std::filesystem::path& path);
};

/// What came of a test: passed, or the first expectation that does not hold.
struct ProjectionTestResult {
    bool passed = true;
    int line = 0;                       ///< of that expectation
    std::string query;                  ///< that was asked, where rows differ
    std::vector<std::string> expected;  ///< its rows, as JSON arrays; in the order compared
    std::vector<std::string> found;
    std::string reason;  ///< where it is not rows that differ: what went wrong
};

/// Appends the events to a store of its own, builds the projection as every projection is built, and compares.
/// Throws StoreError and ProjectionError where the disk fails.
[[nodiscard]] ProjectionTestResult run_test(const ProjectionTest& test, const Projection& projection);

}  // namespace stele
