// How a scenario says that it holds, or does not: to Catch2, of version 2 or 3, whichever the program has.
#pragma once

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <string>
#include <utility>
#include <vector>

namespace stele::testing {

/// While it is there, scenarios of this thread that do not hold are kept in it and fail no test: for tests of
/// tests.
class CaptureFailures {
public:
    CaptureFailures() : outer_(std::exchange(current(), this)) {}
    ~CaptureFailures() { current() = outer_; }
    CaptureFailures(const CaptureFailures&) = delete;
    CaptureFailures& operator=(const CaptureFailures&) = delete;

    /// What they said, in the order in which they failed.
    [[nodiscard]] const std::vector<std::string>& messages() const noexcept { return messages_; }

    /// The innermost of this thread, null where there is none.
    [[nodiscard]] static CaptureFailures*& current() noexcept {
        thread_local CaptureFailures* innermost = nullptr;
        return innermost;
    }
    void add(std::string message) { messages_.push_back(std::move(message)); }

private:
    CaptureFailures* outer_;
    std::vector<std::string> messages_;
};

namespace detail {

/// `failure`: what does not hold, empty where all does. The test goes on either way, and fails at its end.
inline void report(const std::string& failure) {
    if (failure.empty()) {
        SUCCEED();
    } else if (auto* const captured = CaptureFailures::current()) {
        captured->add(failure);
    } else {
        FAIL_CHECK(failure);
    }
}

}  // namespace detail
}  // namespace stele::testing
