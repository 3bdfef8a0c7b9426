#include "bench.hpp"

#include "../bench/bench.hpp"
#include "../options.hpp"
#include "../terminal.hpp"

#include <iostream>
#include <memory>

namespace stele::tool {
namespace {

struct BenchArguments {
    bool quick = false;
    bool list = false;
    std::optional<std::int64_t> events;
    std::optional<std::int64_t> runs;
    std::vector<std::string> only;
    std::optional<std::string> folder;
    std::optional<std::string> history;
};

bench::BenchOptions options_of(const BenchArguments& arguments, bool json) {
    bench::BenchOptions options;
    options.quick = arguments.quick;
    options.list = arguments.list;
    options.json = json;
    if (arguments.events) options.events = static_cast<std::size_t>(*arguments.events);
    if (arguments.runs) options.runs = static_cast<std::size_t>(*arguments.runs);
    options.only = arguments.only;
    if (arguments.folder) options.dir = *arguments.folder;
    if (arguments.history) options.history = *arguments.history;
    return options;
}

Exit run_bench(const BenchArguments& arguments, const Context& context) {
    const auto missed = bench::run_bench(options_of(arguments, context.json()), std::cout, std::cerr);
    if (missed > 0) note(counted(static_cast<std::int64_t>(missed), "figure") + " below what is aimed at");
    return Exit::done;
}

}  // namespace

void add_bench(CommandLine& line) {
    const auto arguments = std::make_shared<BenchArguments>();
    CLI::App& app = line.add(
        {"bench",
         "Measure this machine: appends, reads, import, rebuild and deliveries, beside bare SQLite doing the same\n"
         "work in the same run. Takes about two minutes; no store of yours is touched.",
         "stele bench --quick\n"
         "stele bench --only append-one-full --dir /srv",
         "0 measured, whatever came out · 1 failed · 2 command line · 4 no such workload"},
        [arguments](Context& context) { return run_bench(*arguments, context); });
    flag(app, "--quick", arguments->quick, "a tenth of the work, three runs: for a first look");
    texts(app, "--only", "NAME", arguments->only, "this workload; may be given several times");
    flag(app, "--list", arguments->list, "name the workloads, and run none");
    number(app, "--events", "N", arguments->events, 1, "in the logs that are filled beforehand; 100,000 if absent");
    number(app, "--runs", "N", arguments->runs, 1, "of which the medians are taken; 5 if absent");
    text(app, "--dir", "DIR", arguments->folder, "the disk to measure; the temporary folder if absent");
    text(app, "--history", "FILE", arguments->history, "event lines to import, .jsonl.gz; made up if absent");
}

}  // namespace stele::tool
