#include "compare_tables.hpp"

#include <stele/schema/sql/statement.hpp>

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <random>
#include <set>

namespace stele {
namespace {

std::string quoted_name(const std::string& name) {
    std::string text = "\"";
    for (const char c : name) text += c == '"' ? "\"\"" : std::string(1, c);
    return text + "\"";
}

Value value_at(const sql::Statement& row, int column) {
    switch (sqlite3_column_type(row.get(), column)) {
        case SQLITE_INTEGER:
            return row.integer(column);
        case SQLITE_FLOAT:
            return row.real(column);
        case SQLITE_TEXT:
            return std::string{row.text(column)};
        case SQLITE_BLOB:
            return Blob{std::string{row.text(column)}};
        default:
            return nullptr;
    }
}

// Numbers of both kinds are one class, as in SQLite's order: NULL, numbers, texts, blobs.
int class_of(const sql::Statement& row, int column) {
    switch (sqlite3_column_type(row.get(), column)) {
        case SQLITE_NULL:
            return 0;
        case SQLITE_INTEGER:
        case SQLITE_FLOAT:
            return 1;
        case SQLITE_TEXT:
            return 2;
        default:
            return 3;
    }
}

template <class T>
int sign(const T& a, const T& b) {
    return a < b ? -1 : b < a ? 1 : 0;
}

// Two values in the order that ORDER BY … COLLATE BINARY has.
int order(const sql::Statement& a, const sql::Statement& b, int column) {
    const int kind = class_of(a, column);
    if (const int classes = sign(kind, class_of(b, column)); classes != 0 || kind == 0) return classes;
    if (kind != 1) return sign(a.text(column), b.text(column));
    const bool whole = sqlite3_column_type(a.get(), column) == SQLITE_INTEGER &&
                       sqlite3_column_type(b.get(), column) == SQLITE_INTEGER;
    if (whole) return sign(a.integer(column), b.integer(column));
    // A long double holds every 64-bit integer and every double.
    const auto number = [&](const sql::Statement& row) {
        return sqlite3_column_type(row.get(), column) == SQLITE_INTEGER
                   ? static_cast<long double>(row.integer(column))
                   : static_cast<long double>(row.real(column));
    };
    return sign(number(a), number(b));
}

bool same_value(const sql::Statement& a, const sql::Statement& b, int column) {
    if (sqlite3_column_type(a.get(), column) != sqlite3_column_type(b.get(), column)) return false;
    return order(a, b, column) == 0;
}

void bind(sql::Statement& statement, int parameter, const Value& value) {
    if (const auto* blob = std::get_if<Blob>(&value)) {
        sqlite3_bind_blob64(statement.get(), parameter, blob->bytes.data(), blob->bytes.size(), SQLITE_TRANSIENT);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
        statement.bind_copy(parameter, *text);
    } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
        statement.bind(parameter, *whole);
    } else if (const auto* real = std::get_if<double>(&value)) {
        statement.bind(parameter, *real);
    } else {
        statement.bind(parameter, nullptr);
    }
}

// The tables with rows of the projection's own, by name; those that a virtual table keeps are not among them.
std::set<std::string> tables_of(sqlite3* db) {
    sql::Statement list{db,
                        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') "
                        "AND name NOT LIKE 'stele\\_%' ESCAPE '\\' "
                        "AND (name NOT LIKE 'sqlite\\_%' ESCAPE '\\' OR name = 'sqlite_sequence')"};
    std::set<std::string> names;
    while (list.step()) names.emplace(list.text(0));
    return names;
}

std::map<std::string, std::string> definitions_of(sqlite3* db) {
    sql::Statement list{db,
                        "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL "
                        "AND name NOT LIKE 'stele\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"};
    std::map<std::string, std::string> all;
    while (list.step()) all.emplace(list.text(0), list.text(1));
    return all;
}

std::int64_t rows_in(sqlite3* db, const std::string& table) {
    sql::Statement count{db, "SELECT count(*) FROM " + quoted_name(table)};
    (void)count.step();
    return count.integer(0);
}

// `wanted` different numbers below `of`, or all of them.
std::set<std::int64_t> draw(std::mt19937_64& random, std::size_t wanted, std::int64_t of) {
    std::set<std::int64_t> drawn;
    for (auto top = std::max<std::int64_t>(0, of - static_cast<std::int64_t>(wanted)); top < of; ++top) {
        std::uniform_int_distribution<std::int64_t> up_to{0, top};
        if (!drawn.insert(up_to(random)).second) drawn.insert(top);
    }
    return drawn;
}

}  // namespace

// The columns of a table, those of its key first.
struct TableComparison::Columns {
    std::vector<std::string> names;
    int keys = 0;  ///< 0: rows have no key but themselves

