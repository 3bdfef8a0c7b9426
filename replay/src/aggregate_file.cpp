#include <stele/replay/aggregate_file.hpp>
#include <stele/schema/sql/directive_file.hpp>
#include <stele/schema/sql/event_binder.hpp>
#include <stele/schema/sql/text.hpp>
#include <stele/schema/sql/workbench.hpp>

#include <sqlite3.h>

#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace stele {
namespace {

// The expressions of a file, and which of them take which event.
struct Expressions {
    std::vector<sql::SqlText> texts;
    std::map<std::string, std::vector<std::size_t>, std::less<>> by_type;  // places in texts, `on *` among them
    std::vector<std::size_t> of_any;                                       // those of `on *` alone

    // In the order of the file. No types: any.
    void add(const sql::SqlText& text, const std::vector<std::string>& types) {
        const auto place = texts.size();
        texts.push_back(text);
        for (const auto& type : types) by_type.try_emplace(type, of_any).first->second.push_back(place);
        if (!types.empty()) return;
        of_any.push_back(place);
        for (auto& [type, places] : by_type) places.push_back(place);
    }

    [[nodiscard]] const std::vector<std::size_t>& of(std::string_view type) const {
        const auto named = by_type.find(type);
        return named == by_type.end() ? of_any : named->second;
    }
};

// The value that the statement stands on, as JSON. Throws InvalidInput for what is no state.
JsonText result_of(sqlite3_stmt* statement) {
    switch (sqlite3_column_type(statement, 0)) {
        case SQLITE_NULL:
            throw InvalidInput{"the new state", "JSON text",
                               "NULL (a field that is not there is NULL, and so is what is computed with it; "
                               "coalesce() gives it a value, 'null' is JSON's null)"};
        case SQLITE_BLOB:
            throw InvalidInput{"the new state", "JSON text", "a blob"};
        default:
            break;
    }
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, 0));
    return JsonText::parse(std::string{text, size}, "the new state");
}

class FileFolding final : public Folding {
public:
    FileFolding(JsonText initial, std::shared_ptr<const Expressions> expressions)
        : expressions_(std::move(expressions)), state_(std::move(initial)) {
        handlers_.reserve(expressions_->texts.size());
        for (const auto& text : expressions_->texts) {
            auto statement = workbench_.expression(text);
            auto plan = binder_.plan(statement);
            handlers_.push_back({std::move(statement), std::move(plan)});
        }
    }

    void resume(const JsonText& state) override { state_ = state; }

    void apply(const Event& event) override {
        const auto& places = expressions_->of(event.type);
        if (places.empty()) return;

        binder_.take(event);
        JsonText next;
        const auto* current = &state_;
        for (const auto place : places) {
            next = run(handlers_[place], event, *current);
            current = &next;
        }
        state_ = std::move(next);
    }

    [[nodiscard]] JsonText state() const override { return state_; }

private:
    struct Handler {
        sql::Statement statement;
        sql::EventBinder::Plan plan;
    };

    JsonText run(Handler& handler, const Event& event, const JsonText& state) {
        auto& statement = handler.statement;
        try {
            binder_.take_state(state.text());
            binder_.bind(handler.plan, statement);
            statement.step();
            auto result = result_of(statement.get());
            statement.reset();
            return result;
        } catch (const sql::SqlError& error) {
            // Out of memory is not the event's fault.
            if (error.is_of_the_machine()) throw;
            fail(statement, event, error.reason());
        } catch (const InvalidInput& error) {
            fail(statement, event, error.what());
        }
    }

    [[noreturn]] static void fail(sql::Statement& statement, const Event& event, std::string_view reason) {
        statement.reset();
        throw ReplayError{statement.file() + ':' + std::to_string(statement.line()), event, reason};
    }

    std::shared_ptr<const Expressions> expressions_;
    sql::Workbench workbench_;
    sql::EventBinder binder_ = sql::EventBinder::with_state();
    std::vector<Handler> handlers_;  // behind the workbench: statements go before their connection
    JsonText state_;
};

JsonText initial_state(const sql::Section& section) {
    sql::Workbench workbench;
    auto statement = workbench.expression(section.body);
    if (statement.parameters() != 0)
        throw sql::DefinitionError{statement.file(), statement.line(), "an expression without placeholders",
                                   sqlite3_bind_parameter_name(statement.get(), 1),
                                   "there is no event before the first one"};
    try {
        statement.step();
        return result_of(statement.get());
    } catch (const sql::SqlError& error) {
        throw sql::DefinitionError{statement.file(), statement.line(), "a state", error.reason()};
    } catch (const InvalidInput& error) {
        throw sql::DefinitionError{statement.file(), statement.line(), "a state", error.what()};
    }
}

void require_expression(const sql::Section& section) {
    if (section.has_empty_body())
        throw section.error("an SQL expression behind it", "nothing", "it gives the new state as JSON");
}

}  // namespace

struct AggregateFile::Definition {
    std::string file;
    std::string text;
    std::string aggregate_type;
    int version = 1;
    JsonText initial;
    Expressions expressions;
};

AggregateFile AggregateFile::load(const std::filesystem::path& path) {
    const auto file = sql::DirectiveFile::load(path);
    return parse(file.text(), file.file());
}

AggregateFile AggregateFile::parse(std::string_view text, std::string file) {
    const auto declared = sql::DirectiveFile::parse(text, std::move(file));
    auto heading = declared.heading("aggregate");
    auto definition = std::make_shared<Definition>();
    definition->file = declared.file();
    definition->text = text;
    definition->aggregate_type = std::move(heading.name);
    definition->version = heading.version;

    bool has_initial = false;
    for (const auto& section : declared.sections()) {
        if (&section == &declared.sections().front()) continue;
        if (section.keyword == "initial") {
            if (std::exchange(has_initial, true)) throw section.error("one initial state", "a second one");
            if (!section.words.empty()) throw section.error("the end of the line", section.words.front().text);
            require_expression(section);
            definition->initial = initial_state(section);
        } else if (section.keyword == "on") {
            const auto types = section.event_types();
            require_expression(section);
            definition->expressions.add(section.body, types);
        } else {
            throw section.error("`on` or `initial`", "`" + section.keyword + "`");
        }
    }

    AggregateFile aggregate{std::move(definition)};
    (void)aggregate.begin();  // compiles every expression
    return aggregate;
}

AggregateFile::AggregateFile(std::shared_ptr<const Definition> definition) : definition_(std::move(definition)) {}

std::string_view AggregateFile::aggregate_type() const noexcept { return definition_->aggregate_type; }
std::string AggregateFile::definition() const { return definition_->text; }
int AggregateFile::version() const noexcept { return definition_->version; }
const std::string& AggregateFile::file() const noexcept { return definition_->file; }

std::unique_ptr<Folding> AggregateFile::begin() const {
    return std::make_unique<FileFolding>(
        definition_->initial, std::shared_ptr<const Expressions>{definition_, &definition_->expressions});
}

}  // namespace stele
