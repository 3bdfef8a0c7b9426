// stele append: one event.
#include "../input_value.hpp"
#include "../options.hpp"
#include "commands.hpp"

#include <charconv>
#include <memory>

namespace stele::tool {
namespace {

struct AppendArguments {
    std::optional<StreamId> stream;
    std::string type;
    std::optional<std::string> data;
    std::optional<std::string> metadata;
    ExpectedVersion expected = expect::any;
    std::optional<EventId> id;
    std::vector<std::string> tags;
    std::optional<std::int64_t> schema_version;
    std::optional<Timestamp> occurred_at;
    std::string durability = "full";
};

ExpectedVersion parse_expected(const std::string& word) {
    if (word == "any") return expect::any;
    if (word == "none") return expect::none;
    if (word == "exists") return expect::exists;
    std::int64_t version = 0;
    const char* end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, version);
    if (error != std::errc{} || stop != end || version < 0) throw BadValue{"none, any, exists or a version", word};
    return expect::exactly(version);
}

EventId parse_id(const std::string& word) {
    try {
        return EventId::parse(word);
    } catch (const InvalidInput&) {
        throw BadValue{"a UUID", word};
    }
}

NewEvent event_of(const AppendArguments& arguments) {
    if (arguments.data == "-" && arguments.metadata == "-")
        throw usage_failure("stele append", "--data and --meta cannot both come from standard input");
    const Limits limits;
    NewEvent event;
    event.type = arguments.type;
    try {
        if (arguments.data) event.data = JsonText::parse(input_value(*arguments.data, "--data", limits), "--data");
        if (arguments.metadata)
            event.metadata = JsonText::parse_object(input_value(*arguments.metadata, "--meta", limits), "--meta");
        if (arguments.id) event.id = *arguments.id;
        if (arguments.schema_version) event.schema_version = static_cast<int>(*arguments.schema_version);
        event.occurred_at = arguments.occurred_at;
        event.tags = arguments.tags;
        limits.check(*arguments.stream);
        limits.check(event);
    } catch (const InvalidInput& error) {
        throw usage_failure("stele append", error.what());
    }
    return event;
}

Exit run_append(const AppendArguments& arguments, Context& context) {
    const NewEvent event = event_of(arguments);
    Options options;
    if (arguments.durability == "relaxed") options.durability = Durability::relaxed;
    EventStore store = context.open_or_create(options);
    const Appended appended = store.append(*arguments.stream, arguments.expected, {event});

    if (context.json()) {
        context.out().json(nlohmann::ordered_json{{"position", appended.last_position.value()},
                                                  {"version", appended.version.value()},
                                                  {"id", event.id.to_string()},
                                                  {"duplicate", appended.duplicate}});
    } else {
        context.out().line(arguments.stream->name() + " is at version " + std::to_string(appended.version.value()) +
                           ": position " + std::to_string(appended.last_position.value()) + ", id " +
                           event.id.to_string() +
                           (appended.duplicate ? "; it was there before, nothing was written" : ""));
    }
    return Exit::done;
}

}  // namespace

void add_append(CommandLine& line) {
    const auto arguments = std::make_shared<AppendArguments>();
    CLI::App& app =
        line.add({"append", "Append one event to a stream. Makes the store where there is none.",
                  "stele append Site/site-42 SiteCreated --data '{\"domain\":\"example.org\"}' --expect none",
                  "0 appended, or there before with the same id and content · 1 failed · 2 command line ·\n"
                  "3 the stream is not where --expect says, or the id is taken; nothing was written"},
                 [arguments](Context& context) { return run_append(*arguments, context); });
    stream_argument(app, arguments->stream, "[tenant:]Type/id");
    argument(app, "TYPE", arguments->type, "what happened, such as SiteCreated");
    text(app, "--data", "JSON|@FILE|-", arguments->data,
         "any JSON value, from a file or standard input too; {} if absent");
    text(app, "--meta", "JSON|@FILE|-", arguments->metadata,
         "a JSON object: actor, correlation_id, …; {} if absent");
    option(
        app, "--expect", "none|any|exists|N",
        [arguments](const std::string& word) { arguments->expected = parse_expected(word); },
        "where the stream must be: without events, anywhere, with some, at this version");
    option(
        app, "--id", "UUID", [arguments](const std::string& word) { arguments->id = parse_id(word); },
        "the event's id: appending it again changes nothing; a new one if absent");
    texts(app, "--tag", "T", arguments->tags, "a tag; may be given several times");
    number(app, "--schema-version", "N", arguments->schema_version, 1, "of the type; 1 if absent");
    time(app, "--occurred-at", arguments->occurred_at, "when it happened; when it is recorded, if absent");
    choice(app, "--durability", {"full", "relaxed"}, arguments->durability,
           "full (the default) survives a power cut, relaxed the end of the process");
}

}  // namespace stele::tool
