// stele_bench: all figures, with a million events in the logs that are filled beforehand.
#include <bench.hpp>
#include <stele/schema/error.hpp>
#include <stele/schema/sql/process.hpp>

#include <CLI/CLI.hpp>

#include <iostream>

int main(int argc, char** argv) {
    (void)stele::sql::stop_counting_memory();  // as the stele command does; for both sides
    stele::bench::BenchOptions options;
    options.events = 1'000'000;
    options.tool = STELE_TOOL;

    CLI::App line{"Measure Stele beside bare SQLite doing the same work in the same run."};
    line.add_flag("--quick", options.quick, "a tenth of the work, three runs");
    line.add_option("--events", options.events, "in the logs that are filled beforehand; 1,000,000 by default");
    line.add_option("--runs", options.runs, "of which the medians are taken; 5 by default");
    line.add_option("--only", options.only, "workloads to run; all by default");
    line.add_option("--dir", options.dir, "where the stores are made; the temporary folder by default");
    line.add_option("--history", options.history, "curl-history.jsonl.gz; without it one like it is made");
    line.add_option("--tool", options.tool, "the stele command");
    line.add_flag("--list", options.list, "name the workloads, and run none");
    line.add_flag("--json", options.json, "one object a line");
    CLI11_PARSE(line, argc, argv);

    try {
        const auto missed = stele::bench::run_bench(options, std::cout, std::cerr);
        if (missed > 0) std::cerr << missed << " figures were missed\n";
        return 0;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
