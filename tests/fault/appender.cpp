// A process that appends to a store and says on its standard output what was acknowledged, until it is done or
// killed.
//
// usage: fault_appender STORE NAME THREADS APPENDS SEED [full|relaxed] [CHECKPOINT_PAGES] [DEADLINE_MS]
//
// Thread t of process NAME makes APPENDS appends, one after another. Append n holds one to three events of type
// "Counted" with data {"writer": "NAME/t", "n": n, "part": i, "parts": k}, the first on the stream Writer/NAME/t,
// the others on streams that all processes share. When append n has returned, "ack NAME/t n POSITION" is printed;
// an append that found the store busy is printed as "busy NAME/t n" and tried again.
#include <stele/store/event_store.hpp>
#include <stele/test/faulty_disk.hpp>

#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Plan {
    std::string store;
    std::string name;
    int threads;
    int appends;
    std::uint64_t seed;
    stele::Options options;
};

// One write call, so that lines of several threads do not mix and a kill leaves no half of one.
void say(const std::string& line) {
    const std::string text = line + "\n";
    if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) std::abort();
}

stele::Append append_number(int n, const std::string& writer, std::mt19937_64& random) {
    constexpr int shared_streams = 10;
    const int parts = std::uniform_int_distribution<int>{1, 3}(random);
    stele::Append append;
    for (int part = 0; part < parts; ++part) {
        const auto shared = std::to_string(std::uniform_int_distribution<int>{1, shared_streams}(random));
        const auto stream = part == 0 ? stele::StreamId{"Writer", writer} : stele::StreamId{"Shared", shared};
        auto event = stele::event("Counted", {{"writer", writer}, {"n", n}, {"part", part}, {"parts", parts}});
        event.tag("shared:" + shared);
        append.to(stream, stele::expect::any, {std::move(event)});
    }
    return append;
}

void write_all(stele::EventStore& store, const Plan& plan, int thread) {
    const std::string writer = plan.name + "/" + std::to_string(thread);
    std::mt19937_64 random{plan.seed + static_cast<std::uint64_t>(thread)};
    for (int n = 0; n < plan.appends; ++n) {
        const stele::Append append = append_number(n, writer, random);
        for (bool done = false; !done;) {
            try {
                const auto answer = store.append(append);
                say("ack " + writer + " " + std::to_string(n) + " " +
                    std::to_string(answer.first_position.value()));
                done = true;
            } catch (const stele::StoreBusy&) {
                say("busy " + writer + " " + std::to_string(n));
            }
        }
    }
}

int run(const Plan& plan) {
    auto store = stele::EventStore::open(plan.store, plan.options);
    say("open");
    std::vector<std::thread> threads;
    for (int t = 0; t < plan.threads; ++t) threads.emplace_back([&, t] { write_all(store, plan, t); });
    for (auto& thread : threads) thread.join();
    return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
    const auto disk = stele::test::disk_from_environment();
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() < 5) {
        std::cerr << "usage: fault_appender STORE NAME THREADS APPENDS SEED [full|relaxed] [PAGES] [DEADLINE_MS]\n";
        return 2;
    }
    Plan plan{words[0], words[1], std::stoi(words[2]), std::stoi(words[3]), std::stoull(words[4]), {}};
    if (words.size() > 5 && words[5] == "relaxed") plan.options.durability = stele::Durability::relaxed;
    if (words.size() > 6) plan.options.checkpoint_pages = std::stoi(words[6]);
    if (words.size() > 7) plan.options.deadline = std::chrono::milliseconds{std::stoi(words[7])};
    try {
        return run(plan);
    } catch (const std::exception& error) {
        std::cerr << "fault_appender " << plan.name << ": " << error.what() << '\n';
        return EXIT_FAILURE;
    }
}
