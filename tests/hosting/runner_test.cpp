// The example's projections on a Runner, behind the log and before append() returns: the same rows.
#include "platform.hpp"

#include <stele/projections/runner.hpp>

#include <fstream>
#include <iterator>

namespace hosting::test {
namespace {

using namespace std::chrono_literals;
using stele::ProjectionMode;
using stele::Runner;
using stele::WaitResult;

// The example's file with another heading.
std::shared_ptr<const stele::Projection> sql_projection(const std::string& name, const std::string& as,
                                                        ProjectionMode mode) {
    const auto path = std::string{HOSTING} + "/projections/" + name + ".sql";
    std::ifstream file{path};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    const auto heading = "--@ projection " + name + " version 1";
    const auto at = text.find(heading);
    REQUIRE(at != std::string::npos);
    const auto* const said = mode == ProjectionMode::sync ? "sync" : "async";
    text.replace(at, heading.size(), "--@ projection " + as + " version 1 mode " + said);
    return stele::SqlProjection::parse(text, path);
}

void append_in_pieces(EventStore& store, const std::vector<EventLine>& lines, const auto& after_each) {
    constexpr std::ptrdiff_t each = 40;
    for (auto from = lines.begin(); from != lines.end();) {
        const auto to = lines.end() - from > each ? from + each : lines.end();
        append(store, {from, to});
        from = to;
        after_each(static_cast<std::size_t>(from - lines.begin()));
    }
}

TEST_CASE("tenant_stats gives the same rows in SQL and in C++ behind the log and before append returns",
          "[hosting][runner]") {
    const auto mode = GENERATE(ProjectionMode::async, ProjectionMode::sync);
    CAPTURE(mode == ProjectionMode::sync);
    auto store = new_store();
    Runner runner{store};
    runner.add(sql_projection("tenant_stats", "tenant_stats", mode));
    runner.add(stele::projection(TenantStats{.mode = mode}));
    runner.start();
    const auto in_sql = runner.model("tenant_stats");
    const auto in_cpp = runner.model("tenant_stats_cpp");

    const auto lines = generated({2'000, 51, 8});
    append_in_pieces(store, lines, [&](std::size_t appended) {
        if (mode == ProjectionMode::async) {
            REQUIRE(runner.wait_for("tenant_stats", store.head(), 60s) == WaitResult::reached);
            REQUIRE(runner.wait_for("tenant_stats_cpp", store.head(), 60s) == WaitResult::reached);
        }
        const auto rows = stele::test::lines_of(in_sql.query(tenant_stats_query));
        CHECK(rows == stele::test::lines_of(in_cpp.query(tenant_stats_query)));
        if (appended % 400 != 0) return;
        CAPTURE(appended);
        CHECK(rows ==
              tenant_stats(facts_of({lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(appended)})));
    });
    CHECK(stele::test::lines_of(in_sql.query(tenant_stats_query)) == tenant_stats(facts_of(lines)));
}

// Every field of the envelope that the audit log keeps (P3).
TEST_CASE("an audit log that is written before append returns is the one that follows the log",
          "[hosting][runner]") {
    auto store = new_store();
    Runner runner{store};
    runner.add(sql_projection("audit_log", "audit_log", ProjectionMode::sync));
    runner.add(sql_projection("audit_log", "audit_log_async", ProjectionMode::async));
    runner.start();
    const auto lines = generated({600, 52});
    append_in_pieces(store, lines, [](std::size_t) {});

    constexpr auto everything = "SELECT * FROM audit_log ORDER BY position";
    const auto before = rows(store, "audit_log", everything);
    CHECK(rows(store, "audit_log", audit_log_query) == audit_log(facts_of(lines)));
    REQUIRE(runner.wait_for("audit_log_async", store.head(), 60s) == WaitResult::reached);
    CHECK(rows(store, "audit_log_async", everything) == before);
}

// The runner may be at the same projection's files just then: rebuild() says so, and is asked again.
void rebuild_when_free(const EventStore& store, const stele::Projection& projection) {
    for (;;) {
        try {
            stele::test::rebuild_now(store, projection);
            return;
        } catch (const stele::ProjectionError& error) {
            if (error.code() != "projection_busy") throw;
        }
    }
}

TEST_CASE("all projections are right behind a runner while they are rebuilt as well", "[hosting][runner]") {
    auto store = new_store();
    Runner runner{store};
    for (const auto& projection : projections()) runner.add(projection);
    runner.start();
    const auto lines = generated({3'000, 53, 10});
    int pieces = 0;
    append_in_pieces(store, lines, [&](std::size_t) {
        if (++pieces % 25 != 0) return;
        for (const auto& projection : projections()) {
            REQUIRE(runner.wait_for(projection->name(), store.head(), 60s) == WaitResult::reached);
            rebuild_when_free(store, *projection);
        }
    });
    CHECK(pieces == 75);
    for (const auto& projection : projections()) {
        REQUIRE(runner.wait_for(projection->name(), store.head(), 60s) == WaitResult::reached);
    }
    check_rows(store, lines);
}

}  // namespace
}  // namespace hosting::test
