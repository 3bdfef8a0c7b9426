#include "missing.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace stele {
namespace {

bool same_but_for_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::vector<std::string> close_to(const EventStore& store, const StreamId& id) {
    constexpr std::size_t most_shown = 3;
    constexpr std::size_t most_looked_at = 100'000;
    std::vector<std::string> names;
    std::size_t seen = 0;
    store.streams([&](const StreamInfo& info) {
        if (info.stream.aggregate_id() == id.aggregate_id() || same_but_for_case(info.stream.name(), id.name()))
            names.push_back(info.stream.name());
        return names.size() < most_shown && ++seen < most_looked_at;
    });
    return names;
}

std::string bounds(const ReplayOptions& options) {
    std::string text;
    const auto add = [&](const std::string& bound) { text += (text.empty() ? "" : ", ") + bound; };
    if (options.at_version) add("up to version " + std::to_string(options.at_version->value()));
    if (options.at_position) add("up to position " + std::to_string(options.at_position->value()));
    if (options.at_time)
        add((options.time_of == TimeOf::recorded ? "recorded up to " : "that occurred up to ") +
            to_rfc3339(*options.at_time));
    return text;
}

}  // namespace

NotFound no_such_stream(const EventStore& store, const StreamId& id) {
    const auto close = close_to(store, id);
    auto message = store.name() + ": no stream \"" + id.name() + "\"; ";
    if (close.empty()) message += "`stele streams` lists what is there";
    for (const auto& name : close) message += (&name == &close.front() ? "there is \"" : ", \"") + name + '"';
    return NotFound{message, {{"store", store.name()}, {"stream", id.name()}, {"close", close}}};
}

NotFound no_such_version(const EventStore& store, const StreamId& id, Version wanted, Version last) {
    return NotFound{store.name() + ": " + id.name() + " has no version " + std::to_string(wanted.value()) +
                        "; its last is " + std::to_string(last.value()),
                    {{"store", store.name()},
                     {"stream", id.name()},
                     {"version", wanted.value()},
                     {"last_version", last.value()}}};
}

NotFound nothing_yet(const EventStore& store, const StreamId& id, const ReplayOptions& options) {
    const auto within = bounds(options);
    auto message = store.name() + ": " + id.name() + ": no event" + (within.empty() ? "" : " " + within);
    nlohmann::json facts{{"store", store.name()}, {"stream", id.name()}};
    bool any = false;
    for (const Event& first : store.read(stream(id).limit(1))) {
        any = true;
        const bool recorded = options.time_of == TimeOf::recorded;
        const auto time = to_rfc3339(recorded ? first.recorded_at : first.occurred_at);
        message += "; its first is version " + std::to_string(first.version.value()) + ", position " +
                   std::to_string(first.position.value()) + (recorded ? ", recorded at " : ", occurred at ") + time;
        if (recorded && options.at_time && first.occurred_at <= *options.at_time)
            message += "; by when it occurred, " + to_rfc3339(first.occurred_at) + ", it was there: --occurred";
        facts["first_version"] = first.version.value();
        facts["first_position"] = first.position.value();
        facts[recorded ? "first_recorded_at" : "first_occurred_at"] = time;
    }
    if (!any)
        message += "; upcasters make nothing of the " +
                   std::to_string(store.version(id).value_or(Version{}).value()) +
                   " that are stored; read raw (--raw) they are there";
    return NotFound{message, std::move(facts)};
}

}  // namespace stele
