// UpcastingCursor: a backend's cursor whose events are upcast, filtered again, and counted as they come out.
//
// Pieces of one event always come in one page. Where an upcaster fails, what stands before its event comes first,
// and the next call throws; each further call tries the same event again.
#pragma once

#include "backend.hpp"

#include <stele/schema/upcaster.hpp>

#include <limits>

namespace stele {

class UpcastingCursor final : public LogCursor {
public:
    /// `query` selects among what comes out of the upcasters.
    UpcastingCursor(std::unique_ptr<LogCursor> log, const Upcasters& upcasters, Query query, const Read& read);

    std::size_t look(std::vector<Event>& page) override;
    [[nodiscard]] bool finished() const noexcept override {
        return left_ == 0 || (at_ == filled_ && log_->finished());
    }
    [[nodiscard]] Position looked_to() const noexcept override {
        return at_ == filled_ ? log_->looked_to() : stored_[at_].position.previous();
    }

private:
    std::unique_ptr<LogCursor> log_;
    Upcasters::Worker worker_;
    Query query_;
    bool filters_;
    bool backward_;
    std::size_t left_;
    std::vector<Event> stored_;  ///< the page of the log that is being upcast: [at_, filled_) is left of it
    std::size_t at_ = 0;
    std::size_t filled_ = 0;
};

}  // namespace stele
