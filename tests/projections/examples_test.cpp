// The projections that come as examples give the right rows.
#include "vocabulary.hpp"

#include <stele/schema/event_json.hpp>

#include <fstream>

namespace stele {
namespace {

using test::Lines;

std::string example(const std::string& path) { return std::string{EXAMPLES} + "/" + path; }

TEST_CASE("revenue by country of the Northwind orders is exact to four decimals", "[projections][examples]") {
    auto store = EventStore::temporary(Options{.durability = Durability::relaxed});
    std::ifstream orders{example("quickstart/data/northwind-orders.jsonl")};
    Append append;
    for (std::string line; std::getline(orders, line);) {
        auto [stream, event] = parse_event_line(line);
        append.to(stream, expect::any, {std::move(event)});
    }
    store.append(append);
    CHECK(store.head() == Position{3'794});

    rebuild(store, *SqlProjection::load(example("quickstart/projections/revenue_by_country.sql")));

    Lines expected;
    const auto answers = nlohmann::json::parse(std::ifstream{example("quickstart/data/expected.json")});
    for (const auto& [country, revenue] : answers.at("revenue_by_country").items()) {
        expected.push_back(country + " " + revenue.get<std::string>());
    }
    CHECK(expected.size() == 21);
    CHECK(test::rows(store, "revenue_by_country",
                     "SELECT country, revenue FROM revenue_by_country ORDER BY country") == expected);
    CHECK(test::rows(store, "revenue_by_country", "SELECT sum(lines) FROM revenue") == Lines{"2155"});
}

TEST_CASE("files of a source tree follow their events", "[projections][examples]") {
    auto store = EventStore::temporary();
    const auto change = [&](const char* path, const char* type, nlohmann::json data) {
        store.append(StreamId{"file", path}, expect::any, {event(type, data)});
    };
    const auto blob = [](const char* mode, const char* id, nlohmann::json inserted, nlohmann::json deleted) {
        return nlohmann::json{{"mode", mode}, {"blob", id}, {"insertions", inserted}, {"deletions", deleted}};
    };
    change("lib/a.c", "FileAdded", blob("100644", "a1", 10, 0));
    change("lib/a.c", "FileModified", blob("100644", "a2", 5, 2));
    change("lib/a.c", "FileModeChanged", blob("100755", "a2", 0, 0));
    change("logo.png", "FileAdded", blob("100644", "p1", nullptr, nullptr));
    change("logo.png", "FileModified", blob("100644", "p2", nullptr, nullptr));
    change("was_text", "FileAdded", blob("100644", "w1", 7, 0));
    change("was_text", "FileModified", blob("100644", "w2", nullptr, nullptr));
    change("back", "FileAdded", blob("100644", "b1", 3, 0));
    change("back", "FileDeleted", {{"previous_blob", "b1"}, {"insertions", 0}, {"deletions", 3}});
    change("gone", "FileAdded", blob("100644", "g1", 1, 0));
    change("gone", "FileDeleted", {{"previous_blob", "g1"}, {"insertions", 0}, {"deletions", 1}});
    change("back", "FileAdded", blob("100644", "b2", 4, 0));
    store.append(StreamId{"contributor", "c00001"}, expect::any, {event("CommitLanded", {{"commit", "c"}})});

    const auto projection = SqlProjection::load(example("history/projections/files.sql"));
    rebuild(store, *projection);
    CHECK(test::rows(store, "files", "SELECT path, mode, blob, lines FROM files ORDER BY path") ==
          Lines{"back 100644 b2 4", "lib/a.c 100755 a2 13", "logo.png 100644 p2 NULL", "was_text 100644 w2 NULL"});

    RebuildOptions until;
    until.until = Position{8};
    test::rebuild_now(store, *projection, until);
    CHECK(test::rows(store, "files", "SELECT path, lines FROM files WHERE path = 'back'") == Lines{"back 3"});
}

}  // namespace
}  // namespace stele
