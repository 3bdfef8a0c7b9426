// in_background(): work that goes on for long, beside others that somebody waits for.
//
// On Linux a thread that wakes up, as one does whose sync of the disk is done, may have to wait for milliseconds
// until one of its own priority leaves a core to it. A rebuild reads in one thread and folds in another: on two
// cores both are taken, and appends that sync took twice as long beside it, whatever it wrote. A thread that is
// nicer gets the smaller part of a core, and, if its turns are longer as well, leaves it at once (but on Linux 6.6
// to 6.11, where it may stay to the end of its turn).
#pragma once

#include <functional>

namespace stele {

/// Calls `work` in a thread that is so many steps nicer than the calling one, which waits for it; in the calling
/// thread where `niceness` is 0, or no thread is to be had. (A thread of its own, because going back takes a
/// privilege.) Threads that `work` starts are as nice. Throws what `work` throws.
void in_background(int niceness, const std::function<void()>& work);

}  // namespace stele
