// events.db as a file: what names its format, and what is said of files that are none of ours.
#include "sqlite_backend.hpp"

#include <barrier>
#include <filesystem>
#include <fstream>
#include <thread>

namespace fs = std::filesystem;
using namespace stele;
using test::RawConnection;

namespace {

const StreamId site{"Site", "site-42"};

/// The error that opening `path` ends in.
StoreError refused(const fs::path& path, OpenMode mode = OpenMode::create) {
    Options options;
    options.mode = mode;
    try {
        (void)EventStore::open(path.string(), options);
    } catch (const StoreError& error) {
        return error;
    }
    return StoreError{"opened", "nothing was wrong"};
}

std::string bytes_of(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

void write(const fs::path& file, const std::string& bytes) {
    fs::create_directories(file.parent_path());
    std::ofstream{file, std::ios::binary} << bytes;
}

}  // namespace

TEST_CASE("application_id and user_version name the format of events.db", "[contract][sqlite][format]") {
    const test::SqliteBackend backend;
    { test::seed(*std::make_unique<EventStore>(EventStore::open(backend.address())), site, {"SiteCreated"}); }
    RawConnection file{backend.file()};
    CHECK(file.execute("PRAGMA application_id").front() == std::to_string(0x5374656C));  // "Stel"
    CHECK(file.execute("PRAGMA user_version").front() == "1");
    CHECK(file.execute("PRAGMA journal_mode").front() == "wal");
    CHECK(file.execute("PRAGMA page_size").front() == "4096");
    CHECK(file.execute("PRAGMA integrity_check").front() == "ok");
    CHECK(file.execute("SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND NOT strict AND "
                       "name NOT LIKE 'sqlite_%'")
              .front() == "0");
}

TEST_CASE("a format from the future is refused with both numbers, and left alone", "[contract][sqlite][format]") {
    const test::SqliteBackend backend;
    { test::seed(*std::make_unique<EventStore>(EventStore::open(backend.address())), site, {"SiteCreated"}); }
    RawConnection{backend.file()}.execute("PRAGMA user_version = 4711; PRAGMA wal_checkpoint(TRUNCATE)");
    const std::string before = bytes_of(backend.file());

    for (const OpenMode mode : {OpenMode::create, OpenMode::existing}) {
        const auto error = refused(backend.address(), mode);
        CHECK(error.code() == "format");
        CHECK_THAT(error.what(), ContainsSubstring(backend.address()));
        CHECK_THAT(error.what(), ContainsSubstring("4711"));
        CHECK_THAT(error.what(), ContainsSubstring("reads format 1 to 2"));
        CHECK(error.facts().at("found") == 4711);
        CHECK(error.facts().at("supported") == 2);
    }
    CHECK((bytes_of(backend.file()) == before));
}

TEST_CASE("what is not a store is refused as such, and left alone", "[contract][sqlite][format]") {
    const test::TemporaryFolder folder;
    const auto check = [](const fs::path& path, const fs::path& file) {
        const std::string before = bytes_of(file);
        for (const OpenMode mode : {OpenMode::create, OpenMode::existing}) {
            const auto error = refused(path, mode);
            CHECK(error.code() == "not_a_store");
            CHECK_THAT(error.what(), ContainsSubstring(path.string()));
        }
        CHECK((bytes_of(file) == before));
    };
    SECTION("a file that is no SQLite database") {
        write(folder / "text" / "events.db", std::string(5'000, 'x'));
        check(folder / "text", folder / "text" / "events.db");
    }
    SECTION("an SQLite database of another program") {
        const fs::path file = folder / "other" / "events.db";
        fs::create_directories(file.parent_path());
        RawConnection{file.string()}.execute("CREATE TABLE events (what TEXT); PRAGMA application_id = 42");
        check(folder / "other", file);
    }
    SECTION("an SQLite database that names no program") {
        const fs::path file = folder / "unnamed" / "events.db";
        fs::create_directories(file.parent_path());
        RawConnection{file.string()}.execute("CREATE TABLE events (what TEXT)");
        check(folder / "unnamed", file);
    }
    SECTION("a file where the folder should be") {
        write(folder / "file.stele", "something else");
        check(folder / "file.stele", folder / "file.stele");
    }
}

TEST_CASE("where there is no store, OpenMode::existing says so and makes none", "[contract][sqlite][format]") {
    const test::TemporaryFolder folder;
    const auto missing = refused(folder / "missing.stele", OpenMode::existing);
    CHECK(missing.code() == "not_found");
    CHECK_THAT(missing.what(), ContainsSubstring((folder / "missing.stele").string()));
    CHECK_FALSE(fs::exists(folder / "missing.stele"));

    fs::create_directories(folder / "empty.stele");
    CHECK(refused(folder / "empty.stele", OpenMode::existing).code() == "not_found");
    CHECK(fs::is_empty(folder / "empty.stele"));
}

TEST_CASE("OpenMode::create makes the folders that are missing, and a store of an empty file",
          "[contract][sqlite][format]") {
    const test::TemporaryFolder folder;
    const fs::path deep = folder / "a" / "b" / "c.stele";
    auto store = EventStore::open(deep.string());
    CHECK(test::seed(store, site, {"SiteCreated"}).last_position == Position{1});
    CHECK(store.models_folder() == deep / "models");
    CHECK_FALSE(fs::exists(store.models_folder()));

    // What a process leaves that is killed when it has made the file and nothing in it.
    write(folder / "new.stele" / "events.db", "");
    auto second = EventStore::open((folder / "new.stele").string());
    CHECK(test::seed(second, site, {"SiteCreated"}).last_position == Position{1});
}

TEST_CASE("a store that was opened by a relative path stays where it is when the process changes its folder",
          "[contract][sqlite][format]") {
    const test::TemporaryFolder home;
    const test::TemporaryFolder elsewhere;
    const test::InFolder at_home{home.path()};
    auto store = EventStore::open("log.stele");
    CHECK(store.name() == "log.stele");

    const test::InFolder gone{elsewhere.path()};
    test::seed(store, site, {"SiteCreated", "SiteRenamed"});  // the first append: it opens the file to write
    CHECK(store.wait_beyond(Position{0}, std::chrono::minutes{1}) == Position{2});
    auto one = store.read(all());
    auto other = store.read(all());
    CHECK(one.begin()->type == "SiteCreated");
    CHECK(other.begin()->type == "SiteCreated");  // a second connection, while the first one is in use
    CHECK(store.info().name == "log.stele");
    CHECK(store.info().bytes > 0);
    CHECK(store.models_folder() == home / "log.stele" / "models");
    CHECK(fs::is_empty(elsewhere.path()));
}

TEST_CASE("many who make the same store at once make one", "[contract][sqlite][format]") {
    for (int round = 0; round < 5; ++round) {
        const test::TemporaryFolder folder;
        constexpr int parties = 8;
        std::barrier start{parties};
        std::vector<std::string> errors(parties);
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 0; i < parties; ++i) {
                threads.emplace_back([&, i] {
                    start.arrive_and_wait();
                    try {
                        Options options;
                        options.deadline = std::chrono::minutes{1};
                        auto store = EventStore::open((folder / "log.stele").string(), options);
                        test::seed(store, StreamId{"Site", std::to_string(i)}, {"SiteCreated"});
                    } catch (const std::exception& error) {
                        errors[i] = error.what();
                    }
                });
            }
        }
        CHECK(errors == std::vector<std::string>(parties));
        CHECK(test::positions_in(EventStore::open((folder / "log.stele").string())) == test::numbers(1, parties));
    }
}
