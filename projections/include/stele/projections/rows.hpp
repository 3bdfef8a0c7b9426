// Rows: what a query on a read model returns, one row after another, read as they are asked for.
#pragma once

#include <stele/schema/sql/statement.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

/// One row. Valid until the Rows that it comes from move on. Columns count from 0.
///
/// As in SQLite, a value that is asked for as another kind is converted: text that is no number gives 0, NULL gives
/// 0 or the empty text.
class Row {
public:
    enum class Kind { null, integer, real, text, blob };

    [[nodiscard]] int size() const noexcept { return statement_->columns(); }
    [[nodiscard]] Kind kind(int column) const noexcept;
    [[nodiscard]] bool is_null(int column) const noexcept { return kind(column) == Kind::null; }
    [[nodiscard]] std::int64_t integer(int column) const noexcept { return statement_->integer(column); }
    [[nodiscard]] double real(int column) const noexcept { return statement_->real(column); }
    /// The bytes of a text or blob; the digits of a number.
    [[nodiscard]] std::string_view text(int column) const noexcept { return statement_->text(column); }

private:
    friend class Rows;
    sql::Statement* statement_ = nullptr;
};

/// A single-pass range of rows. It holds a read transaction of SQLite from begin() until its end is reached or it
/// goes. Use it in one thread, while the Model or ReadModel that made it is there.
class Rows {
public:
    class iterator {
    public:
        using value_type = Row;
        using difference_type = std::ptrdiff_t;
        using reference = const Row&;
        using pointer = const Row*;
        using iterator_category = std::input_iterator_tag;
        using iterator_concept = std::input_iterator_tag;

        iterator() = default;
        reference operator*() const { return rows_->row_; }
        pointer operator->() const { return &rows_->row_; }
        iterator& operator++() {
            rows_->advance();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& it, std::default_sentinel_t) {
            return it.rows_ == nullptr || it.rows_->is_at_end();
        }

    private:
        friend class Rows;
        explicit iterator(Rows* rows) : rows_(rows) {}
        Rows* rows_ = nullptr;
    };

    /// `statement` has its parameters bound. It is reset when the rows are read, or the Rows go.
    explicit Rows(std::shared_ptr<sql::Statement> statement);
    Rows(Rows&&) noexcept;
    Rows& operator=(Rows&&) = delete;
    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;
    ~Rows();

    /// The names of the columns, as the query gives them.
    [[nodiscard]] std::vector<std::string> columns() const;

    /// Reads the first row. May be called once. Throws sql::SqlError, as ++ does.
    iterator begin();
    static std::default_sentinel_t end() noexcept { return {}; }

    [[nodiscard]] bool is_at_end() const noexcept { return at_end_; }

private:
    void advance();
    std::shared_ptr<sql::Statement> statement_;
    Row row_;
    bool at_end_ = false;
};

}  // namespace stele
