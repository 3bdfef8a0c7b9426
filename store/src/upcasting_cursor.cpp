#include "upcasting_cursor.hpp"

#include <algorithm>

namespace stele {

UpcastingCursor::UpcastingCursor(std::unique_ptr<LogCursor> log, const Upcasters& upcasters, Query query,
                                 const Read& read)
    : log_(std::move(log)),
      worker_(upcasters),
      query_(std::move(query)),
      filters_(!query_.selects_everything()),
      backward_(read.is_backward()),
      left_(read.limit().value_or(std::numeric_limits<std::size_t>::max())) {}

std::size_t UpcastingCursor::look(std::vector<Event>& page) {
    if (finished()) return 0;
    if (at_ == filled_) {
        at_ = filled_ = 0;
        filled_ = log_->look(stored_);
    }
    std::size_t filled = 0;
    for (; at_ < filled_ && left_ > 0; ++at_) {
        const auto first = filled;
        try {
            worker_.upcast(stored_[at_], page, filled);
        } catch (...) {
            if (filled == 0) throw;
            return filled;  // those before it; whoever asks again is told
        }
        const auto begin = page.begin() + static_cast<std::ptrdiff_t>(first);
        auto end = page.begin() + static_cast<std::ptrdiff_t>(filled);
        if (filters_) {
            // What is not wanted goes to the end, where its memory is used again. The order stays.
            const auto kept =
                std::stable_partition(begin, end, [&](const Event& event) { return query_.matches(event); });
            filled -= static_cast<std::size_t>(end - kept);
            end = kept;
        }
        if (backward_) std::reverse(begin, end);
        left_ -= std::min(left_, filled - first);
    }
    return filled;
}

}  // namespace stele
