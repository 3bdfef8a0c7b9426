#include "same_rows.hpp"

#include "workload.hpp"

#include <functional>
#include <sstream>
#include <unordered_map>

namespace stele::bench {
namespace {

std::uint64_t hash_of(std::string_view text) { return std::hash<std::string_view>{}(text); }
std::uint64_t chained(std::uint64_t hash, std::uint64_t next) { return mixed(hash ^ next); }

std::string_view bytes_of(const EventId& id) {
    return {reinterpret_cast<const char*>(id.bytes().data()), id.bytes().size()};
}

struct Fields {
    std::int64_t position;
    std::int64_t version;
    std::string_view stream;
    std::string_view type;
    int schema_version;
    std::string_view id;
    std::string_view data;
    std::string_view metadata;
    std::string_view tags;     // as a JSON array, empty without
    std::int64_t occurred_at;  // 0 where it is recorded_at
};

void add_to(Fingerprint& print, const Fields& row) {
    const auto stream = hash_of(row.stream);
    auto content = chained(stream, hash_of(row.type));
    content = chained(content, static_cast<std::uint64_t>(row.schema_version));
    for (const auto part : {row.data, row.metadata, row.tags}) content = chained(content, hash_of(part));
    content = chained(content, static_cast<std::uint64_t>(row.occurred_at));

    ++print.events;
    print.contents += content;
    print.ids += chained(content, hash_of(row.id));
    print.versions += chained(stream, static_cast<std::uint64_t>(row.version));
    print.order += chained(chained(content, static_cast<std::uint64_t>(row.position)),
                           static_cast<std::uint64_t>(row.version));
}

std::ostream& operator<<(std::ostream& out, const Fingerprint& print) {
    return out << print.events << " events, contents " << std::hex << print.contents << ", ids " << print.ids
               << ", versions " << print.versions << ", order " << print.order << std::dec;
}

}  // namespace

void Fingerprint::add(const Event& event) {
    const auto tags = event.tags.empty() ? std::string{} : nlohmann::json(event.tags).dump();
    add_to(*this, {event.position.value(), event.version.value(), event.stream.name(), event.type,
                   event.schema_version, bytes_of(event.id), event.data.text(), event.metadata.text(), tags,
                   event.occurred_at == event.recorded_at ? 0 : event.occurred_at.time_since_epoch().count()});
}

void Fingerprint::add(const BareRow& row, std::string_view stream_name) {
    add_to(*this, {row.position,
                   row.version,
                   stream_name,
                   row.type,
                   row.schema_version,
                   {reinterpret_cast<const char*>(row.id), sizeof row.id},
                   row.data,
                   row.metadata,
                   row.tags,
                   row.occurred_at == row.recorded_at ? 0 : row.occurred_at});
}

Fingerprint fingerprint(const EventStore& store) {
    Fingerprint print;
    for (const Event& event : store.read(all())) print.add(event);
    return print;
}

Fingerprint fingerprint(BareReader& reader) {
    std::unordered_map<std::int64_t, std::string> names;
    Fingerprint print;
    reader.read_log([&](const BareRow& row) {
        auto& name = names[row.stream];
        if (name.empty()) name = reader.stream_name(row.stream);
        print.add(row, name);
    });
    return print;
}

std::size_t require_same(const EventStore& store, const std::filesystem::path& bare_file, Order order, Ids ids) {
    BareReader reader{bare_file};
    return require_same(fingerprint(store), fingerprint(reader), order, ids);
}

std::size_t require_same(const Fingerprint& stele, const Fingerprint& bare, Order order, Ids ids) {
    const bool same = stele.events == bare.events && stele.contents == bare.contents &&
                      stele.versions == bare.versions && (ids == Ids::own || stele.ids == bare.ids) &&
                      (order == Order::any || stele.order == bare.order);
    if (!same) {
        std::ostringstream message;
        message << "the two sides stored different rows: Stele " << stele << "; bare SQLite " << bare;
        throw BenchError(message.str());
    }
    return stele.events;
}

}  // namespace stele::bench
