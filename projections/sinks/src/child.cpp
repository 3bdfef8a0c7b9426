#include "child.hpp"

#include "no_sigpipe.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

extern char** environ;  // NOLINT: POSIX leaves its declaration to the program

namespace stele::sinks {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kept_output = 4'096;

[[noreturn]] void fail(const char* doing) { throw std::system_error{errno, std::generic_category(), doing}; }

class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { close(); }
    void close() noexcept {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }
    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }

private:
    int fd_ = -1;
};

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("making a pipe");
        read = Descriptor{ends[0]};
        write = Descriptor{ends[1]};
        for (auto* end : {&read, &write}) {
            // Where standard descriptors of ours are closed, their numbers are given to the program, not to a pipe.
            if (end->get() > STDERR_FILENO) continue;
            Descriptor above{::fcntl(end->get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1)};
            if (!above.is_open()) fail("making a pipe");
            *end = std::move(above);
        }
    }
    Descriptor read;
    Descriptor write;
};

void do_not_block(const Descriptor& descriptor) {
    if (::fcntl(descriptor.get(), F_SETFL, O_NONBLOCK) != 0) fail("setting up a pipe");
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& added) {
    std::vector<std::string> settings;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view setting{*entry};
        if (!added.contains(std::string{setting.substr(0, setting.find('='))})) settings.emplace_back(setting);
    }
    for (const auto& [name, value] : added) settings.push_back(name + "=" + value);
    return settings;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> list;
    list.reserve(texts.size() + 1);
    for (auto& text : texts) list.push_back(text.data());
    list.push_back(nullptr);
    return list;
}

