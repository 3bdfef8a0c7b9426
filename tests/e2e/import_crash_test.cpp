// An import that is killed and started again ends as if it had never been killed: every line once, in order.
#include "../fault/sound_log.hpp"

#include <stele/schema/event_json.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/kill_at_every_step.hpp>
#include <stele/test/temporary_folder.hpp>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace fs = std::filesystem;
using namespace stele;
using namespace stele::test;

namespace {

using Lines = std::vector<std::string>;

EventId made_up_id(std::mt19937& random) {
    std::array<unsigned char, 16> bytes{};
    for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random());
    return EventId::from_bytes(bytes);
}

/// Event lines like those of a real history: many streams, few of them long, some lines with an id or tags. Always
/// the same ones.
Lines made_up_history(int count) {
    std::mt19937 random{20'26};
    Lines lines;
    for (int n = 0; n < count; ++n) {
        const auto draw = random();
        const auto file = (draw >> 8) % (1 + (draw & 0xff));
        std::string line = R"({"aggregate_type":"file","aggregate_id":"lib/f)" + std::to_string(file) +
                           R"(.c","type":")" + (draw % 7 == 0 ? "FileAdded" : "FileModified") +
                           R"(","data":{"line":)" + std::to_string(n) + R"(, "inserted": )" +
                           std::to_string(draw % 900) + R"(},"metadata":{"actor":"c)" + std::to_string(draw % 97) +
                           R"("})";
        if (n % 5 == 0) line += R"(,"tags":["author:)" + std::to_string(draw % 11) + R"("])";
        if (n % 3 == 0) line += R"(,"id":")" + made_up_id(random).to_string() + R"(")";
        lines.push_back(line + "}");
    }
    return lines;
}

void write_lines(const fs::path& path, const Lines& lines) {
    std::ofstream out{path, std::ios::binary};
    for (const std::string& line : lines) out << line << '\n';
    if (!out.flush()) throw std::runtime_error{"cannot write " + path.string()};
}

Lines read_gzip(const fs::path& path) {
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file{::gzopen(path.c_str(), "rb"), ::gzclose};
    if (file == nullptr) throw std::runtime_error{"cannot read " + path.string()};
    std::string text;
    std::vector<char> bytes(1 << 20);
    for (int n = 0; (n = ::gzread(file.get(), bytes.data(), static_cast<unsigned>(bytes.size()))) > 0;) {
        text.append(bytes.data(), static_cast<std::size_t>(n));
    }
    Lines lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

std::vector<std::string> import_command(const fs::path& store, const fs::path& file, int batch) {
    return {STELE_ON_TEST_DISK, "import",  file.string(),        "--store",
            store.string(),     "--batch", std::to_string(batch)};
}

/// Imports `file`, killed at `disk`'s will. The exit status.
int import(const fs::path& store, const fs::path& file, int batch, const std::string& disk) {
    Process process{import_command(store, file, batch), {{"STELE_TEST_DISK", disk}}};
    process.close_input();
    (void)process.read_all();
    return process.wait();
}

/// Fails the test unless `events` are the first lines of the file, each as it stands there.
void check_prefix(const std::vector<Event>& events, const Lines& lines) {
    REQUIRE(events.size() <= lines.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
        const auto [stream, event] = parse_event_line(lines[i]);
        const Event& found = events[i];
        const bool same = found.stream == stream && found.type == event.type && found.data == event.data &&
                          found.metadata == event.metadata && found.tags == event.tags &&
                          found.schema_version == event.schema_version &&
                          (!event.occurred_at || found.occurred_at == *event.occurred_at);
        CAPTURE(i + 1, lines[i]);
        REQUIRE(same);
    }
}

/// Kills the import of `file` at `kills` moments drawn from a seed, starting again each time where the last one
/// stopped, or, once it came to the end, with a new store. Every finished store must hold the lines.
void kill_at_random(const fs::path& file, const Lines& lines, int kills, int batch) {
    const std::uint64_t seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const TemporaryFolder folder{memory()};
    int stores = 0;
    int killed = 0;
    bool finished = true;
    fs::path store;
    while (killed < kills || !finished) {
        if (finished) store = folder / ("import-" + std::to_string(++stores) + ".stele");
        // early in a run as often as late: the making of the store, the first batch, a checkpoint, the end
        const int magnitude = std::uniform_int_distribution<int>{2, 14}(random);
        const int nth = std::uniform_int_distribution<int>{1, 1 << magnitude}(random);
        CAPTURE(stores, killed, nth);
        const auto when = kill_at({.op = changes, .nth = nth, .file = {}});
        const int status = import(store, file, batch, killed < kills ? when : on_sound_disk());
        finished = status == 0;
        killed += status == 128 + SIGKILL;
        REQUIRE((finished || status == 128 + SIGKILL));
        if (!finished) continue;
        const auto events = sound_log(store);
        CHECK(events.size() == lines.size());
        check_prefix(events, lines);
        fs::remove_all(store);
    }
}

}  // namespace

TEST_CASE("an import killed at every step and run again ends with every line once, in order", "[e2e][import]") {
    const TemporaryFolder folder{memory()};
    const Lines lines = made_up_history(40);
    const auto file = folder / "history.jsonl";
    write_lines(file, lines);
    fs::path store;

    const int killed = kill_at_every_step(
        [&](int nth) {
            store = folder / ("step-" + std::to_string(nth) + ".stele");
            return import_command(store, file, 15);
        },
        [&](int nth, const std::string&, int status) {
            CAPTURE(nth);
            REQUIRE((status == 0 || status == 128 + SIGKILL));
            const auto before = sound_log(store);
            check_prefix(before, lines);
            CHECK((before.size() % 15 == 0 || before.size() == lines.size()));  // whole batches (L4)

            CHECK(import(store, file, 15, on_sound_disk()) == 0);
            const auto events = sound_log(store);
            CHECK(events.size() == lines.size());
            check_prefix(events, lines);
            for (std::size_t i = 0; i < before.size(); ++i) CHECK(events[i] == before[i]);  // L1
        },
        3);
    CHECK(killed > 20);
}

TEST_CASE("an import killed at twenty random moments ends with every line once, in order", "[e2e][import]") {
    const TemporaryFolder folder{memory()};
    const Lines lines = made_up_history(6'000);
    const auto file = folder / "history.jsonl";
    write_lines(file, lines);
    kill_at_random(file, lines, 20, 250);
}

// The whole history, where it stands beside this repository (../shared/data, or the folder that STELE_SHARED_DATA
// names).
TEST_CASE("curl's history, its import killed at twenty random moments, is there in order", "[e2e][import][data]") {
    const char* elsewhere = std::getenv("STELE_SHARED_DATA");
    const fs::path data = elsewhere != nullptr ? fs::path{elsewhere} : fs::path{STELE_SOURCES} / "../shared/data";
    const auto file = data / "history" / "curl-history.jsonl.gz";
    if (!fs::exists(file)) {
        WARN("skipped: set STELE_SHARED_DATA to the folder that holds history/curl-history.jsonl.gz");
        SUCCEED();
        return;
    }
    const Lines lines = read_gzip(file);
    REQUIRE(lines.size() == 74'702);
    kill_at_random(file, lines, 20, 1000);
}
