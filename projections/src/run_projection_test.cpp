#include <stele/projections/projection_tests.hpp>
#include <stele/projections/rebuild.hpp>
#include <stele/projections/value.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace stele {
namespace {

using nlohmann::json;
using Expect = ProjectionTest::Expect;
using ExpectFailure = ProjectionTest::ExpectFailure;
using Given = ProjectionTest::Given;

bool equal(const json& expected, const Values& found) {
    return std::equal(expected.begin(), expected.end(), found.begin(), found.end(),
                      [](const json& value, const Value& is) { return equals(is, value); });
}

// A row by the names of columns, as one by their order. Empty, and the reason, where the names are others.
std::optional<json> in_column_order(const json& row, const std::vector<std::string>& columns, std::string& reason) {
    if (row.is_array()) return row;
    auto ordered = json::array();
    for (const auto& column : columns) {
        const auto value = row.find(column);
        if (value == row.end()) {
            reason =
                "the query gives a column \"" + column + "\", of which the row " + row.dump() + " says nothing";
            return std::nullopt;
        }
        ordered.push_back(*value);
    }
    for (const auto& item : row.items()) {
        if (std::find(columns.begin(), columns.end(), item.key()) != columns.end()) continue;
        reason = "the query gives no column \"" + item.key() + "\"";
        return std::nullopt;
    }
    return ordered;
}

// One test under way: its log, and the read model of what was given so far.
class TestRun {
public:
    TestRun(const ProjectionTest& test, const Projection& projection) : test_(test), projection_(projection) {}

    ProjectionTestResult result() {
        for (const auto& step : test_.steps) {
            std::visit([&](const auto& what) { take(what); }, step);
            if (!result_.passed) return result_;
        }
        build();
        if (error_) fail(test_.line, *error_);  // of which no expectation spoke
        return result_;
    }

private:
    void take(const Given& given) {
        for (const auto& line : given.events) {
            *clock_ = std::max(*clock_, *line.event.occurred_at);
            store_.append(line.stream, expect::any, {line.event});
        }
        built_ = false;
    }

    void take(const ExpectFailure& failure) {
        build();
        const auto message = error_ ? *error_ : error_of_last_skipped();
        if (!message) return fail(failure.line, "expected the last event to fail, found that it was taken in");
        if (message->find(failure.text) == std::string::npos) {
            return fail(failure.line,
                        "expected an error with \"" + failure.text + "\", found \"" + *message + "\"");
        }
        error_.reset();
        expected_failure_ = true;
    }

    void take(const Expect& expect) {
        build();
        if (error_) return fail(expect.line, *error_);
        try {
            compare(expect);
        } catch (const sql::DefinitionError& error) {
            fail(expect.line, error.what());
        }
    }

    void fail(int line, std::string reason) {
        result_.passed = false;
        result_.line = line;
        result_.reason = std::move(reason);
    }

    // From the first event on, so that no test depends on where earlier ones of its expectations stood.
    void build() {
        if (built_) return;
        built_ = true;
        RebuildOptions options;
        options.grace = {};
        try {
            rebuild(store_, projection_, options);
        } catch (const HandlerFailed& error) {
            // The rows are those of the events before it, as they are in a projection that has stopped.
            if (!expected_failure_) error_ = error.what();
            options.until = error.position().previous();
            rebuild(store_, projection_, options);
        }
    }

    std::optional<std::string> error_of_last_skipped() const {
        const auto model = ReadModel::open(store_, projection_.name());
        auto rows = model.query("SELECT error FROM stele_skipped WHERE position = " +
                                std::to_string(store_.head().value()));
        for (const Row& row : rows) return std::string{row.text(0)};
        return std::nullopt;
    }

    void compare(const Expect& expect) {
        const auto model = ReadModel::open(store_, projection_.name());
        auto rows = model.query(sql::SqlText{expect.query, test_.file, expect.query_line});
        const auto columns = rows.columns();
        std::vector<json> expected;
        for (const auto& row : expect.rows) {
            std::string reason;
            auto ordered = in_column_order(row, columns, reason);
            if (!ordered) return fail(expect.line, std::move(reason));
            expected.push_back(std::move(*ordered));
        }
        std::vector<Values> found;
        for (const Row& row : rows) found.push_back(values_of(row));

        if (!expect.in_order) sort_alike(expected, found);
        if (std::equal(expected.begin(), expected.end(), found.begin(), found.end(), equal)) return;
        fail(expect.line, "");
        result_.query = expect.query;
        for (const auto& row : expected) result_.expected.push_back(row.dump());
        for (const auto& row : found) result_.found.push_back(to_text(row));
    }

    // Puts the rows that are as expected first, in the same order on both sides.
    static void sort_alike(std::vector<json>& expected, std::vector<Values>& found) {
        auto same = std::size_t{0};
        for (auto row = expected.begin(); row != expected.end(); ++row) {
            const auto start = found.begin() + static_cast<std::ptrdiff_t>(same);
            const auto match = std::find_if(start, found.end(), [&](const Values& is) { return equal(*row, is); });
            if (match == found.end()) continue;
            std::iter_swap(match, start);
            std::iter_swap(row, expected.begin() + static_cast<std::ptrdiff_t>(same));
            ++same;
        }
    }

    const ProjectionTest& test_;
    const Projection& projection_;
    std::shared_ptr<Timestamp> clock_ = std::make_shared<Timestamp>();
    EventStore store_ =
        EventStore::temporary({.durability = Durability::relaxed, .clock = [clock = clock_] { return *clock; }});
    bool built_ = false;
    bool expected_failure_ = false;
    std::optional<std::string> error_;
    ProjectionTestResult result_;
};

}  // namespace

ProjectionTestResult run_test(const ProjectionTest& test, const Projection& projection) {
    return TestRun{test, projection}.result();
}

}  // namespace stele
