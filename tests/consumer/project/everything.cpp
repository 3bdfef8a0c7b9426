// The log, an aggregate and a read model: enough to need every library that stele::stele links.
#include <stele/projections/rebuild.hpp>
#include <stele/projections/sql_projection.hpp>
#include <stele/replay/replay.hpp>
#include <stele/store/event_store.hpp>

#include <iostream>

int main() {
    auto store = stele::EventStore::temporary();
    const stele::StreamId site{"Site", "site-42"};
    store.append(site, stele::expect::none,
                 {stele::event("SiteCreated", {{"domain", "example.org"}}), stele::event("SitePublished")});

    std::cout << replay(store, site, stele::merge_patch()).json << '\n';

    const auto types = stele::SqlProjection::parse(
        "--@ projection types version 1\n"
        "--@ create\nCREATE TABLE types (name TEXT NOT NULL);\n"
        "--@ on *\nINSERT INTO types VALUES ($type);\n",
        "types.sql");
    const auto built = rebuild(store, *types);
    std::cout << "generation " << built->generation.number << " at " << built->generation.position << '\n';
}
