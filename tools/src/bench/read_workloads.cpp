// What reading costs: the bare side steps through the same rows and copies every column out.
#include "both_sides.hpp"

namespace stele::bench {
namespace {

// What a reader saw, so that the two sides can be compared and no reading is left out by the compiler.
struct Seen {
    std::size_t events = 0;
    std::uint64_t bytes = 0;
    std::int64_t positions = 0;

    void add(const Event& event) {
        ++events;
        bytes += event.type.size() + event.data.text().size() + event.metadata.text().size();
        positions += event.position.value();
    }
    void add(const BareRow& row) {
        ++events;
        bytes += row.type.size() + row.data.size() + row.metadata.size();
        positions += row.position;
    }
    friend bool operator==(const Seen&, const Seen&) = default;
};

void require_seen(Context& context, const Seen& stele, const Seen& bare, std::size_t expected) {
    if (stele != bare || stele.events != expected)
        throw BenchError("read: of " + std::to_string(expected) + " events Stele returned " +
                         std::to_string(stele.events) + " with " + std::to_string(stele.bytes) +
                         " bytes, bare SQLite " + std::to_string(bare.events) + " with " +
                         std::to_string(bare.bytes));
    context.compared(expected);
}

// Streams of ten events, one after another, in a drawn order.
Runner read_streams(Context& context) {
    const auto& log = context.filled_log();
    auto store = std::make_shared<const EventStore>(EventStore::open(log.store()));
    auto bare_reader = std::make_shared<BareReader>(log.bare());
    context.compared(require_same(fingerprint(*store), fingerprint(*bare_reader)));

    return [&context, &log, store, bare_reader] {
        struct Wanted {
            StreamId stream;
            std::int64_t number;  // which the bare side knows by heart
        };
        std::vector<Wanted> wanted;
        for (std::size_t i = 0; i < context.sizes().stream_reads; ++i) {
            const auto& stream = log.payloads().streams()[mixed(i) % log.payloads().streams().size()];
            wanted.push_back({stream, bare_reader->stream_number(stream)});
        }

        Seen seen;
        Seen bare_seen;
        Stopwatch stele;
        Stopwatch bare;
        std::vector<BareRow> rows;
        for (const auto piece : in_turns(wanted)) {
            stele.time([&] {
                for (const auto& [stream, number] : piece)
                    for (const Event& event : store->read(stream)) seen.add(event);
            });
            bare.time([&] {
                for (const auto& [stream, number] : piece) {
                    bare_reader->read_stream(number, rows);
                    for (const auto& row : rows) bare_seen.add(row);
                }
            });
        }
        require_seen(context, seen, bare_seen, wanted.size() * FilledLog::events_per_stream);
        return std::vector{rates(static_cast<double>(wanted.size()), stele, bare)};
    };
}

Runner read_log(Context& context) {
    const auto& log = context.filled_log();
    auto store = std::make_shared<const EventStore>(EventStore::open(log.store()));
    auto bare_reader = std::make_shared<BareReader>(log.bare());
    context.compared(require_same(fingerprint(*store), fingerprint(*bare_reader)));

    return [&context, &log, store, bare_reader] {
        Seen seen;
        Seen bare_seen;
        Stopwatch stele;
        Stopwatch bare;
        stele.time([&] {
            for (const Event& event : store->read(all())) seen.add(event);
        });
        bare.time([&] { bare_reader->read_log([&](const BareRow& row) { bare_seen.add(row); }); });
        require_seen(context, seen, bare_seen, log.events());
        return std::vector{rates(static_cast<double>(log.events()), stele, bare)};
    };
}

}  // namespace

std::vector<Workload> read_workloads() {
    return {
        {.name = "read-stream",
         .about = "streams of ten events, read one after another",
         .figures = {{.name = "read-stream", .unit = "streams/s", .goal = Goal{.value = 0.75}}},
         .prepare = read_streams},
        {.name = "read-log",
         .about = "the whole log",
         .figures = {{.name = "read-log", .unit = "events/s", .goal = Goal{.value = 0.75}}},
         .prepare = read_log},
    };
}

}  // namespace stele::bench
