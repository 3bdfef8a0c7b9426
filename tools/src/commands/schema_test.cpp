// stele schema test: every stored event through the upcasters, and what comes out against the newest schema.
#include "../interrupt.hpp"
#include "../options.hpp"
#include "../progress.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <map>
#include <memory>

namespace stele::tool {
namespace {

using Align = Table::Align;

struct SchemaTestArguments {
    std::optional<std::string> type;
    std::optional<std::int64_t> failures;
};

struct Count {
    std::int64_t events = 0;
    std::int64_t pieces = 0;
    std::int64_t failed = 0;
};

struct Wrong {
    Position position;
    TypeVersion stored;
    TypeVersion made;
    std::string pointer;
    std::string reason;
};

// One pass over the log, which changes nothing.
class Test {
public:
    Test(const EventTypes& types, const EventStore& store, std::size_t most_failures)
        : types_(types), store_(store), worker_(types.upcasters()), most_failures_(most_failures) {
        for (const auto& schema : store.schemas()) {
            add(schema.type, schema.version, JsonSchema::compile(schema.document, store.name()));
        }
        for (const auto& [kind, schema] : types.schemas()) add(kind.type, kind.version, schema);
    }

    void run(const std::optional<std::string>& type, Progress& progress, const Interrupt& interrupt) {
        auto read = all();
        if (type) read.types(types_.upcasters().sources_of(*type));
        const auto head = store_.head().value();
        std::int64_t looked_at = 0;
        std::vector<Event> pieces;
        for (const Event& event : store_.read(read)) {
            if (interrupt.requested()) throw Failure{Exit::failed, "interrupted", store_.name() + ": interrupted"};
            test(event, type, pieces);
            progress.update(++looked_at, event.position.value(), head);
        }
    }

    std::map<TypeVersion, Count> counts;
    std::vector<Wrong> first;
    std::int64_t failed = 0;
    std::int64_t unchecked = 0;  ///< pieces whose type has no schema

private:
    void add(const std::string& type, int version, JsonSchema schema) {
        const auto [newest, is_first] = newest_.try_emplace(type, version, schema);
        if (!is_first && newest->second.first <= version) newest->second = {version, std::move(schema)};
    }

    void test(const Event& event, const std::optional<std::string>& type, std::vector<Event>& pieces) {
        const TypeVersion stored{event.type, event.schema_version};
        auto& count = counts[stored];
        ++count.events;
        std::size_t made = 0;
        try {
            auto copy = event;
            worker_.upcast(copy, pieces, made);
        } catch (const UpcastError& error) {
            return wrong(count, {event.position, stored, stored, {}, error.place() + ": " + error.reason()});
        }
        count.pieces += static_cast<std::int64_t>(made);
        for (std::size_t i = 0; i < made; ++i) {
            const auto& piece = pieces[i];
            if (type && piece.type != *type) continue;
            const auto newest = newest_.find(piece.type);
            if (newest == newest_.end()) {
                ++unchecked;
                continue;
            }
            if (const auto violation = newest->second.second.check(piece.data)) {
                wrong(count, {event.position,
                              stored,
                              {piece.type, newest->second.first},
                              violation->pointer,
                              "expected " + violation->expected + ", found " + violation->found});
            }
        }
    }

    void wrong(Count& count, Wrong one) {
        ++count.failed;
        ++failed;
        if (first.size() < most_failures_) first.push_back(std::move(one));
    }

    const EventTypes& types_;
    const EventStore& store_;
    Upcasters::Worker worker_;
    std::size_t most_failures_;
    std::map<std::string, std::pair<int, JsonSchema>> newest_;
};

std::string name_of(const TypeVersion& kind) { return kind.type + " v" + std::to_string(kind.version); }

void print(const Test& test, Context& context) {
    for (const auto& wrong : test.first) {
        if (context.json()) {
            context.out().json({{"position", wrong.position.value()},
                                {"type", wrong.stored.type},
                                {"version", wrong.stored.version},
                                {"against", name_of(wrong.made)},
                                {"pointer", wrong.pointer},
                                {"reason", wrong.reason}});
        } else {
            const auto against = wrong.made == wrong.stored ? "" : " against " + name_of(wrong.made);
            context.out().line(printable("position " + std::to_string(wrong.position.value()) + ", " +
                                         name_of(wrong.stored) + against + ": " +
                                         (wrong.pointer.empty() ? "" : wrong.pointer + ": ") + wrong.reason));
        }
    }
    Table table{context.out(),
                {{"TYPE"},
                 {"VERSION", Align::right},
                 {"EVENTS", Align::right},
                 {"BECOME", Align::right},
                 {"WRONG", Align::right}}};
    for (const auto& [kind, count] : test.counts) {
        if (context.json()) {
            context.out().json({{"type", kind.type},
                                {"version", kind.version},
                                {"count", count.events},
                                {"become", count.pieces},
                                {"wrong", count.failed}});
        } else {
            table.row({kind.type, std::to_string(kind.version), std::to_string(count.events),
                       std::to_string(count.pieces), std::to_string(count.failed)});
        }
    }
    table.flush_rows();
}

Exit run_schema_test(const SchemaTestArguments& arguments, Context& context) {
    const auto& types = context.event_types();
    const EventStore store = context.open_existing(Context::Events::stored);
    constexpr std::int64_t shown = 10;
    const Interrupt interrupt;
    Test test{types, store, static_cast<std::size_t>(arguments.failures.value_or(shown))};
    {
        Progress progress{"test", "events"};
        test.run(arguments.type, progress, interrupt);
    }
    print(test, context);
    if (!context.json()) {
        if (test.unchecked > 0)
            note(counted(test.unchecked, "event") + " of types without a schema: upcast, and not checked");
        if (test.failed > 0) note(counted(test.failed, "event") + " wrong");
    }
    return test.failed == 0 ? Exit::done : Exit::failed;
}

}  // namespace

void add_schema_test(CommandLine& line, CLI::App& group) {
    const auto arguments = std::make_shared<SchemaTestArguments>();
    CLI::App& app = line.add(
        group,
        {"test",
         "Run the upcasters over every stored event and check what they make of it against the newest schema of "
         "its\n"
         "type, in the project's folder or recorded. Nothing is changed. Shows the first that are wrong, with the\n"
         "place in their data, and counts by type and version.",
         "stele schema test\n"
         "stele schema test SiteCreated --failures 100",
         "0 nothing is wrong · 1 an event cannot be upcast, or does not fit · 2 command line · 4 no such store"},
        [arguments](Context& context) { return run_schema_test(*arguments, context); });
    optional_argument(app, "TYPE", arguments->type, "only what becomes an event of this type");
    number(app, "--failures", "N", arguments->failures, 0, "how many wrong ones are shown; 10 if absent");
}

}  // namespace stele::tool
