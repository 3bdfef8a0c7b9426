// The program `stele`: the commands of the library, and the benchmark.
#include "commands/bench.hpp"
#include "run.hpp"

int main(int argc, char** argv) { return stele::tool::run_main(argc, argv, {}, stele::tool::add_bench); }
