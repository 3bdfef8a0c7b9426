#include "workplace.hpp"

#include <fcntl.h>
#include <pty.h>
#include <spawn.h>
#include <sys/wait.h>
#include <zlib.h>

#include <fstream>
#include <numeric>
#include <sstream>

namespace stele::test {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    REQUIRE(file.good());
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// Our environment without what would steer the command, and with what the test gives.
std::vector<std::string> environment_with(const std::map<std::string, std::string>& given) {
    std::map<std::string, std::string> all;
    for (char** setting = environ; *setting != nullptr; ++setting) {
        const std::string text = *setting;
        const auto equals = text.find('=');
        all[text.substr(0, equals)] = text.substr(equals + 1);
    }
    all["STELE_STORE"] = "log.stele";
    all.erase("NO_COLOR");
    for (const auto& [name, value] : given) all[name] = value;
    std::vector<std::string> settings;
    for (const auto& [name, value] : all) settings.push_back(name + "=" + value);
    return settings;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (auto& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return pointers;
}

// Runs the command with its three streams on files, so that no pipe can fill up and hold it.
int run(std::vector<std::string> command, std::vector<std::string> settings, const fs::path& folder,
        const fs::path& streams) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, (streams / "in").c_str(), O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, (streams / "out").c_str(), O_WRONLY | O_CREAT,
                                       0600);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, (streams / "err").c_str(), O_WRONLY | O_CREAT,
                                       0600);
    ::posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    const auto arguments = pointers_to(command);
    const auto variables = pointers_to(settings);
    pid_t pid = -1;
    const int failed = ::posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), variables.data());
    ::posix_spawn_file_actions_destroy(&actions);
    REQUIRE(failed == 0);
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::vector<std::string> command_of(const std::vector<std::string>& arguments) {
    std::vector<std::string> command{STELE_TOOL};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
}

}  // namespace

std::vector<nlohmann::json> Ran::json_lines() const {
    std::vector<nlohmann::json> lines;
    std::istringstream text{out};
    for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
}

nlohmann::json Ran::json() const {
    INFO(*this);
    const auto lines = json_lines();
    REQUIRE(lines.size() == 1);
    return lines.front();
}

nlohmann::json Ran::error() const {
    INFO(*this);
    return nlohmann::json::parse(err).at("error");
}

std::ostream& operator<<(std::ostream& out, const Ran& ran) {
    return out << "exit status " << ran.status << "\n--- out\n" << ran.out << "--- err\n" << ran.err << "---";
}

Workplace::Workplace() = default;

Ran Workplace::stele(const std::vector<std::string>& arguments, const Given& given) const {
    return program(command_of(arguments), given);
}

Ran Workplace::program(const std::vector<std::string>& command, const Given& given) const {
    const TemporaryFolder streams;
    std::ofstream{streams / "in", std::ios::binary} << given.input;
    Ran ran;
    ran.status = run(command, environment_with(given.environment), folder_ / given.folder, streams.path());
    ran.out = read_file(streams / "out");
    ran.err = read_file(streams / "err");
    return ran;
}

Ran Workplace::on_terminal(const std::vector<std::string>& arguments, unsigned short columns,
                           const Given& given) const {
    auto command = command_of(arguments);
    auto environment = given.environment;
    environment.emplace("TERM", "xterm");
    auto settings = environment_with(environment);
    const auto words = pointers_to(command);
    const auto variables = pointers_to(settings);
    const fs::path folder = folder_ / given.folder;
    winsize size{};
    size.ws_row = 24;
    size.ws_col = columns;
    int terminal = -1;
    const pid_t pid = ::forkpty(&terminal, nullptr, nullptr, &size);
    REQUIRE(pid >= 0);
    if (pid == 0) {
        if (::chdir(folder.c_str()) == 0) ::execve(words[0], words.data(), variables.data());
        ::_exit(126);
    }
    Ran ran;
    char chunk[4096];
    // Once the command is gone, reading a terminal fails instead of ending.
    for (ssize_t n = 0; (n = ::read(terminal, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR);)
        if (n > 0) ran.out.append(chunk, static_cast<std::size_t>(n));
    ::close(terminal);
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return ran;
}

Process Workplace::start(const std::vector<std::string>& arguments) const {
    return Process{command_of(arguments), {{"STELE_STORE", path("log.stele").string()}}};
}

void Workplace::write(const std::string& name, std::string_view text) const {
    fs::create_directories(path(name).parent_path());
    std::ofstream file{path(name), std::ios::binary};
    file << text;
    REQUIRE(file.flush().good());
}

void Workplace::write_gzip(const std::string& name, std::string_view text) const {
    gzFile file = ::gzopen(path(name).c_str(), "wb");
    REQUIRE(file != nullptr);
    REQUIRE(::gzwrite(file, text.data(), static_cast<unsigned>(text.size())) == static_cast<int>(text.size()));
    REQUIRE(::gzclose(file) == Z_OK);
}

std::string Workplace::text_of(const std::string& name) const { return read_file(path(name)); }

std::vector<nlohmann::json> Workplace::log() const {
    const auto ran = stele({"events", "--json"});
    INFO(ran);
    REQUIRE(ran.status == 0);
    return ran.json_lines();
}

std::vector<std::string> Workplace::log(const std::string& field) const {
    std::vector<std::string> values;
    for (const auto& event : log()) values.push_back(event.at(field).get<std::string>());
    return values;
}

std::string event_line(const std::string& id, const std::string& type, const std::string& more) {
    return R"({"aggregate_type":"Site","aggregate_id":")" + id + R"(","type":")" + type + R"(","data":{})" + more +
           "}\n";
}

std::string event_lines(int count, int first) {
    std::string text;
    for (int n = first; n < first + count; ++n) {
        text += R"({"aggregate_type":"Site","aggregate_id":"site-)" + std::to_string(n % 7 * n % 5) +
                R"(","type":"Counted","data":{"n":)" + std::to_string(n) + "}}\n";
    }
    return text;
}

std::vector<int> numbers_in(const std::vector<nlohmann::json>& events) {
    std::vector<int> numbers;
    for (const auto& event : events) numbers.push_back(event.at("data").at("n").get<int>());
    return numbers;
}

std::vector<int> counting(int first, int last) {
    std::vector<int> numbers(static_cast<std::size_t>(last < first ? 0 : last - first + 1));
    std::iota(numbers.begin(), numbers.end(), first);
    return numbers;
}

}  // namespace stele::test
