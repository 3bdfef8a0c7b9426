// Exec: programs that succeed, fail, hang, fork and read nothing; and what they leave behind.
#include "vocabulary.hpp"

#include <stele/schema/event_json.hpp>
#include <stele/test/refusal.hpp>

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace stele::sinks {
namespace {

using namespace std::chrono_literals;
using stele::test::TemporaryFolder;
using test::Sinking;
using test::some_event;

Exec shell(const std::string& script) { return Exec{.command = {"/bin/sh", "-c", script}}; }

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all{"/proc/self/fd"};
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

bool has_no_children() { return ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD; }

// Whether the process ends; a process that is not ours cannot be waited for, only looked at.
bool ends(pid_t pid) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    const auto is_there = [&] {
        const auto stat = test::content("/proc/" + std::to_string(pid) + "/stat");
        return !stat.empty() && stat.find(") Z ") == std::string::npos;
    };
    while (is_there()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::yield();
    }
    return true;
}

TEST_CASE("a program gets the event, its key, and no descriptor of ours", "[sinks][exec]") {
    const TemporaryFolder folder;
    auto exec = shell(
        "cat > input; printf '%s %s %s %s' $STELE_DELIVERY_KEY $STELE_LISTENER $STELE_ATTEMPT \"$MORE\" > env;"
        " ls /proc/self/fd | tr '\\n' ' ' > descriptors");
    exec.folder = folder.path().string();
    exec.environment = {{"MORE", "a b"}};

    const auto came_to = Sinking{exec}.attempt(some_event(), {}, 3);

    CAPTURE(came_to.message);
    CHECK(came_to.succeeded);
    CHECK(test::content(folder / "input") == to_event_line(some_event()) + "\n");
    CHECK(test::content(folder / "env") == test::key + " tell 3 a b");
    CHECK(test::content(folder / "descriptors") == "0 1 2 3 ");  // 3 is the folder that ls reads
}

TEST_CASE("words of a command are not read by a shell", "[sinks][exec]") {
    const TemporaryFolder folder;
    const auto file = (folder / "$(touch x); a b").string();

    CHECK(Sinking{Exec{.command = {"touch", file}}}.attempt().succeeded);
    CHECK(std::filesystem::exists(file));
}

TEST_CASE("the exit status decides", "[sinks][exec]") {
    struct Row {
        std::string script;
        std::string cause;
        bool is_permanent;
    };
    const auto row = GENERATE(Row{"exit 1", "exit_1", false}, Row{"exit 75", "exit_75", false},
                              Row{"exit 64", "exit_64", true}, Row{"kill -9 $$", "signal_9", false});
    auto exec = shell(row.script);
    exec.permanent = {64, 65};

    const auto came_to = Sinking{exec}.attempt();

    CHECK(came_to.cause == row.cause);
    CHECK(came_to.is_permanent == row.is_permanent);
}

TEST_CASE("what fails says the last lines of standard error", "[sinks][exec]") {
    const auto message = [](const std::string& script) { return Sinking{shell(script)}.attempt().message; };
    CHECK(message("echo first; echo out; echo no such site >&2; exit 3") ==
          "/bin/sh: expected exit status 0, found 3: no such site");
    CHECK(message("echo only this; exit 3") == "/bin/sh: expected exit status 0, found 3: only this");
    CHECK(message("seq 1 100000 >&2; exit 1") ==
          "/bin/sh: expected exit status 0, found 1: 99996 99997 99998 99999 100000");
    CHECK(message("head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1").size() < 1'200);
    CHECK(Sinking{Exec{.command = {"/no/such/program"}}}.attempt().cause == "not_started");
    CHECK_THAT(Sinking{Exec{.command = {"/no/such/program"}}}.attempt().message,
               ContainsSubstring("No such file or directory"));
}

TEST_CASE("a program that does not read its input is not waited for", "[sinks][exec]") {
    const auto large = some_event("\"" + std::string(4'000'000, 'x') + "\"");

    CHECK(Sinking{shell("exit 0")}.attempt(large).succeeded);
    CHECK(Sinking{shell("exec <&-; head -c 1000000 /dev/zero")}.attempt(large).succeeded);
    CHECK(Sinking{shell("test $(wc -c) -gt 4000000")}.attempt(large).succeeded);
}

TEST_CASE("a time-out ends the whole group, however it resists", "[sinks][exec]") {
    const TemporaryFolder folder;
    // What is ignored stays ignored in the programs that the shell starts.
    auto exec = shell("trap '' TERM; sh -c 'echo $$ > child; exec sleep 1000' & while :; do sleep 1000; done");
    exec.folder = folder.path().string();
    exec.timeout = 2s;
    exec.grace = 100ms;

    const auto came_to = Sinking{exec}.attempt();

    CHECK(came_to.cause == "timeout");
    CHECK_FALSE(came_to.is_permanent);
    CHECK_THAT(came_to.message, ContainsSubstring("still running after 2 s"));
    const auto child = test::content(folder / "child");
    REQUIRE_FALSE(child.empty());
    CHECK(ends(static_cast<pid_t>(std::stol(child))));
    CHECK(has_no_children());
}

TEST_CASE("a program that ends on SIGTERM has until the end of its grace to do so", "[sinks][exec]") {
    const TemporaryFolder folder;
    auto exec = shell("trap 'echo bye > said; exit 0' TERM; while :; do sleep 0.01; done");
    exec.folder = folder.path().string();
    exec.timeout = 300ms;
    exec.grace = 20s;

    CHECK(Sinking{exec}.attempt().cause == "timeout");
    CHECK(test::content(folder / "said") == "bye\n");
}

TEST_CASE("a stop ends a program that is running", "[sinks][exec]") {
    const TemporaryFolder folder;
    const auto fifo = folder / "started";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    auto exec = shell("echo > started; exec sleep 1000");
    exec.folder = folder.path().string();
    std::stop_source stop;
    std::thread stopper{[&] {
        CHECK(test::content(fifo) == "\n");
        stop.request_stop();
    }};

    const auto came_to = Sinking{exec}.attempt(some_event(), stop.get_token());
    stopper.join();

    CHECK(came_to.cause == "stopped");
    CHECK(has_no_children());
    CHECK(Sinking{exec}.attempt(some_event(), stop.get_token()).cause == "stopped");
}

TEST_CASE("a process that a program leaves in the background does not hold the delivery up", "[sinks][exec]") {
    const TemporaryFolder folder;
    auto exec = shell("sleep 1000 & echo $! > child");
    exec.folder = folder.path().string();

    CHECK(Sinking{exec}.attempt().succeeded);

    const auto child = static_cast<pid_t>(std::stol(test::content(folder / "child")));
    CHECK(::kill(child, 0) == 0);
    ::kill(child, SIGKILL);
}

TEST_CASE("programs leave no zombie and no descriptor behind, of many threads at once", "[sinks][exec]") {
    (void)Sinking{shell("exit 0")}.attempt();
    const auto before = open_descriptors();
    {
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([] {
                const Sinking good{shell("cat > /dev/null")};
                const Sinking bad{shell("exit 1")};
                const Sinking missing{Exec{.command = {"/no/such/program"}}};
                for (int n = 0; n < 10; ++n) {
                    CHECK(good.attempt().succeeded);
                    CHECK(bad.attempt().cause == "exit_1");
                    CHECK(missing.attempt().cause == "not_started");
                }
            });
        }
        for (auto& thread : threads) thread.join();
    }
    CHECK(open_descriptors() == before);
    CHECK(has_no_children());
}

TEST_CASE("settings of exec that break a rule are refused by name", "[sinks][exec]") {
    const auto refused = [](auto change) {
        Exec exec{.command = {"true"}};
        change(exec);
        return stele::test::refused_field([&] { (void)sink_listener({.name = "tell"}, exec); });
    };
    const std::string where = " of the exec of listener \"tell\"";
    CHECK(refused([](Exec& e) { e.command.clear(); }) == "command" + where);
    CHECK(refused([](Exec& e) { e.environment["A=B"] = "c"; }) == "environment" + where);
    CHECK(refused([](Exec& e) { e.permanent = {0}; }) == "permanent" + where);
    CHECK(refused([](Exec& e) { e.timeout = 0ms; }) == "timeout" + where);
}

}  // namespace
}  // namespace stele::sinks
