#include "feed.hpp"

#include "missing.hpp"

namespace stele {
namespace {

void check(const ReplayOptions& options) {
    const auto at_least_one = [](const char* field, auto bound) {
        if (bound && bound->value() < 1) throw InvalidInput(field, "1 or more", std::to_string(bound->value()));
    };
    at_least_one("at_version", options.at_version);
    at_least_one("at_position", options.at_position);
}

// The part of the stream that the options select, but for the times at which its events occurred.
Read selected(const StreamId& id, const ReplayOptions& options) {
    auto read = stream(id);
    if (options.at_version) read.until(*options.at_version);
    if (options.at_position) read.until(*options.at_position);
    if (options.at_time && options.time_of == TimeOf::recorded) read.until(*options.at_time);
    return read;
}

}  // namespace

void feed(const EventStore& store, const StreamId& id, const ReplayOptions& options,
          const std::function<bool(const Event&)>& take) {
    constexpr std::int64_t progress_every = 1'000;
    check(options);
    const auto last = store.version(id);
    if (!last) throw no_such_stream(store, id);
    if (options.at_version && *options.at_version > *last)
        throw no_such_version(store, id, *options.at_version, *last);

    const auto total = options.at_version.value_or(*last).value();
    std::int64_t seen = 0;
    bool any = false;
    for (const Event& event : store.read(selected(id, options))) {
        if (options.progress && ++seen % progress_every == 0) options.progress(seen, std::max(seen, total));
        if (options.time_of == TimeOf::occurred && options.at_time && event.occurred_at > *options.at_time)
            continue;
        any = true;
        if (!take(event)) break;
    }
    if (!any) throw nothing_yet(store, id, options);
}

}  // namespace stele
