// TableComparison: two read models, table by table and row by row, as streams: memory does not grow with them.
#pragma once

#include <stele/projections/check.hpp>

#include <stop_token>

struct sqlite3;

namespace stele {

class TableComparison {
public:
    struct Settings {
        std::optional<std::size_t> sample;  ///< rows of each table; empty: all
        std::uint64_t seed;
        std::size_t most_differences;
        std::stop_token stop;
    };

    /// `stored` is in a read transaction, and stays in it as long as this is used; nobody writes to `computed`.
    TableComparison(sqlite3* stored, sqlite3* computed, Settings settings)
        : stored_(stored), computed_(computed), settings_(std::move(settings)) {}

    /// Compares everything that check.hpp names, and adds what it finds to `checked`. False where it was stopped.
    /// Throws sql::SqlError.
    bool run(Checked& checked);

private:
    struct Columns;
    class Cursor;

    void compare_definitions();
    void examine_file();
    void compare_table(const std::string& table);
    void compare_all(const std::string& table, const Columns& columns, TableChecked& into);
    void compare_sample(const std::string& table, const Columns& columns, TableChecked& into);
    void compare_skipped();
    bool compare_row(const std::string& table, const Columns& columns, Cursor& stored, Cursor& computed,
                     TableChecked& into);
    void add(Difference difference, TableChecked* into);
    [[nodiscard]] bool stopped() const { return settings_.stop.stop_requested(); }

    sqlite3* stored_;
    sqlite3* computed_;
    Settings settings_;
    Checked* checked_ = nullptr;
};

}  // namespace stele