// How the program begins: in a process group of its own, with standard descriptors alone, no signal blocked that
// was not blocked before, and SIGPIPE as programs expect it.
class Spawning {
public:
    explicit Spawning(const sigset_t& mask) {
        if (::posix_spawn_file_actions_init(&actions_) != 0) throw std::bad_alloc{};
        if (::posix_spawnattr_init(&attributes_) != 0) {
            ::posix_spawn_file_actions_destroy(&actions_);
            throw std::bad_alloc{};
        }
        sigset_t to_default;
        sigemptyset(&to_default);
        sigaddset(&to_default, SIGPIPE);
        ::posix_spawnattr_setsigdefault(&attributes_, &to_default);
        ::posix_spawnattr_setsigmask(&attributes_, &mask);
        ::posix_spawnattr_setpgroup(&attributes_, 0);
        ::posix_spawnattr_setflags(&attributes_,
                                   POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    }
    ~Spawning() {
        ::posix_spawnattr_destroy(&attributes_);
        ::posix_spawn_file_actions_destroy(&actions_);
    }
    Spawning(const Spawning&) = delete;
    Spawning& operator=(const Spawning&) = delete;

    void connect(const Descriptor& from, int to) { ::posix_spawn_file_actions_adddup2(&actions_, from.get(), to); }
    // 0, or an errno.
    [[nodiscard]] int start(pid_t& pid, const ChildSettings& settings) {
        if (!settings.folder.empty()) ::posix_spawn_file_actions_addchdir_np(&actions_, settings.folder.c_str());
        ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
        auto words = settings.command;
        auto variables = environment_with(settings.environment);
        const auto arguments = pointers(words);
        const auto environment = pointers(variables);
        return ::posix_spawnp(&pid, arguments[0], &actions_, &attributes_, arguments.data(), environment.data());
    }

private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

class Child {
public:
    Child(const ChildSettings& settings, std::string_view input, const sigset_t& mask)
        : settings_(settings), input_(input) {
        Pipe in;
        Pipe out;
        Pipe error;
        Spawning spawning{mask};
        spawning.connect(in.read, STDIN_FILENO);
        spawning.connect(out.write, STDOUT_FILENO);
        spawning.connect(error.write, STDERR_FILENO);
        started_ = spawning.start(pid_, settings);
        if (started_ != 0) return;
        in_ = std::move(in.write);
        out_ = std::move(out.read);
        error_ = std::move(error.read);
        try {
            for (const auto* end : {&in_, &out_, &error_}) do_not_block(*end);
            watch_ = Descriptor{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))};
            if (!watch_.is_open()) fail("watching a process");
        } catch (...) {
            kill_and_reap();
            throw;
        }
    }
    ~Child() {
        if (started_ == 0 && !reaped_) kill_and_reap();
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    [[nodiscard]] int started() const noexcept { return started_; }

    ChildEnd wait(const std::stop_token& stop) {
        const Descriptor woken{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
        if (!woken.is_open()) fail("making an eventfd");
        const std::stop_callback wake{stop, [fd = woken.get()] {
                                          const std::uint64_t one = 1;
                                          (void)!::write(fd, &one, sizeof one);
                                      }};
        std::optional<ChildEnd::How> cut_short;
        auto deadline = steady_clock::now() + settings_.timeout;
        bool is_killed = false;
        while (!has_ended(deadline, cut_short ? nullptr : &woken)) {
            const bool is_late = steady_clock::now() >= deadline;
            if (!cut_short && (is_late || stop.stop_requested())) {
                cut_short = is_late ? ChildEnd::How::timed_out : ChildEnd::How::stopped;
                ::kill(-pid_, SIGTERM);
                deadline = steady_clock::now() + settings_.grace;
            } else if (is_late && !is_killed) {
                is_killed = true;
                ::kill(-pid_, SIGKILL);
                deadline = steady_clock::time_point::max();
            }
        }
        drain();
        // It is not reaped yet, so no other process can have its number, nor its group's.
        if (cut_short) ::kill(-pid_, SIGKILL);
        auto end = reap();
        if (cut_short) end.how = *cut_short;
        end.output = std::move(last_error_.empty() ? last_output_ : last_error_);
        return end;
    }

private:
    // Looks after the pipes until the program has ended (true), or the deadline, or a stop (false).
    bool has_ended(steady_clock::time_point deadline, const Descriptor* woken) {
        for (;;) {
            std::array<pollfd, 5> waiting{{{watch_.get(), POLLIN, 0},
                                           {out_.get(), POLLIN, 0},
                                           {error_.get(), POLLIN, 0},
                                           {in_.get(), POLLOUT, 0},
                                           {woken != nullptr ? woken->get() : -1, POLLIN, 0}}};
            const int ready = ::poll(waiting.data(), waiting.size(), milliseconds_until(deadline));
            if (ready < 0 && errno != EINTR) fail("waiting for a process");
            if (ready <= 0) {
                if (steady_clock::now() >= deadline) return false;
                continue;
            }
            if (waiting[1].revents != 0) take(out_, last_output_);
            if (waiting[2].revents != 0) take(error_, last_error_);
            if (waiting[3].revents != 0) feed();
            if (waiting[0].revents != 0) return true;
            if (waiting[4].revents != 0 || steady_clock::now() >= deadline) return false;
        }
    }

    static int milliseconds_until(steady_clock::time_point deadline) {
        if (deadline == steady_clock::time_point::max()) return -1;
        const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
        constexpr milliseconds longest{60'000};
        return static_cast<int>(std::clamp(left, milliseconds{0}, longest).count());
    }

    void feed() {
        while (!input_.empty()) {
            const auto n = ::write(in_.get(), input_.data(), input_.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0 && errno == EAGAIN) return;
            if (n < 0) break;  // EPIPE: it reads no more, which is its right
            input_.remove_prefix(static_cast<std::size_t>(n));
        }
        in_.close();
    }

    // One buffer at a time, so that a program that never stops writing cannot keep us from its time-out.
    static bool take(Descriptor& from, std::string& last) {
        std::array<char, 16 * 1024> buffer;
        const auto n = ::read(from.get(), buffer.data(), buffer.size());
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) return false;
        if (n <= 0) {
            from.close();
            return false;
        }
        last.append(buffer.data(), static_cast<std::size_t>(n));
        if (last.size() > kept_output) last.erase(0, last.size() - kept_output);
        return true;
    }

    // What it wrote before it ended. A child of its own that lives on may still write, so this has a bound.
    void drain() {
        constexpr int buffers = 16;
        for (int i = 0; i < buffers && error_.is_open() && take(error_, last_error_); ++i) continue;
        for (int i = 0; i < buffers && out_.is_open() && take(out_, last_output_); ++i) continue;
    }

    ChildEnd reap() noexcept {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
        reaped_ = true;
        if (WIFEXITED(status)) return {ChildEnd::How::exited, WEXITSTATUS(status), {}};
        return {ChildEnd::How::signalled, WTERMSIG(status), {}};
    }

    void kill_and_reap() noexcept {
        ::kill(-pid_, SIGKILL);
        (void)reap();
    }

    const ChildSettings& settings_;
    std::string_view input_;
    int started_ = 0;
    pid_t pid_ = -1;
    bool reaped_ = false;
    Descriptor in_, out_, error_, watch_;
    std::string last_output_;
    std::string last_error_;
};

}  // namespace

ChildEnd run_child(const ChildSettings& settings, std::string_view input, const std::stop_token& stop) {
    const NoSigpipe no_sigpipe;
    if (stop.stop_requested()) return {ChildEnd::How::stopped, 0, {}};
    Child child{settings, input, no_sigpipe.before()};
    if (child.started() != 0) return {ChildEnd::How::not_started, child.started(), {}};
    return child.wait(stop);
}

}  // namespace stele::sinks
