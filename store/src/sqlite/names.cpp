#include "names.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace stele::sqlite {

namespace {

constexpr std::size_t fewest_streams = 64;

[[noreturn]] void dangling(const char* what, std::int64_t number) {
    throw StoreError{"corrupt",
                     std::string("events.db: an event refers to ") + what + " " + std::to_string(number) +
                         ", which is not there; do not write to it; restore it from a backup",
                     {{"what", what}, {"number", number}}};
}

}  // namespace

Names::Names(sqlite3* db)
    : find_stream_(db, sql::stream_name),
      find_stream_number_(db, sql::stream_number),
      find_type_(db, sql::type_name),
      find_type_number_(db, sql::type_number),
      streams_(fewest_streams) {}

const StreamId& Names::look_up_stream(std::int64_t number) {
    const Use row{find_stream_};
    row->bind(1, number);
    if (!row->step()) dangling("stream", number);
    if (4 * known_streams_ >= streams_.size() && streams_.size() < most_streams) {
        std::vector<Slot> larger(2 * streams_.size());
        larger.swap(streams_);
        for (auto& slot : larger) {
            if (slot.number != 0) slot_of(slot.number) = std::move(slot);
        }
    }
    auto& slot = slot_of(number);
    if (slot.number == 0) ++known_streams_;
    slot = {number, StreamId{row->text(0), row->text(1), row->text(2)}};
    return *slot.stream;
}

std::optional<std::int64_t> Names::number_of(const StreamId& stream) {
    if (const auto known = stream_numbers_.find(stream); known != stream_numbers_.end()) return known->second;
    const Use row{find_stream_number_};
    row->bind(1, stream.tenant());
    row->bind(2, stream.aggregate_type());
    row->bind(3, stream.aggregate_id());
    if (!row->step()) return {};
    if (stream_numbers_.size() == most_numbers) stream_numbers_.clear();
    return stream_numbers_.emplace(stream, row->integer(0)).first->second;
}

const std::string& Names::look_up_type(std::int64_t number) {
    const Use row{find_type_};
    row->bind(1, number);
    if (!row->step()) dangling("type", number);
    const auto at = static_cast<std::size_t>(number);
    if (at >= types_.size()) types_.resize(at + 1);
    return types_[at] = row->text(0);
}

std::optional<std::int64_t> Names::number_of_type(const std::string& name) {
    if (const auto known = type_numbers_.find(name); known != type_numbers_.end()) return known->second;
    const Use row{find_type_number_};
    row->bind(1, name);
    if (!row->step()) return {};
    return type_numbers_.emplace(name, row->integer(0)).first->second;
}

void Names::forget() {
    streams_.assign(fewest_streams, {});
    known_streams_ = 0;
    stream_numbers_.clear();
    types_.clear();
    type_numbers_.clear();
}

std::string encode_tags(const std::vector<std::string>& tags) {
    std::string json{"["};
    for (const auto& tag : tags) {
        if (json.size() > 1) json += ',';
        const bool plain = std::none_of(tag.begin(), tag.end(), [](char c) {
            return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
        });
        if (plain) {
            json.append(1, '"').append(tag).append(1, '"');
        } else {
            json += nlohmann::json(tag).dump();
        }
    }
    return json += ']';
}

void decode_tags(std::string_view json, std::vector<std::string>& tags) {
    tags.clear();
    if (json.size() <= 2) return;
    if (json.find('\\') != std::string_view::npos) {
        nlohmann::json::parse(json).get_to(tags);
        return;
    }
    // ["a","b"]: without an escape, every second quote ends a tag.
    for (std::size_t begin = 2; begin < json.size();) {
        const auto end = json.find('"', begin);
        if (end == std::string_view::npos) break;
        tags.emplace_back(json.substr(begin, end - begin));
        begin = end + 3;
    }
}

}  // namespace stele::sqlite
