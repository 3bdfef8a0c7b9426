#include <stele/schema/sql/condition.hpp>
#include <stele/schema/sql/workbench.hpp>

#include <sqlite3.h>

#include <algorithm>
#include <string>
#include <utility>

namespace stele::sql {

ConditionError::ConditionError(const SqlText& condition, const Event& event, const std::string& reason)
    : Error("condition_failed",
            condition.file + ": " + event.stream.name() + ": version " + std::to_string(event.version.value()) +
                ", position " + std::to_string(event.position.value()) + ", " + event.type +
                ": expected SQL that has a value for this event, found " + reason,
            {{"condition", condition.text},
             {"stream", event.stream.name()},
             {"version", event.version.value()},
             {"position", event.position.value()},
             {"type", event.type},
             {"reason", reason}}) {}

struct Condition::State {
    State(SqlText condition, Over over)
        : text(std::move(condition)),
          binder(over == Over::event ? EventBinder{} : EventBinder::with_state()),
          statement(workbench.expression(text)),
          plan(binder.plan(statement)) {}

    [[nodiscard]] bool run(const Event& event, std::size_t state_bytes) {
        binder.take(event);
        limit_values(event.data.text().size() + event.metadata.text().size() + state_bytes);
        try {
            binder.bind(plan, statement);
            (void)statement.step();
            const bool holds = !statement.is_null(0) && statement.real(0) != 0;
            statement.reset();
            return holds;
        } catch (const SqlError& error) {
            if (error.is_of_the_machine()) throw;
            if (error.result_code() == SQLITE_TOOBIG)
                throw ConditionError{text, event,
                                     "a text or blob of more than " + std::to_string(limit) + " bytes"};
            throw ConditionError{text, event, error.reason()};
        } catch (const InvalidInput& error) {
            throw ConditionError{text, event, error.what()};
        }
    }

    void limit_values(std::size_t given_bytes) {
        const auto bytes = std::max(max_value_bytes, 4 * given_bytes);
        if (bytes == limit) return;
        workbench.limit_values(bytes);
        limit = bytes;
    }

    SqlText text;
    EventBinder binder;
    Workbench workbench;
    Statement statement;
    EventBinder::Plan plan;
    std::size_t limit = 0;  ///< none yet
};

Condition::Condition(SqlText text, Over over) : state_(std::make_unique<State>(std::move(text), over)) {}
Condition::~Condition() = default;
Condition::Condition(Condition&&) noexcept = default;
Condition& Condition::operator=(Condition&&) noexcept = default;

bool Condition::holds(const Event& event) { return state_->run(event, 0); }

bool Condition::holds(const Event& event, const JsonText& state) {
    state_->binder.take_state(state.text());
    return state_->run(event, state.text().size());
}

const SqlText& Condition::text() const noexcept { return state_->text; }
EventBinder::Uses Condition::uses() const noexcept { return state_->binder.uses(); }

}  // namespace stele::sql
