#include "background.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <system_error>
#include <thread>

namespace stele {
namespace {

constexpr int nicest = 19;  // setpriority(2)

/// The first version of Linux's struct sched_attr, sched_setattr(2); libraries of C have it and its calls since
/// glibc 2.41.
struct SchedulingAttributes {
    std::uint32_t size = sizeof(SchedulingAttributes);
    std::uint32_t policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 0;  ///< nanoseconds; of what is scheduled fairly, the length of its turns
    std::uint64_t deadline = 0;
    std::uint64_t period = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48, "as Linux has it");

// On Linux from 6.6 on, a thread that is at its turn may stay there to the turn's end, nice or not, while another
// one has woken up and waits; from 6.12 on not where its turns are longer than that one's. Before, who is less nice
// preempts it at once.
void have_long_turns() noexcept {
    constexpr std::uint64_t longest = 100'000'000;  // that Linux takes
    constexpr long self = 0;
    SchedulingAttributes attributes;
    const bool is_known = ::syscall(SYS_sched_getattr, self, &attributes, sizeof attributes, 0U) == 0;
    if (!is_known || (attributes.policy != SCHED_OTHER && attributes.policy != SCHED_BATCH)) return;
    attributes.runtime = longest;
    (void)::syscall(SYS_sched_setattr, self, &attributes, 0U);
}

// Of the calling thread alone: to Linux, each is a process here. Where it is not allowed, the work is done as it
// is.
void be_nicer(int niceness) noexcept {
    const auto self = static_cast<id_t>(::gettid());
    const auto before = ::getpriority(PRIO_PROCESS, self);
    (void)::setpriority(PRIO_PROCESS, self, before + std::min(niceness, nicest - before));
    have_long_turns();
}

}  // namespace

void in_background(int niceness, const std::function<void()>& work) {
    if (niceness <= 0) return work();
    std::exception_ptr error;
    std::thread thread;
    try {
        thread = std::thread{[&] {
            be_nicer(niceness);
            try {
                work();
            } catch (...) {
                error = std::current_exception();
            }
        }};
    } catch (const std::system_error&) {
        return work();
    }
    thread.join();
    if (error) std::rethrow_exception(error);
}

}  // namespace stele
