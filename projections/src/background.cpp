#include "background.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <system_error>
#include <thread>

namespace stele {
namespace {

constexpr int nicest = 19;  // setpriority(2)

// Of the calling thread alone: to Linux, each is a process here. Where it is not allowed, the work is done as it
// is.
void be_nicer(int niceness) noexcept {
    const auto self = static_cast<id_t>(::gettid());
    const auto before = ::getpriority(PRIO_PROCESS, self);
    (void)::setpriority(PRIO_PROCESS, self, before + std::min(niceness, nicest - before));
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
