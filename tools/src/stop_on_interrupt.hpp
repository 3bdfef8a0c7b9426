// StopOnInterrupt, for a command that waits for events: ends the wait on SIGINT, SIGTERM, or a reader that has
// gone.
#pragma once

#include "file.hpp"
#include "interrupt.hpp"

#include <stele/store/subscription.hpp>

#include <thread>

namespace stele::tool {

/// While one lives, `subscription` is stopped as soon as `interrupt` is requested or nobody can read `output` any
/// more. A thread of its own sleeps until then, so that an idle command uses no processor.
class StopOnInterrupt {
public:
    StopOnInterrupt(Subscription& subscription, const Interrupt& interrupt, int output);
    ~StopOnInterrupt();
    StopOnInterrupt(const StopOnInterrupt&) = delete;
    StopOnInterrupt& operator=(const StopOnInterrupt&) = delete;

private:
    File done_read_;
    File done_write_;
    std::thread thread_;
};

}  // namespace stele::tool
