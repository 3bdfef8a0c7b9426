// What SQLite does to a file that is a log: vacuuming, copying, checkpoints.
#include "sqlite_backend.hpp"

#include <atomic>
#include <exception>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

namespace fs = std::filesystem;
using namespace stele;
using test::RawConnection;

namespace {

const StreamId site{"Site", "site-42"};
const StreamId order{"acme", "Order", "order-7"};

Options relaxed() {
    Options options;
    options.durability = Durability::relaxed;
    return options;
}

void fill(EventStore& store, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        store.append(Append{}
                         .to(site, expect::any, {test::event("SiteChanged", {"s"}), test::event("BackupFailed")})
                         .to(order, expect::any, {test::event("OrderPaid", {"o", "paid"})})
                         .tracking("feed", i + 1));
    }
}

void append_singly(EventStore& store, int events) {
    for (int i = 0; i < events; ++i) test::seed(store, site, {"SiteChanged"});
}

/// A store whose WAL is due for a checkpoint soon, with an event more in it.
EventStore open_with_small_wal(const test::SqliteBackend& backend) {
    auto options = relaxed();
    options.checkpoint_pages = 100;
    auto store = EventStore::open(backend.address(), options);
    append_singly(store, 1);
    return store;
}

/// How often the WAL has begun anew: the "checkpoint sequence number" of its header
/// (https://sqlite.org/fileformat2.html, "The Write-Ahead Log").
std::uint32_t times_begun_anew(const test::SqliteBackend& backend) {
    std::ifstream wal{backend.file() + "-wal", std::ios::binary};
    wal.seekg(12);
    std::uint32_t number = 0;
    for (int i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned>(wal.get());
    REQUIRE(wal);
    return number;
}

/// A read transaction of another process's kind, which sees the log as it is now for as long as this one lives.
class HeldRead {
public:
    explicit HeldRead(const test::SqliteBackend& backend) : connection_(backend.connect()) {
        connection_->execute("BEGIN");
        (void)connection_->rows("SELECT count(*) FROM types");
    }
    /// Works at it for a while.
    void look_closely() {
        (void)connection_->rows(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
            "SELECT count(*) FROM n, types");
    }

private:
    std::unique_ptr<RawConnection> connection_;
};

/// Reads the log without a rest: each read begins before the one before it ends.
class EndlessRead {
public:
    explicit EndlessRead(const test::SqliteBackend& backend)
        : held_(std::make_unique<HeldRead>(backend)), reader_([this, &backend] {
              try {
                  while (!done_) {
                      held_->look_closely();
                      auto next = std::make_unique<HeldRead>(backend);
                      std::swap(held_, next);
                  }
              } catch (...) {
                  error_ = std::current_exception();
              }
          }) {}
    ~EndlessRead() { join(); }
    /// Throws what a read threw.
    void end() {
        join();
        if (error_) std::rethrow_exception(error_);
    }
    EndlessRead(const EndlessRead&) = delete;
    EndlessRead& operator=(const EndlessRead&) = delete;

private:
    void join() {
        done_ = true;
        if (reader_.joinable()) reader_.join();
    }

    std::atomic<bool> done_ = false;
    std::unique_ptr<HeldRead> held_;
    std::exception_ptr error_;
    std::thread reader_;  ///< last: it uses what stands above
};

}  // namespace

