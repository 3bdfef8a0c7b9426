// StopOnInterrupt, for a command that waits or takes long: tells it to stop on SIGINT, SIGTERM, or a reader that
// has gone.
#pragma once

#include "file.hpp"
#include "interrupt.hpp"

#include <functional>
#include <thread>

namespace stele::tool {

/// While one lives, `stop` is called as soon as `interrupt` is requested or nobody can read `output` any more (-1:
/// whoever reads); once, by a thread of its own, which sleeps until then, so that an idle command uses no
/// processor.
class StopOnInterrupt {
public:
    StopOnInterrupt(std::function<void()> stop, const Interrupt& interrupt, int output = -1);
    ~StopOnInterrupt();
    StopOnInterrupt(const StopOnInterrupt&) = delete;
    StopOnInterrupt& operator=(const StopOnInterrupt&) = delete;

private:
    File done_read_;
    File done_write_;
    std::thread thread_;
};

}  // namespace stele::tool
