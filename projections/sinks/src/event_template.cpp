#include "event_template.hpp"

#include "text.hpp"

#include <stele/projections/listeners/delivery.hpp>

#include <sqlite3.h>

namespace stele::sinks {
namespace {

// Where the placeholder that begins at `at` ends: at the `}}` that stands in no string of SQL.
std::size_t end_of_placeholder(const std::string& text, std::size_t at) {
    char quote = '\0';
    for (std::size_t i = at; i < text.size(); ++i) {
        const char c = text[i];
        if (quote != '\0') {
            if (c == quote) quote = '\0';
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (text.compare(i, 2, "}}") == 0) {
            return i;
        }
    }
    return std::string::npos;
}

}  // namespace

struct EventTexts::Connection {
    Connection() {
        if (sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                            nullptr) == SQLITE_OK)
            return;
        const sql::SqlError error{db, "opening a database in memory"};
        sqlite3_close(db);
        throw error;
    }
    ~Connection() { sqlite3_close(db); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    sqlite3* db = nullptr;
};

EventTexts::EventTexts()
    : connection_(std::make_unique<Connection>()),
      compiler_(std::make_unique<sql::Compiler>(connection_->db, sql::Compiler::Kind::deterministic)) {}

EventTexts::~EventTexts() {
    entries_.clear();  // statements go before their compiler, which goes before its connection
    compiler_.reset();
}

EventTexts::Piece EventTexts::compile(std::string literal, const sql::SqlText& text) {
    Piece piece{std::move(literal), compiler_->expression(text), {}};
    piece.plan = binder_.plan(piece.statement);
    return piece;
}

std::size_t EventTexts::add_template(const sql::SqlText& text) {
    Entry entry;
    std::size_t at = 0;
    for (;;) {
        const auto opens = text.text.find("{{", at);
        if (opens == std::string::npos) break;
        const auto closes = end_of_placeholder(text.text, opens + 2);
        if (closes == std::string::npos)
            throw sql::DefinitionError{text.file, text.line_at(opens), "}} behind {{ and SQL over the event",
                                       printable(std::string_view{text.text}.substr(opens), 60)};
        const sql::SqlText expression{text.text.substr(opens + 2, closes - opens - 2), text.file,
                                      text.line_at(opens + 2)};
        entry.pieces.push_back(compile(text.text.substr(at, opens - at), expression));
        at = closes + 2;
    }
    Piece rest;
    rest.literal = text.text.substr(at);
    entry.pieces.push_back(std::move(rest));
    entries_.push_back(std::move(entry));
    return entries_.size() - 1;
}

std::size_t EventTexts::add_expression(const sql::SqlText& text) {
    Entry entry;
    entry.is_template = false;
    entry.pieces.push_back(compile({}, text));
    entries_.push_back(std::move(entry));
    return entries_.size() - 1;
}

void EventTexts::take(const Event& event) {
    event_ = &event;
    binder_.take(event);
}

std::optional<std::string> EventTexts::run(Piece& piece) {
    struct Reset {
        sql::Statement& statement;
        ~Reset() { statement.reset(); }
    } const reset{piece.statement};
    try {
        binder_.bind(piece.plan, piece.statement);
        (void)piece.statement.step();
        if (piece.statement.is_null(0)) return std::nullopt;
        return std::string{piece.statement.text(0)};
    } catch (const sql::SqlError& error) {
        if (error.is_of_the_machine()) throw;
        throw Permanent{"template",
                        "position " + std::to_string(event_->position.value()) + ": " + error.what(),
                        {{"position", event_->position.value()}, {"reason", error.reason()}}};
    }
}

std::optional<std::string> EventTexts::value(std::size_t which) {
    auto& entry = entries_[which];
    if (!entry.is_template) return run(entry.pieces.front());
    std::string text;
    for (auto& piece : entry.pieces) {
        text += piece.literal;
        if (piece.statement) text += run(piece).value_or("");
    }
    return text;
}

}  // namespace stele::sinks
