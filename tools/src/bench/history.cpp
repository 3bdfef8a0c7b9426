#include "history.hpp"

#include "workload.hpp"

#include <stele/schema/event_json.hpp>

#include <zlib.h>

#include <array>
#include <memory>
#include <sstream>
#include <unordered_map>

namespace stele::bench {
namespace {

using GzFile = std::unique_ptr<gzFile_s, int (*)(gzFile)>;

GzFile open_gz(const std::filesystem::path& file, const char* mode) {
    GzFile opened{gzopen(file.c_str(), mode), &gzclose};
    if (!opened) throw BenchError("bench: cannot open " + file.string());
    gzbuffer(opened.get(), 1U << 16U);
    return opened;
}

// The number of `key`, which is the next one where it is new.
template <class Key, class Made>
std::size_t numbered(std::unordered_map<std::string, std::size_t>& numbers, const std::string& name,
                     std::vector<Key>& keys, Made&& made) {
    const auto [at, is_new] = numbers.try_emplace(name, keys.size());
    if (is_new) keys.push_back(made());
    return at->second;
}

std::uint64_t files_in(std::uint64_t commit) { return 1 + mixed(commit) % 5; }

// 40 hexadecimal digits, as git's object names have.
std::string object_name(std::uint64_t number) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string name;
    for (std::uint64_t part = 0; name.size() < 40; ++part) {
        auto bits = mixed(number * 3 + part);
        for (int i = 0; i < 16 && name.size() < 40; ++i, bits >>= 4U) name += digits[bits & 15U];
    }
    return name;
}

std::string author_of(std::uint64_t commit) {
    const auto draw = mixed(commit);
    auto name = std::to_string(10'000 + draw % (1 + draw % 1'400));
    name.insert(0, 1, 'c');
    return name;
}

// The end of a line, which is the same for a commit and its files.
void finish(std::ostringstream& line, std::uint64_t commit) {
    line << R"(},"metadata":{"actor":")" << author_of(commit) << R"(","correlation_id":")" << object_name(commit)
         << "\"}}\n";
}

std::string commit_line(std::uint64_t commit, const std::string& time) {
    std::ostringstream line;
    line << R"({"aggregate_type":"contributor","aggregate_id":")" << author_of(commit)
         << R"(","type":"CommitLanded","occurred_at":")" << time << R"(","data":{"commit":")" << object_name(commit)
         << R"(","subject":"lib: a change that is like many others","files_changed":)" << files_in(commit);
    finish(line, commit);
    return line.str();
}

std::string file_line(std::uint64_t number, std::uint64_t commit, const std::string& time) {
    const auto draw = mixed(number);
    std::ostringstream line;
    line << R"({"aggregate_type":"file","aggregate_id":"lib/part-)" << draw % (1 + draw % 900) << R"(.c","type":")"
         << (draw % 20 == 0 ? "FileAdded" : "FileModified") << R"(","occurred_at":")" << time
         << R"(","data":{"mode":"100644","blob":")" << object_name(number) << R"(","previous_blob":")"
         << object_name(number + 1) << R"(","insertions":)" << draw % 97 << R"(,"deletions":)" << draw % 41;
    finish(line, commit);
    return line.str();
}

}  // namespace

void for_each_line(const std::filesystem::path& file, const std::function<void(std::string_view)>& visit) {
    const auto in = open_gz(file, "rb");
    std::array<char, 1U << 16U> buffer;
    std::string rest;  // of a line whose end has not been read
    for (;;) {
        const int n = gzread(in.get(), buffer.data(), buffer.size());
        if (n < 0) throw BenchError("bench: " + file.string() + " is damaged");
        if (n == 0) break;
        std::string_view text{buffer.data(), static_cast<std::size_t>(n)};
        for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
            rest += text.substr(0, end);
            visit(rest);
            rest.clear();
            text.remove_prefix(end + 1);
        }
        rest += text;
    }
    if (!rest.empty()) visit(rest);
}

ParsedHistory parse_history(const std::filesystem::path& file) {
    ParsedHistory history;
    std::unordered_map<std::string, std::size_t> streams;
    std::unordered_map<std::string, std::size_t> types;
    for_each_line(file, [&](std::string_view line) {
        EventLine parsed = parse_event_line(line);
        const auto& stream = parsed.stream;
        const auto& type = parsed.event.type;
        const auto stream_number = numbered(streams, stream.name(), history.streams, [&] { return stream; });
        const auto type_number = numbered(types, type, history.types, [&] { return type; });
        history.events.push_back({stream_number, type_number, std::move(parsed.event)});
    });
    return history;
}

void make_history(const std::filesystem::path& file, std::size_t lines) {
    const auto out = open_gz(file, "wb");
    const auto start = parse_rfc3339("1999-12-29T14:20:26Z");
    std::uint64_t commit = 0;
    std::string time;
    for (std::size_t i = 0, files_left = 0; i < lines; ++i) {
        std::string line;
        if (files_left == 0) {
            files_left = files_in(++commit);
            time = to_rfc3339(start + std::chrono::minutes{commit * 701});
            time.resize(time.find('.'));  // whole seconds, as in the real one
            time += 'Z';
            line = commit_line(commit, time);
        } else {
            --files_left;
            line = file_line(i, commit, time);
        }
        if (gzwrite(out.get(), line.data(), static_cast<unsigned>(line.size())) <= 0)
            throw BenchError("bench: cannot write " + file.string());
    }
}

}  // namespace stele::bench
