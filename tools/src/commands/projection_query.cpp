// stele projection query: what a read model says.
#include "../definitions.hpp"
#include "../options.hpp"
#include "../suggest.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/projections/read_model.hpp>
#include <stele/projections/rebuild.hpp>
#include <stele/schema/sql/text.hpp>

#include <memory>

namespace stele::tool {
namespace {

struct ProjectionQueryArguments {
    std::string name;
    std::optional<std::string> sql;
    bool csv = false;
};

ReadModel open_model(const EventStore& store, const std::string& word, Context& context) {
    const std::string name = projection_name(word);
    try {
        return ReadModel::open(store, name);
    } catch (const NotFound&) {
        Failure failure{Exit::not_found,
                        "not_found",
                        store.name() + ": projection \"" + name + "\" was never built",
                        {{"store", store.name()}, {"projection", name}}};
        if (names_file(word)) throw std::move(failure).hint("stele projection rebuild " + word);
        const auto known = known_projections(context);
        if (known.registry.find(name) != nullptr) throw std::move(failure).hint("stele projection rebuild " + name);
        Nearest nearest{name};
        for (const auto& status : projection_status(store, known.registry)) nearest.consider(status.name);
        throw Failure{Exit::not_found,
                      "not_found",
                      store.name() + ": no projection \"" + name + "\"",
                      {{"store", store.name()}, {"projection", name}}}
            .hint(nearest.found() ? "stele projection query " + *nearest.found() : "stele projection list");
    }
}

std::string in_double_quotes(std::string_view name) {
    std::string text = "\"";
    for (const char c : name) text += c == '"' ? "\"\"" : std::string(1, c);
    return text + "\"";
}

// The rows of the table that the projection makes first.
std::string main_table_query(const ReadModel& model) {
    auto rows = model.query(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'stele\\_%' ESCAPE '\\' "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid LIMIT 1");
    for (const Row& row : rows) return "SELECT * FROM " + in_double_quotes(row.text(0));
    throw Failure{Exit::not_found, "not_found", "projection \"" + model.generation().name + "\" has no table"};
}

std::string hexadecimal(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

std::string text_of(const Row& row, int column) {
    return row.kind(column) == Row::Kind::blob ? hexadecimal(row.text(column)) : std::string(row.text(column));
}

void print_json(Rows& rows, Output& out) {
    const auto columns = rows.columns();
    for (const Row& row : rows) {
        nlohmann::ordered_json object = nlohmann::ordered_json::object();
        for (int i = 0; i < row.size(); ++i) {
            auto& member = object[columns[static_cast<std::size_t>(i)]];
            switch (row.kind(i)) {
                case Row::Kind::null:
                    member = nullptr;
                    break;
                case Row::Kind::integer:
                    member = row.integer(i);
                    break;
                case Row::Kind::real:
                    member = row.real(i);
                    break;
                case Row::Kind::text:
                case Row::Kind::blob:
                    member = text_of(row, i);
                    break;
            }
        }
        out.json(object);
    }
}

// RFC 4180.
std::string csv_cell(const std::string& text) {
    return text.find_first_of(",\"\r\n") == std::string::npos ? text : in_double_quotes(text);
}

// NULL is nothing at all, an empty text is a pair of quotes.
std::string csv_cell(const Row& row, int column) {
    if (row.is_null(column)) return {};
    const std::string text = text_of(row, column);
    return text.empty() ? "\"\"" : csv_cell(text);
}

void print_csv(Rows& rows, Output& out) {
    std::string line;
    for (const auto& column : rows.columns()) {
        if (!line.empty()) line += ',';
        line += csv_cell(column);
    }
    out.line(line);
    for (const Row& row : rows) {
        line.clear();
        for (int i = 0; i < row.size(); ++i) {
            if (i > 0) line += ',';
            line += csv_cell(row, i);
        }
        out.line(line);
    }
}

void print_table(Rows& rows, Output& out) {
    std::optional<Table> table;
    for (const Row& row : rows) {
        if (!table) {
            std::vector<Table::Column> columns;
            for (const auto& name : rows.columns()) {
                const auto kind = row.kind(static_cast<int>(columns.size()));
                const bool number = kind == Row::Kind::integer || kind == Row::Kind::real;
                columns.push_back({name, number ? Table::Align::right : Table::Align::left});
            }
            table.emplace(out, std::move(columns));
        }
        std::vector<std::string> cells;
        for (int i = 0; i < row.size(); ++i) cells.push_back(text_of(row, i));
        table->row(std::move(cells));
    }
    if (table) table->flush_rows();
}

Exit run_projection_query(const ProjectionQueryArguments& arguments, Context& context) {
    const EventStore store = context.open_existing();
    const ReadModel model = open_model(store, arguments.name, context);
    try {
        Rows rows = model.query(arguments.sql ? *arguments.sql : main_table_query(model));
        if (context.json()) {
            print_json(rows, context.out());
        } else if (arguments.csv) {
            print_csv(rows, context.out());
        } else {
            print_table(rows, context.out());
        }
    } catch (const sql::DefinitionError& error) {
        throw usage_failure("stele projection query", error.what())
            .hint("stele projection query " + arguments.name + " 'SELECT sql FROM sqlite_schema'");
    }
    const Generation generation = model.generation();
    if (generation.state != "paused" && generation.position < store.head() && !context.json())
        note(store.name() + ": projection \"" + generation.name + "\" is at position " +
             std::to_string(generation.position.value()) + ", the log at " + std::to_string(store.head().value()));
    return Exit::done;
}

}  // namespace

void add_projection_query(CommandLine& line, CLI::App& group) {
    const auto arguments = std::make_shared<ProjectionQueryArguments>();
    CLI::App& app = line.add(
        group,
        {"query", "Ask a projection's read model. Without SQL: the rows of the table that it makes first.",
         "stele projection query tenant_stats\n"
         "stele projection query tenant_stats 'SELECT sum(sites) AS sites FROM tenant_stats' --json",
         "0 done · 1 failed · 2 command line, or SQL that is wrong · 4 no such projection, or never built"},
        [arguments](Context& context) { return run_projection_query(*arguments, context); });
    argument(app, "NAME", arguments->name, "the projection, or the .sql file that defines it");
    optional_argument(app, "SQL", arguments->sql, "a query; it can read, and nothing else");
    flag(app, "--csv", arguments->csv, "print comma-separated values");
}

}  // namespace stele::tool