// Trap 15: rowids that VACUUM renumbers, and a top rowid that is handed out again.
TEST_CASE("VACUUM and VACUUM INTO leave positions, versions and ids as they are", "[contract][sqlite]") {
    const test::SqliteBackend backend;
    auto store = EventStore::open(backend.address(), relaxed());
    fill(store, 100);
    const auto repeated = Append{}.to(site, expect::any, {test::event("SiteArchived", {"s"})});
    const auto first = store.append(repeated);
    const auto before = test::events_in(store);

    const test::TemporaryFolder folder;
    const fs::path copy = folder / "copy.stele";
    fs::create_directories(copy);
    backend.connect()->execute("VACUUM INTO '" + (copy / "events.db").string() + "'");
    backend.connect()->execute("VACUUM");
    auto copied = EventStore::open(copy.string());

    for (EventStore* each : {&store, &copied}) {
        CHECK((test::events_in(*each) == before));
        CHECK(each->head() == Position{301});
        CHECK(each->tracked("feed")->position == 100);
        CHECK(test::positions_in(*each, matching(types("OrderPaid"), tags("paid"))).size() == 100);
        const auto again = each->append(repeated);
        CHECK(again.duplicate);
        CHECK(again.first_position == first.first_position);
        CHECK(test::outcome<ConditionConflict>(
                  each->try_append(Append{}.to(site, expect::any, {test::event("a")}).unless(matching(tags("o")))))
                  .position == Position{300});
        CHECK(test::seed(*each, order, {"OrderShipped"}).first_position == Position{302});
        CHECK(each->version(order) == Version{101});
    }
}

// Trap 2: a gap that is dead cannot be told from one that is slow, where a number is used up by who did not commit.
TEST_CASE("a transaction that inserts and is never committed leaves no gap", "[contract][sqlite][L2]") {
    const test::SqliteBackend backend;
    auto store = EventStore::open(backend.address(), relaxed());
    test::seed(store, site, {"SiteCreated"});
    auto subscription = store.subscribe({}, store.head());
    for (std::int64_t head = 1; head <= 20; ++head) {
        auto leaked = backend.connect();
        leaked->execute("BEGIN IMMEDIATE");
        leaked->execute(
            "INSERT INTO events SELECT position + 1, stream, version + 1, type, schema_version, randomblob(16), "
            "occurred_at, recorded_at, data, metadata, tags FROM events ORDER BY position DESC LIMIT 1");
        CHECK(store.head() == Position{head});
        CHECK(test::positions_in(store, all().after(Position{head})).empty());
        CHECK(subscription.next_page(std::chrono::milliseconds{0}).empty());
        CHECK(subscription.position() == Position{head});
        leaked.reset();

        CHECK(test::seed(store, site, {"SiteChanged"}).first_position == Position{head + 1});
        const Event* next = subscription.next();
        REQUIRE(next != nullptr);
        CHECK(next->position == Position{head + 1});
    }
}

// Trap 31: an open read transaction keeps the WAL from being copied, and it grows without end.
TEST_CASE("no read, subscription or listing holds a transaction while its caller thinks", "[contract][sqlite]") {
    const test::SqliteBackend backend;
    auto store = EventStore::open(backend.address(), relaxed());
    fill(store, 1'000);

    std::vector<EventRange> reads;
    std::vector<EventRange::iterator> places;
    for (const Read& read :
         {all(), all().backward(), stele::stream(site), all().tag("o"), all().types({"OrderPaid"}),
          all().tenant("acme"), Read{matching(types("OrderPaid")) | matching(tags("s"))}}) {
        reads.push_back(store.read(read));
        places.push_back(reads.back().begin());
        ++places.back();
    }
    auto subscription = store.subscribe();
    REQUIRE(subscription.next() != nullptr);
    (void)store.info();
    (void)store.find(reads[0].begin()->id);

    // A truncating checkpoint says busy as long as anybody reads.
    const auto truncated = [&] {
        return backend.connect()->rows("PRAGMA wal_checkpoint(TRUNCATE)").front().front();
    };
    CHECK(truncated() == "0");
    store.streams([&](const StreamInfo&) {
        CHECK(truncated() == "0");
        return true;
    });
    for (std::size_t i = 0; i < reads.size(); ++i) {
        std::size_t left = 0;
        for (; places[i] != reads[i].end(); ++places[i]) ++left;
        CHECK(left >= 999);
    }
}

TEST_CASE("a store whose WAL is copied and gone is whole", "[contract][sqlite]") {
    const test::SqliteBackend backend;
    std::vector<Event> before;
    {
        auto store = EventStore::open(backend.address());
        fill(store, 50);
        before = test::events_in(store);
    }
    backend.connect()->execute("PRAGMA wal_checkpoint(TRUNCATE)");
    fs::remove(backend.file() + "-wal");
    fs::remove(backend.file() + "-shm");
    auto store = EventStore::open(backend.address());
    CHECK((test::events_in(store) == before));
    CHECK(test::seed(store, site, {"a"}).first_position == Position{151});
}

TEST_CASE("a checkpoint now and then leaves the log as it is", "[contract][sqlite]") {
    const test::SqliteBackend backend;
    auto options = relaxed();
    options.checkpoint_pages = 20;
    auto store = EventStore::open(backend.address(), options);
    auto second = EventStore::open(backend.address(), options);
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 10; ++i)
            test::seed(round % 2 == 0 ? store : second, site, {"a", "b", std::to_string(round)});
        CHECK((test::positions_in(second) == test::numbers(1, (round + 1) * 30)));
    }
    CHECK(backend.connect()->execute("PRAGMA integrity_check").front() == "ok");
    // It was copied again and again: the WAL stays far behind what was written.
    CHECK(fs::file_size(backend.file() + "-wal") < 100 * 4'120);
}

