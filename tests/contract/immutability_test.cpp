// L1: an event seen at a position stays there, unchanged, for good. The database itself refuses to change it,
// whoever asks: these tests go past Stele.
#include "contract.hpp"

#include <stdexcept>

using namespace stele;
using test::Contract;

namespace {

const StreamId site{"acme", "Site", "site-42"};

std::vector<Event> fill(EventStore& store) {
    test::seed(store, site, {"SiteCreated", "SiteProvisioned"});
    store.append(StreamId{"Backup", "b-1"}, expect::none,
                 {test::event("BackupFailed", {"site:42", "nightly"}), test::event("SiteCreated", {"nightly"})});
    return test::events_in(store);
}

}  // namespace

TEST_CASE_METHOD(Contract, "the database refuses UPDATE, DELETE and REPLACE on every table of the log",
                 "[contract][L1]") {
    auto store = open();
    const auto before = fill(store);
    const std::string rows = backend().rows();

    REQUIRE(backend().log_tables().size() >= 4);
    for (const std::string& table : backend().log_tables()) {
        const auto columns = backend().columns(table);
        REQUIRE_FALSE(columns.empty());
        std::vector<std::string> attempts{
            "DELETE FROM " + table,
            "DELETE FROM " + table + " WHERE " + columns[0] + " IS NOT NULL",
            "INSERT OR REPLACE INTO " + table + " SELECT * FROM " + table,
            "REPLACE INTO " + table + " SELECT * FROM " + table + " LIMIT 1",
        };
        for (const std::string& column : columns) {
            attempts.push_back("UPDATE " + table + " SET " + column + " = " + column);
            attempts.push_back("UPDATE OR REPLACE " + table + " SET " + column + " = NULL");
            attempts.push_back("INSERT INTO " + table + " SELECT * FROM " + table +
                               " WHERE true ON CONFLICT DO UPDATE SET " + column + " = excluded." + column);
        }
        for (const std::string& sql : attempts) {
            CAPTURE(sql);
            CHECK_THROWS_AS(backend().execute(sql), std::runtime_error);
        }
    }
    CHECK(backend().rows() == rows);
    CHECK(test::events_in(store) == before);
}

TEST_CASE_METHOD(Contract, "an event is not replaced by one that shares its position, its place or its id",
                 "[contract][L1]") {
    auto store = open();
    const auto before = fill(store);
    // Copies of the first event that clash with it in one thing each and are new in the others.
    for (
        const char* forgery : {
            // its position
            "INSERT OR REPLACE INTO events SELECT position, stream, version + 100, type, schema_version, "
            "randomblob(16), occurred_at, recorded_at, '\"forged\"', metadata, tags FROM events WHERE position = 1",
            // its place in the stream
            "INSERT OR REPLACE INTO events SELECT position + 4, stream, version, type, schema_version, "
            "randomblob(16), occurred_at, recorded_at, '\"forged\"', metadata, tags FROM events WHERE position = 1",
            // its id
            "INSERT OR REPLACE INTO events SELECT position + 4, stream, version + 2, type, schema_version, "
            "id, occurred_at, recorded_at, '\"forged\"', metadata, tags FROM events WHERE position = 1",
            // a position before the head
            "INSERT INTO events SELECT 0, stream, version + 2, type, schema_version, "
            "randomblob(16), occurred_at, recorded_at, '\"forged\"', metadata, tags FROM events WHERE position = 1",
            // a gap in positions (L2)
            "INSERT INTO events SELECT position + 5, stream, version + 2, type, schema_version, "
            "randomblob(16), occurred_at, recorded_at, '\"forged\"', metadata, tags FROM events WHERE position = 1",
            // a gap in versions (L3)
            "INSERT INTO events SELECT position + 4, stream, version + 3, type, schema_version, "
            "randomblob(16), occurred_at, recorded_at, '\"forged\"', metadata, tags FROM events WHERE position = 1",
            // a stream or a type under another's number, or another number for the same
            "INSERT OR REPLACE INTO streams SELECT stream, 'forged', aggregate_type, aggregate_id FROM streams",
            "INSERT OR REPLACE INTO streams SELECT stream + 100, tenant, aggregate_type, aggregate_id FROM streams",
            "INSERT OR REPLACE INTO types SELECT type, name || ' forged' FROM types",
            "INSERT OR REPLACE INTO types SELECT type + 100, name FROM types",
        }) {
        CAPTURE(forgery);
        CHECK_THROWS_AS(backend().execute(forgery), std::runtime_error);
    }
    CHECK(test::events_in(store) == before);
    CHECK(test::seed(store, site, {"SiteArchived"}).first_position == Position{5});
    CHECK(store.version(site) == Version{3});
}
