#include <stele/projections/sql_projection.hpp>

#include "database.hpp"

#include <stele/schema/sql/directive_file.hpp>
#include <stele/schema/sql/event_binder.hpp>

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace stele {
namespace {

// The handlers of a projection, compiled for one connection.
class SqlHandler final : public ProjectionHandler {
public:
    SqlHandler(const sql::DirectiveFile& file, sql::Compiler& compiler) {
        for (const auto& section : file.sections()) {
            if (section.keyword == "on") add(section, compiler);
        }
    }

    void apply(const Event& event) override {
        const auto known = by_type_.find(event.type);
        binder_.take(event);
        for (const auto handler : known == by_type_.end() ? of_any_type_ : known->second) {
            for (auto& [statement, plan] : handlers_[handler]) {
                binder_.bind(plan, statement);
                statement.run();
            }
        }
    }

    /// The types that are named, and none where there is a handler of every type.
    [[nodiscard]] Query query() const {
        if (!of_any_type_.empty()) return {};
        QueryItem item;
        for (const auto& [type, handlers] : by_type_) item.types.push_back(type);
        std::sort(item.types.begin(), item.types.end());
        return Query{{std::move(item)}};
    }

    [[nodiscard]] EventParts parts() const noexcept {
        const auto uses = binder_.uses();
        return {.id = uses.id, .data = uses.data, .metadata = uses.metadata, .tags = uses.tags};
    }

private:
    using Step = std::pair<sql::Statement, sql::EventBinder::Plan>;

    void add(const sql::Section& section, sql::Compiler& compiler) {
        const auto types = section.event_types();
        const auto number = handlers_.size();
        auto& steps = handlers_.emplace_back();
        for (auto& statement : compiler.statements(section.body, sql::Allow::handler)) {
            auto plan = binder_.plan(statement);
            steps.emplace_back(std::move(statement), std::move(plan));
        }
        // Handlers of any type run for types that are named too, in the order of the file.
        for (const auto& type : types) by_type_.try_emplace(type, of_any_type_).first->second.push_back(number);
        if (!types.empty()) return;
        of_any_type_.push_back(number);
        for (auto& [type, numbers] : by_type_) numbers.push_back(number);
    }

    sql::EventBinder binder_;
    std::vector<std::vector<Step>> handlers_;  // a handler is its statements, in order
    std::vector<std::size_t> of_any_type_;     // numbers of handlers, in the order of the file
    std::unordered_map<std::string, std::vector<std::size_t>> by_type_;
};

void check_sections(const sql::DirectiveFile& file) {
    bool has_create = false;
    bool has_handler = false;
    const auto& sections = file.sections();
    for (std::size_t i = 1; i < sections.size(); ++i) {
        const auto& section = sections[i];
        if (section.keyword != "create" && section.keyword != "on") {
            throw section.error("--@ create or --@ on TYPES", "--@ " + section.keyword);
        }
        if (section.keyword == "create" && !section.words.empty()) {
            throw section.error("nothing behind --@ create", "\"" + section.words[0].text + "\"");
        }
        if (section.has_empty_body()) throw section.error("SQL behind --@ " + section.keyword, "none");
        (section.keyword == "on" ? has_handler : has_create) = true;
    }
    if (!has_create) throw sections.front().error("--@ create, which makes the tables", "none in the file");
    if (!has_handler) throw sections.front().error("--@ on TYPES, which fills the tables", "none in the file");
}

void create_tables(const sql::DirectiveFile& file, sql::Compiler& compiler) {
    for (const auto& section : file.sections()) {
        if (section.keyword == "create") compiler.run(section.body, sql::Allow::definition);
    }
}

// Makes the tables and compiles the handlers in a database in memory, for the sake of its errors, and to see which
// events they take, and what of them.
void check_and_look(const sql::DirectiveFile& file, Projection::Head& head) {
    const auto scratch = open_database(":memory:", Access::create, {});
    sql::Compiler compiler{scratch.get(), sql::Compiler::Kind::deterministic};
    create_tables(file, compiler);
    const SqlHandler handler{file, compiler};
    head.query = handler.query();
    head.parts = handler.parts();
    head.looks_at_parts_alone = true;  // what is bound is what its text names
}

}  // namespace

struct SqlProjection::Definition {
    sql::DirectiveFile file;
};

std::shared_ptr<const SqlProjection> SqlProjection::load(const std::filesystem::path& path) {
    return from(sql::DirectiveFile::load(path));
}

std::shared_ptr<const SqlProjection> SqlProjection::parse(std::string_view text, std::string file) {
    return from(sql::DirectiveFile::parse(text, std::move(file)));
}

std::shared_ptr<const SqlProjection> SqlProjection::from(sql::DirectiveFile file) {
    const auto heading = file.heading("projection", {{"mode", {"async", "sync"}}, {"on-error", {"stop", "skip"}}});
    const auto chose = [&](std::string_view option, std::string_view value) {
        const auto given = heading.options.find(option);
        return given != heading.options.end() && given->second == value;
    };
    Head head;
    head.name = heading.name;
    head.version = heading.version;
    head.mode = chose("mode", "sync") ? ProjectionMode::sync : ProjectionMode::async;
    head.on_error = chose("on-error", "skip") ? OnError::skip : OnError::stop;
    head.fingerprint = fingerprint_of(file.text());
    try {
        check_projection_name(head.name);
    } catch (const InvalidInput&) {
        throw file.sections().front().error("a name of 1 to 100 letters, digits, _ and -", "\"" + head.name + "\"");
    }
    check_sections(file);
    check_and_look(file, head);
    return std::shared_ptr<const SqlProjection>{
        new SqlProjection{std::move(head), std::make_unique<const Definition>(Definition{std::move(file)})}};
}

SqlProjection::SqlProjection(Head head, std::unique_ptr<const Definition> definition)
    : Projection(std::move(head)), definition_(std::move(definition)) {}
SqlProjection::~SqlProjection() = default;

void SqlProjection::setup(Model& model) const { create_tables(definition_->file, model.compiler()); }

std::unique_ptr<ProjectionHandler> SqlProjection::handler(Model& model) const {
    return std::make_unique<SqlHandler>(definition_->file, model.compiler());
}

const std::string& SqlProjection::file() const noexcept { return definition_->file.file(); }

}  // namespace stele
