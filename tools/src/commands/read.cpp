// stele read: one stream.
#include "../event_output.hpp"
#include "../missing_stream.hpp"
#include "../options.hpp"
#include "commands.hpp"

#include <memory>

namespace stele::tool {
namespace {

struct ReadArguments {
    std::optional<StreamId> stream;
    std::optional<std::int64_t> from;
    std::optional<std::int64_t> until;
    std::optional<std::int64_t> limit;
    bool backward = false;
    bool raw = false;
};

Exit run_read(const ReadArguments& arguments, Context& context) {
    const EventStore store = context.open_existing(Context::seen(arguments.raw));
    if (!store.version(*arguments.stream))
        throw missing_stream(store, *arguments.stream, arguments.raw ? "stele read --raw" : "stele read");

    Read read = stream(*arguments.stream);
    if (arguments.from) read.from(Version{*arguments.from});
    if (arguments.until) read.until(Version{*arguments.until});
    if (arguments.limit) read.limit(static_cast<std::size_t>(*arguments.limit));
    read.backward(arguments.backward);

    EventPrinter printer{context.out(), context.json(), EventPrinter::Streams::left_out};
    for (const Event& event : store.read(read)) printer.print(event);
    printer.flush();
    return Exit::done;
}

}  // namespace

void add_read(CommandLine& line) {
    const auto arguments = std::make_shared<ReadArguments>();
    CLI::App& app = line.add(
        {"read", "Print the events of one stream, oldest first.", "stele read Site/site-42 --backward --limit 5",
         "0 done · 1 failed · 2 command line · 4 no such store or stream"},
        [arguments](Context& context) { return run_read(*arguments, context); });
    stream_argument(app, arguments->stream, "[tenant:]Type/id");
    number(app, "--from", "V", arguments->from, 1, "from this version, included");
    number(app, "--until", "V", arguments->until, 1, "up to this version, included");
    number(app, "--limit", "N", arguments->limit, 0, "at most so many");
    flag(app, "--backward", arguments->backward, "newest first");
    raw_flag(app, arguments->raw);
}

}  // namespace stele::tool
