#include <stele/projections/rows.hpp>

#include <sqlite3.h>

namespace stele {

Row::Kind Row::kind(int column) const noexcept {
    switch (sqlite3_column_type(statement_->get(), column)) {
        case SQLITE_INTEGER:
            return Kind::integer;
        case SQLITE_FLOAT:
            return Kind::real;
        case SQLITE_TEXT:
            return Kind::text;
        case SQLITE_BLOB:
            return Kind::blob;
        default:
            return Kind::null;
    }
}

Rows::Rows(std::shared_ptr<sql::Statement> statement) : statement_(std::move(statement)) {
    row_.statement_ = statement_.get();
}

Rows::Rows(Rows&&) noexcept = default;

Rows::~Rows() {
    if (statement_) statement_->reset();
}

std::vector<std::string> Rows::columns() const {
    std::vector<std::string> names;
    for (int i = 0; i < statement_->columns(); ++i) names.emplace_back(sqlite3_column_name(statement_->get(), i));
    return names;
}

Rows::iterator Rows::begin() {
    advance();
    return iterator{this};
}

void Rows::advance() { at_end_ = !statement_->step(); }

}  // namespace stele
