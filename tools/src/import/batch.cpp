#include "batch.hpp"

namespace stele::tool {

bool BatchQueue::push(Batch batch) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return batches_.size() < capacity_ || abandoned_; });
    if (abandoned_) return false;
    batches_.push_back(std::move(batch));
    changed_.notify_all();
    return true;
}

void BatchQueue::finish(std::exception_ptr error) {
    const std::lock_guard lock{mutex_};
    finished_ = true;
    error_ = std::move(error);
    changed_.notify_all();
}

std::optional<Batch> BatchQueue::pop() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return !batches_.empty() || finished_; });
    if (batches_.empty()) {
        if (error_) std::rethrow_exception(error_);
        return std::nullopt;
    }
    Batch batch = std::move(batches_.front());
    batches_.pop_front();
    changed_.notify_all();
    return batch;
}

void BatchQueue::abandon() {
    const std::lock_guard lock{mutex_};
    abandoned_ = true;
    changed_.notify_all();
}

}  // namespace stele::tool
