// Workplace: a folder of its own, and the stele command run in it as a process, as a user would.
#pragma once

#include <stele/test/catch.hpp>
#include <stele/test/process.hpp>
#include <stele/test/temporary_folder.hpp>

#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stele::test {

/// How a run of the command ended, and what it said.
struct Ran {
    int status = -1;  ///< 128 and the number of the signal, where one ended it
    std::string out;
    std::string err;

    /// Standard output as JSON Lines.
    [[nodiscard]] std::vector<nlohmann::json> json_lines() const;
    /// Standard output as one line of JSON.
    [[nodiscard]] nlohmann::json json() const;
    /// The object under "error" on standard error.
    [[nodiscard]] nlohmann::json error() const;

    friend std::ostream& operator<<(std::ostream& out, const Ran& ran);
};

/// What a run is given beside its arguments.
struct Given {
    std::string input{};
    std::map<std::string, std::string> environment{};
    std::string folder{};  ///< below the workplace; where the command starts
};

/// The folder; with STELE_STORE=log.stele, so that commands need not name it.
class Workplace {
public:
    Workplace();

    [[nodiscard]] Ran stele(const std::vector<std::string>& arguments, const Given& given = {}) const;

    /// The same with another program: `command` is its path and its arguments.
    [[nodiscard]] Ran program(const std::vector<std::string>& command, const Given& given = {}) const;

    /// The same on a terminal that has so many columns: `out` is all that the command prints there.
    [[nodiscard]] Ran on_terminal(const std::vector<std::string>& arguments, unsigned short columns,
                                  const Given& given = {}) const;

    /// The same, in the background, its input and output at hand. `folder` is absolute in `arguments`.
    [[nodiscard]] Process start(const std::vector<std::string>& arguments) const;

    [[nodiscard]] std::filesystem::path path(const std::string& name) const { return folder_ / name; }
    void write(const std::string& name, std::string_view text) const;
    void write_gzip(const std::string& name, std::string_view text) const;
    [[nodiscard]] std::string text_of(const std::string& name) const;
    [[nodiscard]] bool exists(const std::string& name) const { return std::filesystem::exists(path(name)); }

    /// The events of the log, as `events --json` prints them.
    [[nodiscard]] std::vector<nlohmann::json> log() const;
    /// One field of each of them.
    [[nodiscard]] std::vector<std::string> log(const std::string& field) const;

private:
    TemporaryFolder folder_;
};

/// A line to import: an event of `type` on the stream Site/`id`, with `more` members behind.
[[nodiscard]] std::string event_line(const std::string& id, const std::string& type, const std::string& more = {});

/// `count` event lines over a few interleaved streams; `n` in the data of each is its number, from 1.
[[nodiscard]] std::string event_lines(int count, int first = 1);

/// The numbers in the data of these events.
[[nodiscard]] std::vector<int> numbers_in(const std::vector<nlohmann::json>& events);

/// first, first + 1, …, last.
[[nodiscard]] std::vector<int> counting(int first, int last);

}  // namespace stele::test
