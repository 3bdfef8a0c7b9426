// A program that builds and advances a projection until it is killed.
//
// usage: projection_worker STORE PROJECTION.sql rebuild|keep|rollback|catch_up|loop [SCHEMAS]
// `keep` rebuilds and keeps the old generation, `loop` rebuilds again and again. Prints a line after each: the
// generation and its position. Events are read through the upcasters in the folder SCHEMAS.
#include <stele/projections/lifecycle.hpp>
#include <stele/projections/rebuild.hpp>
#include <stele/projections/sql_projection.hpp>
#include <stele/schema/event_types.hpp>
#include <stele/test/faulty_disk.hpp>

#include <exception>
#include <iostream>
#include <memory>
#include <string>

int main(int argc, char** argv) try {
    using namespace stele;
    if (argc != 4 && argc != 5) return 2;
    const auto disk = test::disk_from_environment();
    const std::string task = argv[3];
    Options how{.mode = OpenMode::existing};
    if (argc == 5) how.event_types = std::make_shared<const EventTypes>(EventTypes::load(argv[4]));
    const auto store = EventStore::open(argv[1], how);
    const auto projection = SqlProjection::load(argv[2]);
    do {
        if (task == "catch_up") {
            CatchUpOptions options;
            options.batch = 10;
            std::cout << "at " << catch_up(store, *projection, options).position << std::endl;
        } else if (task == "rollback") {
            const auto generation = rollback(store, projection->name());
            std::cout << generation.number << " at " << generation.position << std::endl;
        } else {
            RebuildOptions options;
            options.batch = 10;
            options.grace = {};
            options.keep_old = task == "keep";
            const auto rebuilt = rebuild(store, *projection, options);
            std::cout << rebuilt->generation.number << " at " << rebuilt->generation.position << std::endl;
        }
    } while (task == "loop");
    return 0;
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
