// Checkpoints: never beside a commit (trap 33), never starved by a reader (trap 31), never a loss.
#include "appender.hpp"
#include "sound_log.hpp"

#include <stele/test/catch.hpp>
#include <stele/test/store.hpp>
#include <stele/test/temporary_folder.hpp>

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <array>
#include <optional>
#include <random>
#include <thread>

namespace fs = std::filesystem;
using namespace stele;
using namespace stele::test;

namespace {

// Whether somebody else could commit now.
bool could_commit(const fs::path& store) {
    SQLite::Database db{(store / "events.db").string(), SQLite::OPEN_READWRITE, 0, sound_disk().vfs()};
    sqlite3_db_config(db.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    try {
        db.exec("BEGIN IMMEDIATE");
        db.exec("ROLLBACK");
        return true;
    } catch (const SQLite::Exception& busy) {
        CHECK(busy.getErrorCode() == SQLITE_BUSY);
        return false;
    }
}

void append_many(EventStore& store, int appends) {
    for (int n = 0; n < appends; ++n) {
        store.append({"Order", std::to_string(n % 7)}, expect::any,
                     {stele::event("OrderPlaced", {{"n", n}, {"note", std::string(300, 'x')}})});
    }
}

}  // namespace

// Goal:   trap 33: while a checkpoint runs, no process commits.
// Method: hold our checkpoint at its first write to the database file; another process must find the store busy;
//         after the release it gets through.
TEST_CASE("an append of another process waits while a checkpoint runs", "[fault][process][trap33]") {
    FaultyDisk disk{{.models_power = false, .is_default = false, .root = {}}};
    const auto path = disk / "shop.stele";
    auto store = EventStore::open(path.string(), on(disk, {.checkpoint_pages = 20}));

    auto pause = disk.pause({.op = Op::write, .nth = 1, .file = "events.db"});
    std::thread writer{[&] { append_many(store, 40); }};
    REQUIRE(pause.reached());
    CHECK_FALSE(could_commit(path));
    Process other = start_appender(path, {.name = "other", .deadline = std::chrono::milliseconds{50}});
    CHECK(other.read_line() == "open");
    CHECK(other.read_line() == "busy other/0 0");

    pause.release();
    writer.join();
    Promises promises;
    promises.note_rest(other);
    CHECK(other.wait() == 0);
    CHECK(promises.acknowledged() == 1);
    CHECK(types_in(store).size() == 41);
    CHECK(integrity(path) == "ok");
}

// The other half: SQLite checkpoints by itself, beside others' commits, when a connection has not been told not to.
TEST_CASE("nothing writes to the database file while another process could commit", "[fault][store][trap33]") {
    constexpr int writes = 12;
    for (int nth = 1; nth <= writes; nth += 3) {
        CAPTURE(nth);
        FaultyDisk disk{{.models_power = false, .is_default = false, .root = {}}};
        const auto path = disk / "shop.stele";
        { (void)EventStore::open(path.string(), on(disk)); }
        auto pause = disk.pause({.op = Op::write, .nth = nth, .file = "events.db"});
        std::thread life{[&] {
            {
                auto store = EventStore::open(path.string(), on(disk, {.checkpoint_pages = 25}));
                append_many(store, 60);
                (void)types_in(store);
            }
            (void)types_in(EventStore::open(path.string(), on(disk)));
        }};
        REQUIRE(pause.reached());
        CHECK_FALSE(could_commit(path));
        pause.release();
        life.join();
    }
}

TEST_CASE("a store that is opened, read and closed writes nothing to the database file", "[fault][store][trap33]") {
    FaultyDisk disk{{.models_power = false, .is_default = false, .root = {}}};
    const auto path = disk / "shop.stele";
    {
        auto store = EventStore::open(path.string(), on(disk));
        append_many(store, 20);
    }
    const int before = disk.seen(Op::write | Op::truncate | Op::remove);
    {
        const auto store = EventStore::open(path.string(), on(disk));
        CHECK(types_in(store).size() == 20);
    }
    CHECK(disk.seen(Op::write | Op::truncate | Op::remove) == before);
}

TEST_CASE("a long mixed load of several processes leaves a sound store", "[fault][process][trap33]") {
    const std::uint64_t seed = std::random_device{}();
    CAPTURE(seed);
    const TemporaryFolder folder;
    const auto path = folder / "busy.stele";
    Promises promises;
    std::vector<Process> appenders;
    for (int p = 0; p < 3; ++p) {
        appenders.push_back(start_appender(path, {.name = std::to_string(p),
                                                  .threads = 3,
                                                  .appends = 250,
                                                  .seed = seed + static_cast<std::uint64_t>(p) * 100,
                                                  .relaxed = p == 2,
                                                  .checkpoint_pages = 10 + 20 * p}));
    }
    REQUIRE(appenders.front().read_line() == "open");

    // readers of this process at the same time: what they see is always a prefix without gaps (L2)
    std::array<std::optional<std::string>, 2> wrong;
    std::vector<std::thread> readers;
    for (auto& complaint : wrong) {
        readers.emplace_back([&path, &complaint] {
            const auto store = EventStore::open(path.string(), on(sound_disk()));
            std::int64_t seen = 0;
            while (seen < 2'000 && !complaint) {
                std::int64_t last = 0;
                for (const Event& event : store.read(all())) {
                    if (event.position.value() != ++last) complaint = "a gap before " + std::to_string(last);
                }
                if (last < seen) complaint = "events went away behind " + std::to_string(last);
                seen = last;
            }
        });
    }
    for (Process& appender : appenders) promises.note_rest(appender);
    for (Process& appender : appenders) CHECK(appender.wait() == 0);
    for (auto& reader : readers) reader.join();
    for (const auto& complaint : wrong) CHECK(complaint.value_or("") == "");

    CHECK(promises.acknowledged() == 3 * 3 * 250);
    promises.check(sound_log(path));
}

TEST_CASE("a store that was written to leaves a small WAL behind when it is closed", "[fault][store]") {
    constexpr std::uintmax_t frame = 4096 + 24;
    const TemporaryFolder folder;
    const auto path = folder / "full.stele";
    const auto wal = path / "events.db-wal";
    {
        auto store = EventStore::open(path.string(), on(sound_disk()));
        while (fs::file_size(wal) < 2'000 * frame) append_many(store, 500);
        const auto other = EventStore::open(path.string(), on(sound_disk()));  // it is open, and reads nothing
        CHECK(other.head() == store.head());
    }
    CHECK(fs::file_size(wal) < 10 * frame);

    const auto store = EventStore::open(path.string(), on(sound_disk()));
    CHECK(types_in(store).size() == static_cast<std::size_t>(store.head().value()));
    CHECK(store.head() >= Position{500});
}

// Goal:   trap 31: a slow reader does not keep the WAL from being used again.
// Method: stand in the midst of a read of the whole log, append many times what the WAL may hold, look at its size.
TEST_CASE("a reader that reads slowly lets the WAL be used again", "[fault][store][trap31]") {
    constexpr int pages = 100;
    const TemporaryFolder folder;
    const auto path = folder / "slow.stele";
    auto store = EventStore::open(path.string(), on(sound_disk(), {.checkpoint_pages = pages}));
    append_many(store, 2'000);

    const auto slow = store.read(all());
    auto event = slow.begin();
    const auto stream = store.read({"Order", "1"});
    auto stream_event = stream.begin();
    append_many(store, 2'000);
    for (int i = 0; i < 600; ++i) ++event;
    ++stream_event;
    append_many(store, 2'000);

    constexpr std::uintmax_t frame = 4096 + 24;
    CHECK(fs::file_size(path / "events.db-wal") < 3 * pages * frame);
    int rest = 600;
    for (; event != slow.end(); ++event) ++rest;
    CHECK(rest == 2'000);  // the range ends where the log ended when it began
}
