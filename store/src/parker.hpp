// Parker: lets one thread sleep until another wakes it, once, with as little in between as the system allows.
#pragma once

#include <atomic>
#include <cstdint>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace stele {

/// Holds a word that starts at 0. std::atomic::wait would do, but libstdc++ spins and yields before it sleeps:
/// with more threads than cores, the spinning of those who wait takes the core from the one who works.
class Parker {
public:
    /// Sleeps until the word is not 0, and returns it.
    std::uint32_t park() noexcept {
        for (;;) {
            const auto word = word_.load(std::memory_order_acquire);
            if (word != 0) return word;
#if defined(__linux__)
            // Returns at once when the word is no longer 0; wakes without a reason are caught by the loop.
            syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
#else
            word_.wait(0, std::memory_order_acquire);
#endif
        }
    }

    /// Sets the word and wakes the sleeper. The Parker may be gone as soon as the word is set: nothing of it is
    /// read afterwards, and a wake at an address that nobody sleeps at is harmless.
    void unpark(std::uint32_t word) noexcept {
#if defined(__linux__)
        auto* address = &word_;
        word_.store(word, std::memory_order_release);
        syscall(SYS_futex, address, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
#else
        word_.store(word, std::memory_order_release);
        word_.notify_one();
#endif
    }

private:
    std::atomic<std::uint32_t> word_{0};
    static_assert(sizeof(std::atomic<std::uint32_t>) == 4, "the kernel waits on a 32-bit word");
};

}  // namespace stele
