// A program that runs two listeners on a store until it is killed, or its standard input ends.
//
// usage: listener_worker STORE RECORD threads|step|alone [SCHEMAS]
//
//   record  writes what it got into the file RECORD, a line each ("position stream"), before it returns
//   echo    appends an event to the stream Echo/POSITION for each that it gets
//
// Some deliveries of both fail at first. With `threads` it prints the position of what `record` got, a line each;
// `alone` is the same without `echo`; with `step` it does all that can be done now, in one thread, and ends. An
// event of type OrderHeld has `record` stop the process (SIGSTOP) in the middle of the delivery.
//
// With the folder SCHEMAS events are read through its upcasters, and pieces of type Line are delivered too: the
// lines of RECORD are "position stream piece", and echoes go to Echo/POSITION-PIECE.
#include "control_db.hpp"

#include <stele/projections/listeners/cpp_listener.hpp>
#include <stele/projections/runner.hpp>
#include <stele/schema/event_types.hpp>
#include <stele/test/faulty_disk.hpp>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <condition_variable>
#include <exception>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>

namespace {

using namespace stele;
using namespace std::chrono_literals;

// Stops this process, at a moment at which nobody in it holds a lock of the store: those who settle have come to
// rest, and who says every 100 ms that he is alive has done so a moment ago.
void stop_process(const Delivery& delivery, const std::string& store) {
    ControlDb control{store};
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock{mutex};
    never.wait_for(lock, delivery.stop(), 100ms, [] { return false; });
    control.write(ControlDb::Sync::none, [](sqlite3* /*db*/) {});  // behind him, if he is at it
    never.wait_for(lock, delivery.stop(), 30ms, [] { return false; });
    ::raise(SIGSTOP);
}

void record(int file, const Event& event, bool with_pieces) {
    auto line = std::to_string(event.position.value()) + " " + event.stream.name();
    line += with_pieces ? " " + std::to_string(event.piece) + "\n" : "\n";
    // One write at the end of the file: it is there whole, or not at all.
    if (::write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
        throw std::runtime_error{"the record cannot be written"};
}

// About one event in seven fails twice, so that its key is parked, and the next ones behind it.
bool is_difficult(const Event& event) {
    return (event.position.value() + event.piece * 1'000'003) * 2'654'435'761 % 7 == 0;
}

int run(const std::string& path, const std::string& record_path, const std::string& task,
        const std::string& schemas) {
    const auto disk = test::disk_from_environment();
    Options how{.mode = OpenMode::existing, .durability = Durability::relaxed};
    const bool with_pieces = !schemas.empty();
    if (with_pieces) how.event_types = std::make_shared<const EventTypes>(EventTypes::load(schemas));
    auto store = EventStore::open(path, how);
    const int file = ::open(record_path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    const bool threads = task != "step";

    RunnerOptions options;
    options.window = 64;
    options.look_every = 50ms;
    options.takeover_after = 300ms;
    auto printing = std::make_shared<std::mutex>();
    options.news = [printing](const RunnerNews& news) {
        const std::lock_guard lock{*printing};
        if (news.kind == RunnerNews::Kind::lost) std::cout << "lost " << news.listener << std::endl;
    };
    ListenerOptions retrying;
    retrying.retry.attempts = 1'000;
    retrying.retry.delays = {2ms};

    Runner runner{store, options};
    runner.add(listener(
        "record", matching(types("OrderPaid", "OrderHeld", "Line")),
        [=](const Event& event, const Delivery& delivery) {
            if (is_difficult(event) && delivery.attempt() < 3) throw std::runtime_error{"difficult"};
            if (event.type == "OrderHeld") stop_process(delivery, path);
            record(file, event, with_pieces);
            if (!threads) return;
            const std::lock_guard lock{*printing};
            std::cout << event.position.value() << std::endl;
        },
        retrying));
    const auto echo = appending_listener(
        "echo", matching(types("OrderPaid", "Line")),
        [with_pieces](const Event& event, const Delivery& delivery, Append& append) {
            if (is_difficult(event) && delivery.attempt() < 2) throw std::runtime_error{"difficult"};
            auto id = std::to_string(event.position.value());
            if (with_pieces) id += "-" + std::to_string(event.piece);
            append.to(StreamId{"Echo", id}, expect::any, {stele::event("Echo")});
        },
        retrying);
    if (task != "alone") runner.add(echo);
    if (threads) {
        runner.start();
        for (std::string line; std::getline(std::cin, line);) continue;
    } else {
        while (runner.step() > 0) continue;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 4 && argc != 5) return 2;
    return run(argv[1], argv[2], argv[3], argc == 5 ? argv[4] : "");
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
