// Condition: a question to an event, or to an event and a state, as one SQL expression.
//
//     sql::Condition large{{"$type = 'OrderPlaced' AND $data(total) > 1000", "find"}, sql::Condition::Over::event};
//     if (large.holds(event)) …
//
// It holds where SQL takes the value for true: a number other than 0. NULL is not true, so a condition on a field
// that is not there does not hold, and neither does its opposite; `$data(total) IS NULL` asks for it. (Text counts
// as the number that it begins with, which is 0 for most.)
//
// What it computes on its way is bounded: no text or blob may be larger than 16 MB or, where event and state take
// more, than four times these. So `length(zeroblob(1e9)) > 0` is a ConditionError, and not a gigabyte of memory.
//
// The placeholders are those of event_binder.hpp. An expression sees no tables, and nothing that may differ between
// two runs.
#pragma once

#include <stele/schema/event.hpp>
#include <stele/schema/sql/event_binder.hpp>
#include <stele/schema/sql/text.hpp>

#include <cstddef>
#include <memory>

namespace stele::sql {

/// A condition has no answer for an event: SQL that failed when it ran, such as json() of what is no JSON, or that
/// made too large a value.
class ConditionError : public Error {
public:
    ConditionError(const SqlText& condition, const Event& event, const std::string& reason);
};

/// Use it from one thread at a time.
class Condition {
public:
    enum class Over {
        event,
        event_and_state,  ///< knows $state and $state(path)
    };

    static constexpr std::size_t max_value_bytes = std::size_t{16} << 20;

    /// Compiles it. Throws DefinitionError naming `text.file`, which stands for whatever the text came from.
    Condition(SqlText text, Over over);
    ~Condition();
    Condition(Condition&&) noexcept;
    Condition& operator=(Condition&&) noexcept;

    /// Whether it holds. Throws ConditionError.
    [[nodiscard]] bool holds(const Event& event);
    [[nodiscard]] bool holds(const Event& event, const JsonText& state);

    [[nodiscard]] const SqlText& text() const noexcept;

    /// What of an event it looks at.
    [[nodiscard]] EventBinder::Uses uses() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace stele::sql
