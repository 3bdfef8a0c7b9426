// Appenders: processes that append to one store (see appender.cpp), and what they were promised.
#pragma once

#include <stele/schema/event.hpp>
#include <stele/test/faulty_disk.hpp>
#include <stele/test/process.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace stele::test {

struct AppenderPlan {
    std::string name;
    int threads = 1;
    int appends = 1;
    std::uint64_t seed = 1;
    bool relaxed = false;
    int checkpoint_pages = 10'000;
    std::chrono::milliseconds deadline{60'000};
};

/// Starts one. `disk` is the value of STELE_TEST_DISK: by default a disk without faults whose syncs cost nothing,
/// as a process that dies loses nothing that it wrote.
[[nodiscard]] Process start_appender(const std::filesystem::path& store, const AppenderPlan& plan,
                                     const std::string& disk = on_sound_disk());

/// What the appenders of a store were promised: read from their output, checked against the log.
class Promises {
public:
    /// Takes in one line of an appender. Fails the test where it is not one.
    void note(const std::string& line);
    /// Takes in all that is left of its output.
    void note_rest(Process& appender);

    [[nodiscard]] std::size_t acknowledged() const noexcept { return acknowledged_; }
    [[nodiscard]] int busy() const noexcept { return busy_; }

    /// Fails the test unless every acknowledged append is in `events` at the position that was promised, once,
    /// whole and in order; and beside them each writer has at most the one append that was never answered.
    void check(const std::vector<Event>& events) const;

private:
    struct Writer {
        int acknowledged = 0;                 ///< appends 0 to acknowledged - 1
        std::vector<std::int64_t> positions;  ///< of each one's first event
    };
    std::map<std::string, Writer> writers_;
    std::size_t acknowledged_ = 0;
    int busy_ = 0;
};

}  // namespace stele::test
