#include "sound_log.hpp"

#include <stele/test/store.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <map>
#include <set>

namespace fs = std::filesystem;

namespace stele::test {

namespace {

void check_order(const std::vector<Event>& events) {
    Position position;
    Timestamp recorded_at = Timestamp::min();
    std::map<StreamId, Version> versions;
    for (const Event& event : events) {
        CHECK(event.position == position.next());
        CHECK(event.version == versions[event.stream].next());
        CHECK(event.recorded_at >= recorded_at);
        position = event.position;
        versions[event.stream] = event.version;
        recorded_at = event.recorded_at;
    }
}

void check_lookups(const EventStore& store, const std::vector<Event>& events) {
    std::map<StreamId, Version> versions;
    std::map<std::string, std::int64_t> types;
    std::map<std::string, Numbers> tagged;
    for (const Event& event : events) {
        versions[event.stream] = event.version;
        ++types[event.type];
        for (const std::string& tag : event.tags) tagged[tag].push_back(event.position.value());
    }
    CHECK(store.head().value() == static_cast<std::int64_t>(events.size()));
    for (const auto& [stream, version] : versions) CHECK(store.version(stream) == version);
    for (const auto& [tag, positions] : tagged) CHECK(positions_in(store, matching(tags(tag))) == positions);

    std::map<std::string, std::int64_t> listed;
    for (const TypeInfo& type : store.types()) listed[type.type] = type.count;
    CHECK(listed == types);
    std::size_t streams = 0;
    store.streams([&](const StreamInfo& info) {
        CHECK(versions[info.stream] == info.version);
        ++streams;
        return true;
    });
    CHECK(streams == versions.size());
}

}  // namespace

const FaultyDisk& sound_disk() {
    static const FaultyDisk disk{FaultyDisk::Setup{.models_power = false, .is_default = false, .root = {}}};
    return disk;
}

Options on(const FaultyDisk& disk, Options options) {
    options.sqlite_vfs = disk.vfs();
    return options;
}

std::string integrity(const fs::path& folder) {
    SQLite::Database db{(folder / "events.db").string(), SQLite::OPEN_READWRITE, 5000, sound_disk().vfs()};
    return db.execAndGet("PRAGMA integrity_check").getString();
}

std::vector<Event> sound_log(const fs::path& folder) {
    if (!fs::exists(folder / "events.db")) return {};
    CHECK(integrity(folder) == "ok");
    const auto store = EventStore::open(folder.string(), on(sound_disk()));
    auto events = events_in(store);
    check_order(events);
    check_lookups(store, events);
    return events;
}

std::size_t size_of(const Append& append) {
    std::size_t size = 0;
    for (const AppendPart& part : append.parts()) size += part.events.size();
    return size;
}

std::size_t count_of(const Append& append, const std::vector<Event>& events) {
    std::vector<EventId> wanted;
    for (const AppendPart& part : append.parts()) {
        for (const NewEvent& event : part.events) wanted.push_back(event.id);
    }
    std::vector<EventId> found;
    Position last;
    for (const Event& event : events) {
        if (std::ranges::find(wanted, event.id) == wanted.end()) continue;
        if (!found.empty()) CHECK(event.position == last.next());
        last = event.position;
        found.push_back(event.id);
    }
    CHECK((found.empty() || found == wanted));
    return found.size();
}

}  // namespace stele::test
