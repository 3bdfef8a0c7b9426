#include "tool_process.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>

namespace stele::bench {
namespace {

constexpr int could_not_start = 127;

// In the child: nothing here may allocate.
[[noreturn]] void become(const char* folder, const char* errors, char* const* arguments) {
    const int nothing = ::open("/dev/null", O_RDWR);
    const int error_file = ::open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const bool ready = nothing >= 0 && error_file >= 0 && ::dup2(nothing, STDIN_FILENO) >= 0 &&
                       ::dup2(nothing, STDOUT_FILENO) >= 0 && ::dup2(error_file, STDERR_FILENO) >= 0 &&
                       ::chdir(folder) == 0;
    if (ready) ::execv(arguments[0], arguments);
    ::_exit(could_not_start);
}

std::string text_in(const std::filesystem::path& file) {
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace

ToolRun run_tool(const Context& context, const std::filesystem::path& folder, std::vector<std::string> arguments) {
    const auto errors = folder / "tool-errors.txt";
    std::string command = context.tool.string();
    std::vector<char*> argv{command.data()};
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    // STELE_STORE must not lead the child to a store of the user's; every call names its own.
    ::unsetenv("STELE_STORE");
#ifdef __GLIBC__
    ::malloc_trim(0);
#endif

    const auto start = std::chrono::steady_clock::now();
    const pid_t child = ::fork();
    if (child == 0) become(folder.c_str(), errors.c_str(), argv.data());
    if (child < 0) throw BenchError("bench: no process for " + command + ": " + std::strerror(errno));
    int status = 0;
    rusage usage{};
    while (::wait4(child, &status, 0, &usage) < 0) {
        if (errno != EINTR) throw BenchError("bench: waiting for " + command + ": " + std::strerror(errno));
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;

    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        std::string said = "bench: " + command;
        for (const auto& argument : arguments) said += ' ' + argument;
        said += WIFEXITED(status) ? ": exit status " + std::to_string(WEXITSTATUS(status))
                                  : ": signal " + std::to_string(WTERMSIG(status));
        if (WIFEXITED(status) && WEXITSTATUS(status) == could_not_start) said += " (is the command there?)";
        throw BenchError(said + ": " + text_in(errors));
    }
    return {taken.count(), static_cast<std::int64_t>(usage.ru_maxrss) * 1024};
}

}  // namespace stele::bench