    static Columns of(sqlite3* db, const std::string& table) {
        std::map<std::int64_t, std::string> key;
        std::vector<std::string> others;
        sql::Statement list{db, "SELECT name, pk, hidden FROM pragma_table_xinfo(?1)"};
        list.bind(1, table);
        while (list.step()) {
            constexpr int hidden_in_virtual_table = 1;
            if (list.integer(2) == hidden_in_virtual_table) continue;
            if (list.integer(1) > 0) {
                key.emplace(list.integer(1), list.text(0));
            } else {
                others.emplace_back(list.text(0));
            }
        }
        Columns columns;
        if (is_virtual(db, table)) key = {{1, "rowid"}};
        for (auto& [place, name] : key) columns.names.push_back(name);
        columns.keys = static_cast<int>(columns.names.size());
        columns.names.insert(columns.names.end(), others.begin(), others.end());
        return columns;
    }

    [[nodiscard]] int count() const { return static_cast<int>(names.size()); }
    /// How many columns from the left say which row it is.
    [[nodiscard]] int matched() const { return keys > 0 ? keys : count(); }

    [[nodiscard]] std::string list(const std::string& behind_each = {}) const {
        std::string text;
        for (const auto& name : names) text += (text.empty() ? "" : ", ") + quoted_name(name) + behind_each;
        return text;
    }

private:
    static bool is_virtual(sqlite3* db, const std::string& table) {
        sql::Statement type{db,
                            "SELECT type = 'virtual' FROM pragma_table_list WHERE schema = 'main' AND name = ?1"};
        type.bind(1, table);
        return type.step() && type.integer(0) != 0;
    }
};

// The rows of a table, one after another.
class TableComparison::Cursor {
public:
    Cursor(sqlite3* db, const std::string& query) : rows_(db, query) {}

    void next() { has_row_ = rows_.step(); }
    [[nodiscard]] bool has_row() const noexcept { return has_row_; }
    [[nodiscard]] sql::Statement& row() noexcept { return rows_; }
    [[nodiscard]] const sql::Statement& row() const noexcept { return rows_; }

private:
    sql::Statement rows_;
    bool has_row_ = false;
};

bool TableComparison::run(Checked& checked) {
    checked_ = &checked;
    if (!settings_.sample) examine_file();
    // A file that SQLite finds damaged may give anything for rows.
    if (!checked.ok()) return true;
    compare_definitions();
    auto tables = tables_of(stored_);
    const auto computed = tables_of(computed_);
    // What only one side has, the definitions have told.
    for (auto table = tables.begin(); table != tables.end();)
        table = computed.count(*table) == 0 ? tables.erase(table) : std::next(table);
    for (const auto& table : tables) {
        if (stopped()) return false;
        compare_table(table);
    }
    compare_skipped();
    return !stopped();
}

void TableComparison::add(Difference difference, TableChecked* into) {
    ++checked_->differences;
    if (into != nullptr) ++into->differences;
    if (checked_->first.size() < settings_.most_differences) checked_->first.push_back(std::move(difference));
}

void TableComparison::examine_file() {
    sql::Statement examination{stored_, "PRAGMA integrity_check(10)"};
    while (examination.step()) {
        if (examination.text(0) == "ok") continue;
        add({.kind = Difference::Kind::file,
             .table = {},
             .key = {},
             .column = {},
             .stored = std::string{examination.text(0)}},
            nullptr);
    }
}

void TableComparison::compare_definitions() {
    const auto stored = definitions_of(stored_);
    const auto computed = definitions_of(computed_);
    const auto sql_in = [](const std::map<std::string, std::string>& all, const std::string& name) -> Value {
        const auto found = all.find(name);
        return found == all.end() ? Value{nullptr} : Value{found->second};
    };
    auto names = stored;
    names.insert(computed.begin(), computed.end());
    for (const auto& [name, sql] : names) {
        auto is = sql_in(stored, name);
        auto should_be = sql_in(computed, name);
        if (is == should_be) continue;
        add({.kind = Difference::Kind::definition,
             .table = name,
             .key = {},
             .column = {},
             .stored = std::move(is),
             .computed = std::move(should_be)},
            nullptr);
    }
}

void TableComparison::compare_table(const std::string& table) {
    const auto columns = Columns::of(computed_, table);
    if (columns.names != Columns::of(stored_, table).names) return;  // the definitions have told
    TableChecked into;
    into.name = table;
    if (settings_.sample && columns.keys > 0) {
        compare_sample(table, columns, into);
    } else {
        compare_all(table, columns, into);
    }
    checked_->tables.push_back(std::move(into));
}

namespace {

// The first `count` columns of a row, by name.
std::vector<std::pair<std::string, Value>> key_of(const sql::Statement& row, const std::vector<std::string>& names,
                                                  int count) {
    std::vector<std::pair<std::string, Value>> key;
    for (int column = 0; column < count; ++column)
        key.emplace_back(names[static_cast<std::size_t>(column)], value_at(row, column));
    return key;
}

}  // namespace

