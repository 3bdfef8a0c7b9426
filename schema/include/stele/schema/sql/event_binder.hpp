// EventBinder: gives the placeholders of SQL statements their values from an event.
//
// Placeholders are SQLite parameters: they are bound, never pasted, so that nothing in an event is ever read as
// SQL.
//
//   $position $version $schema_version        INTEGER
//   $stream $aggregate_type $aggregate_id     TEXT
//   $tenant                                   TEXT, NULL where the stream has no tenant
//   $type $event_id                           TEXT; the id in its 36-character form
//   $occurred_at $recorded_at                 TEXT, RFC 3339 in UTC with six digits: 2026-01-05T10:00:00.000000Z
//   $data $metadata                           TEXT, the JSON as it is stored
//   $tags                                     TEXT, a JSON array of strings
//   $data(PATH) $metadata(PATH)               the value at PATH
//
// And where there is a state beside the event, as in an aggregate's file:
//
//   $state                                    TEXT, the JSON of the state
//   $state(PATH)                              the value at PATH
//
// A value at a path: a string is TEXT, a number INTEGER where it is written as one and fits 64 bits, else REAL;
// true and false are 1 and 0; null, and whatever is not there, is NULL; an object or array is its JSON text as
// stored (write json($data(items)) to nest it in JSON again). Of a name that an object holds twice, the first one
// counts, as in SQLite's json_extract().
//
// PATH: names joined by dots, and [n] for an array's element, from 0: `customer.name`, `items[0].sku`, `[2]`. A
// name that holds other characters is written as a JSON string: `"a.b"`, `"a\u0020b"`. SQLite ends a parameter at a
// blank and at `)`, so these two are always written \u0020 and \u0029.
#pragma once

#include <stele/schema/event.hpp>
#include <stele/schema/sql/statement.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stele::sql {

/// Binds events to any number of statements; reads an event's data at most once for all of them, and its metadata
/// likewise, and only where a statement asks for it. Use it from one thread at a time.
class EventBinder {
public:
    /// `extra` names parameters that the caller binds by itself.
    explicit EventBinder(std::vector<std::string> extra = {});

    /// One that knows `$state` as well.
    [[nodiscard]] static EventBinder with_state();
    ~EventBinder();
    EventBinder(EventBinder&&) noexcept;
    EventBinder& operator=(EventBinder&&) noexcept;

    /// Which parameter of a statement takes which value. Good for the statement it was made of, with the binder
    /// that made it.
    class Plan {
        friend class EventBinder;
        struct Item {
            int parameter;
            int source;
        };
        std::vector<Item> items_;
    };

    /// Looks up every placeholder of `statement`. Throws DefinitionError, with file and line: a name that is not
    /// known (the message lists those that are), a path where there is none, a path that cannot be read, `?`.
    [[nodiscard]] Plan plan(const Statement& statement);

    /// Whether any statement that was planned takes its values from these.
    struct Uses {
        bool id = false;
        bool data = false;
        bool metadata = false;
        bool tags = false;
    };
    [[nodiscard]] Uses uses() const noexcept;

    /// The event that bind() takes values from. It is not copied: it stays, unchanged, while statements that were
    /// bound to it run, and so does what they were bound to: the next take() ends that.
    void take(const Event& event) noexcept;

    /// The state that bind() takes values from, with_state(): JSON text, which stays as the event does.
    void take_state(std::string_view state) noexcept;

    /// Gives `statement` the values of the event. Nothing is copied, so run it before the next take().
    /// Throws InvalidInput where data, metadata or the state is not JSON after all.
    void bind(const Plan& plan, Statement& statement);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace stele::sql
