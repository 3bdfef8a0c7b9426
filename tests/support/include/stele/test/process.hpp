// Another process, driven line by line: what a test does to a store from outside of its own process.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

extern char** environ;  // NOLINT: POSIX leaves its declaration to the program

namespace stele::test {

/// A running program with a pipe to its standard input and one from its standard output; standard error is ours.
///
/// A process that is still there when the object goes is killed. Use it from one thread at a time.
class Process {
public:
    using Environment = std::map<std::string, std::string>;

    /// Starts `command[0]`, a path, with the rest as its arguments; `environment` is added to ours.
    explicit Process(std::vector<std::string> command, const Environment& environment = {}) {
        // A child that died must fail a write, not end the test.
        ::signal(SIGPIPE, SIG_IGN);

        auto [child_in, to_child] = pipe();
        auto [from_child, child_out] = pipe();
        to_ = to_child;
        from_ = from_child;

        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, child_in, STDIN_FILENO);
        ::posix_spawn_file_actions_adddup2(&actions, child_out, STDOUT_FILENO);
        posix_spawnattr_t attributes;
        ::posix_spawnattr_init(&attributes);
        sigset_t to_default;
        ::sigemptyset(&to_default);
        ::sigaddset(&to_default, SIGPIPE);
        ::posix_spawnattr_setsigdefault(&attributes, &to_default);
        ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

        std::vector<char*> arguments;
        for (std::string& word : command) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        std::vector<std::string> settings = with(environment);
        std::vector<char*> variables;
        for (std::string& setting : settings) variables.push_back(setting.data());
        variables.push_back(nullptr);
        const int failed =
            ::posix_spawn(&pid_, arguments[0], &actions, &attributes, arguments.data(), variables.data());

        ::posix_spawnattr_destroy(&attributes);
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(child_in);
        ::close(child_out);
        if (failed != 0) {
            close_pipes();
            throw std::system_error(failed, std::generic_category(), "starting " + command[0]);
        }
    }

    Process(Process&& other) noexcept
        : pid_(std::exchange(other.pid_, -1)),
          to_(std::exchange(other.to_, -1)),
          from_(std::exchange(other.from_, -1)),
          read_(std::move(other.read_)),
          status_(other.status_) {}
    Process& operator=(Process&&) = delete;
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process() {
        if (pid_ > 0 && !status_) {
            kill();
            wait();
        }
        close_pipes();
    }

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

    /// Writes `line` and a line feed. Throws std::system_error when the process does not read any more.
    void write_line(std::string_view line) { write(std::string{line} + '\n'); }

    /// Writes `text` as it is, waiting while the pipe is full. Throws std::system_error as write_line() does.
    void write(std::string_view text) {
        while (!text.empty()) {
            const ssize_t n = ::write(to_, text.data(), text.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) throw std::system_error(errno, std::generic_category(), "writing to a process");
            text.remove_prefix(static_cast<std::size_t>(n));
        }
    }

    /// Tells the process that nothing more comes.
    void close_input() noexcept {
        if (to_ >= 0) ::close(std::exchange(to_, -1));
    }

    /// Goes away as the reader of its output, as `head` does.
    void close_output() noexcept {
        if (from_ >= 0) ::close(std::exchange(from_, -1));
    }

    /// The next line of its output, without the line feed; waits for it. Empty at the end of the output.
    [[nodiscard]] std::optional<std::string> read_line() {
        for (;;) {
            if (const auto end = read_.find('\n'); end != std::string::npos) {
                std::string line = read_.substr(0, end);
                read_.erase(0, end + 1);
                return line;
            }
            if (!fill()) {
                if (read_.empty()) return std::nullopt;
                return std::exchange(read_, {});
            }
        }
    }

    /// What is left of its output, up to its end.
    [[nodiscard]] std::string read_all() {
        while (fill()) {
        }
        return std::exchange(read_, {});
    }

    /// Sends a signal; SIGKILL, unless another one is named.
    void kill(int signal = SIGKILL) const noexcept {
        if (pid_ > 0 && !status_) ::kill(pid_, signal);
    }

    /// Waits until a signal has stopped it (SIGSTOP); kill(SIGCONT) lets it go on. False: it ended instead.
    [[nodiscard]] bool wait_until_stopped() {
        int status = 0;
        while (::waitpid(pid_, &status, WUNTRACED) < 0) {
            if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waiting for a process");
        }
        if (WIFSTOPPED(status)) return true;
        ended(status);
        return false;
    }

    /// Closes its input and waits for its end: the exit status, or 128 and the number of the signal that ended it.
    int wait() {
        close_input();
        if (!status_) {
            int status = 0;
            while (::waitpid(pid_, &status, 0) < 0) {
                if (errno != EINTR)
                    throw std::system_error(errno, std::generic_category(), "waiting for a process");
            }
            ended(status);
        }
        return *status_;
    }

private:
    void ended(int status) { status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

    [[nodiscard]] static std::vector<std::string> with(const Environment& added) {
        std::vector<std::string> settings;
        for (char** entry = environ; *entry != nullptr; ++entry) {
            const std::string_view setting{*entry};
            if (!added.contains(std::string{setting.substr(0, setting.find('='))})) settings.emplace_back(setting);
        }
        for (const auto& [name, value] : added) settings.push_back(name + "=" + value);
        return settings;
    }

    [[nodiscard]] static std::pair<int, int> pipe() {
        int ends[2];
        // Close-on-exec, or a second process would keep the first one's input open.
        if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "making a pipe");
        return {ends[0], ends[1]};
    }

    [[nodiscard]] bool fill() {
        char buffer[4096];
        for (;;) {
            const ssize_t n = ::read(from_, buffer, sizeof buffer);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return false;
            read_.append(buffer, static_cast<std::size_t>(n));
            return true;
        }
    }

    void close_pipes() noexcept {
        close_input();
        close_output();
    }

    pid_t pid_ = -1;
    int to_ = -1;
    int from_ = -1;
    std::string read_;
    std::optional<int> status_;
};

}  // namespace stele::test