// Two rows of one key, column by column. True where they are the same.
bool TableComparison::compare_row(const std::string& table, const Columns& columns, Cursor& stored,
                                  Cursor& computed, TableChecked& into) {
    bool same = true;
    for (int column = 0; column < columns.count(); ++column) {
        if (same_value(stored.row(), computed.row(), column)) continue;
        same = false;
        add({.kind = Difference::Kind::value,
             .table = table,
             .key = key_of(computed.row(), columns.names, columns.matched()),
             .column = columns.names[static_cast<std::size_t>(column)],
             .stored = value_at(stored.row(), column),
             .computed = value_at(computed.row(), column)},
            &into);
    }
    return same;
}

// Both sides in one order, as two streams: what is ahead on one side is missing on the other. Where rows have equal
// keys, as NULL in a primary key allows, the columns behind it decide, and equal rows meet.
void TableComparison::compare_all(const std::string& table, const Columns& columns, TableChecked& into) {
    const auto query =
        "SELECT " + columns.list() + " FROM " + quoted_name(table) + " ORDER BY " + columns.list(" COLLATE BINARY");
    Cursor stored{stored_, query};
    Cursor computed{computed_, query};
    const auto only_in = [&](Difference::Kind kind, Cursor& side) {
        add({.kind = kind,
             .table = table,
             .key = key_of(side.row(), columns.names, columns.matched()),
             .column = {}},
            &into);
        side.next();
    };
    stored.next();
    computed.next();
    while ((stored.has_row() || computed.has_row()) && !stopped()) {
        const bool on_both_sides = stored.has_row() && computed.has_row();
        int which = on_both_sides ? 0 : stored.has_row() ? -1 : 1;  // below 0: the row of `stored` comes first
        for (int column = 0; on_both_sides && which == 0 && column < columns.matched(); ++column)
            which = order(stored.row(), computed.row(), column);
        if (which <= 0) {
            ++into.rows;
            ++into.compared;
        }
        if (which < 0) {
            only_in(Difference::Kind::extra, stored);
        } else if (which > 0) {
            only_in(Difference::Kind::missing, computed);
        } else {
            (void)compare_row(table, columns, stored, computed, into);
            stored.next();
            computed.next();
        }
    }
}

// Rows drawn from either side, looked up by their keys on the other.
void TableComparison::compare_sample(const std::string& table, const Columns& columns, TableChecked& into) {
    // A seed for each table, so that a table more does not change what is drawn from the others.
    std::mt19937_64 random{settings_.seed ^ std::hash<std::string>{}(table)};
    const auto all = "SELECT " + columns.list() + " FROM " + quoted_name(table);
    std::string by_key = all + " WHERE ";
    for (int key = 0; key < columns.keys; ++key)
        by_key += (key > 0 ? " AND " : "") + quoted_name(columns.names[static_cast<std::size_t>(key)]) + " IS ?" +
                  std::to_string(key + 1);

    std::set<std::string> told;  // keys of rows that differ, at most as many as are drawn
    const auto draw_from = [&](sqlite3* from, sqlite3* other, std::int64_t rows, Difference::Kind absent) {
        Cursor drawn{from, all};
        Cursor match{other, by_key};
        std::int64_t at = -1;
        for (const auto wanted : draw(random, *settings_.sample, rows)) {
            while (at < wanted && !stopped()) {
                drawn.next();
                ++at;
            }
            if (stopped()) return;
            const auto key = key_of(drawn.row(), columns.names, columns.keys);
            std::string name;
            for (int part = 0; part < columns.keys; ++part) {
                const auto& value = key[static_cast<std::size_t>(part)].second;
                bind(match.row(), part + 1, value);
                name += to_text(value) + ",";
            }
            match.next();
            if (!match.has_row()) {
                if (told.insert(name).second)
                    add({.kind = absent, .table = table, .key = key, .column = {}}, &into);
            } else if (told.count(name) == 0) {
                auto& stored = from == stored_ ? drawn : match;
                auto& computed = from == stored_ ? match : drawn;
                if (!compare_row(table, columns, stored, computed, into)) told.insert(name);
            }
            match.row().reset();
            if (from == stored_) ++into.compared;
        }
    };
    into.rows = rows_in(stored_, table);
    const auto computed_rows = rows_in(computed_, table);
    draw_from(stored_, computed_, into.rows, Difference::Kind::extra);
    draw_from(computed_, stored_, computed_rows, Difference::Kind::missing);
    if (into.rows != computed_rows) {
        add({.kind = Difference::Kind::count,
             .table = table,
             .key = {},
             .column = {},
             .stored = into.rows,
             .computed = computed_rows},
            &into);
    }
}

// Places and messages may differ from build to build; which events were passed over may not.
void TableComparison::compare_skipped() {
    Columns columns;
    columns.names = {"position", "type"};
    columns.keys = 1;
    TableChecked into;
    into.name = "stele_skipped";
    compare_all(into.name, columns, into);
    if (into.rows > 0 || into.differences > 0) checked_->tables.push_back(std::move(into));
}

}  // namespace stele
