// A program that runs projections until it is killed, or its standard input ends.
//
// usage: runner_worker STORE PROJECTION.sql LOOK_EVERY_MS TAKEOVER_AFTER_MS | runner_worker STORE PROJECTION.sql
// step Prints the news of its runner, a line each: the kind, and the sentence. With `step` it does all that there
// is to do, without threads, and ends.
#include <stele/projections/runner.hpp>
#include <stele/projections/sql_projection.hpp>
#include <stele/test/faulty_disk.hpp>

#include <exception>
#include <iostream>
#include <string>

int main(int argc, char** argv) try {
    using namespace stele;
    if (argc < 4) return 2;
    const auto disk = test::disk_from_environment();
    auto store = EventStore::open(argv[1], Options{.mode = OpenMode::existing, .durability = Durability::relaxed});
    const std::string task = argv[3];
    RunnerOptions options;
    options.batch = 10;
    options.grace = {};
    options.news = [](const RunnerNews& news) {
        constexpr const char* kinds[] = {"owned",  "lost",    "building", "built", "live",      "paused",
                                         "failed", "dropped", "trouble",  "dead",  "superseded"};
        std::cout << kinds[static_cast<int>(news.kind)] << ' ' << news.text << std::endl;
    };
    if (task != "step") {
        options.look_every = std::chrono::milliseconds{std::stoi(task)};
        options.takeover_after = std::chrono::milliseconds{std::stoi(argv[4])};
    }
    Runner runner{store, options};
    runner.add(SqlProjection::load(argv[2]));
    if (task == "step") {
        std::cout << "took " << runner.step() << std::endl;
        return 0;
    }
    runner.start();
    for (std::string line; std::getline(std::cin, line);) continue;
    return 0;
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