TEST_CASE("the WAL begins anew although the log is being read at all times", "[contract][sqlite]") {
    const test::SqliteBackend backend;
    auto store = open_with_small_wal(backend);
    const auto before = times_begun_anew(backend);
    EndlessRead reading{backend};
    append_singly(store, 1'000);
    reading.end();
    CHECK(times_begun_anew(backend) >= before + 5);
    CHECK((test::positions_in(store) == test::numbers(1, 1'001)));
}

TEST_CASE("the WAL begins anew beside reads and another store that appends", "[contract][sqlite]") {
    const test::SqliteBackend backend;
    auto store = open_with_small_wal(backend);
    auto second = open_with_small_wal(backend);
    const auto before = times_begun_anew(backend);
    EndlessRead reading{backend};
    auto other = std::async(std::launch::async, [&] { append_singly(second, 1'000); });
    append_singly(store, 1'000);
    other.get();
    reading.end();
    CHECK(times_begun_anew(backend) >= before + 5);
    CHECK((test::positions_in(store) == test::numbers(1, 2'002)));
}

TEST_CASE("a read that does not end keeps the WAL, and no append", "[contract][sqlite]") {
    const test::SqliteBackend backend;
    auto store = open_with_small_wal(backend);
    std::uint32_t before = 0;
    {
        const HeldRead reading{backend};
        append_singly(store, 200);
        before = times_begun_anew(backend);
        append_singly(store, 300);
        CHECK(times_begun_anew(backend) == before);
        CHECK((test::positions_in(store) == test::numbers(1, 501)));
    }
    append_singly(store, 100);
    CHECK(times_begun_anew(backend) > before);
    CHECK((test::positions_in(store) == test::numbers(1, 601)));
}

TEST_CASE("a log that has lost a name is said to be damaged at each read, however little is wanted",
          "[contract][sqlite]") {
    const test::SqliteBackend backend;
    {
        auto store = EventStore::open(backend.address(), relaxed());
        fill(store, 1'000);
        test::seed(store, StreamId{"Site", "lost"}, {"SiteCreated"});
        test::seed(store, order, std::vector<std::string>(1'500, "OrderPaid"));
    }
    backend.connect()->execute("DROP TRIGGER streams_no_delete; DELETE FROM streams WHERE aggregate_id = 'lost'");
    auto store = EventStore::open(backend.address());
    const auto parts = GENERATE(EventParts{}, EventParts{false, false, false, false});
    const auto events = store.read(all().only(parts));
    std::vector<Event> page;
    std::int64_t before = 0;
    const auto read_on = [&] {
        while (const auto found = events.next_page(page)) before += static_cast<std::int64_t>(found);
    };
    for (int again = 0; again < 2; ++again) {
        try {
            read_on();
            FAIL("expected an error");
        } catch (const StoreError& error) {
            CHECK(error.code() == "corrupt");
            CHECK_THAT(error.what(), ContainsSubstring("an event refers to stream"));
        }
        CHECK(before <= 3'000);
        CHECK(before > 1'000);
    }
    CHECK(test::positions_in(store, all().only(parts).after(Position{3'001})).size() == 1'500);
}
