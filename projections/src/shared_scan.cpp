#include "shared_scan.hpp"

#include <algorithm>

namespace stele {

SharedScan::SharedScan(EventRange events, std::vector<Consumer> consumers, std::stop_token stop)
    : events_(std::move(events)), stop_(std::move(stop)) {
    for (auto& consumer : consumers) readers_.push_back(Reader{std::move(consumer), 0, false, nullptr});
}

void SharedScan::work() {
    std::unique_lock lock{mutex_};
    Reader* last = nullptr;
    while (!finished()) {
        if (ends_early()) {  // somebody is still at a page, which he uses without the lock
            changed_.wait(lock);
            continue;
        }
        auto* const reader = next_to_feed(last);
        if (wants_page(reader)) {
            read_page(lock);
        } else if (reader != nullptr) {
            last = reader;
            feed(*reader, lock);
        } else {
            changed_.wait(lock);
        }
    }
}

std::exception_ptr SharedScan::error_of(std::size_t consumer) const {
    const std::lock_guard lock{mutex_};
    return readers_[consumer].error ? readers_[consumer].error : read_error_;
}

bool SharedScan::ends_early() const { return stop_.stop_requested() || read_error_; }

bool SharedScan::finished() const {
    const bool is_idle = !reading_ && std::none_of(readers_.begin(), readers_.end(),
                                                   [](const Reader& reader) { return reader.busy; });
    if (!is_idle) return false;
    if (ends_early()) return true;
    return std::all_of(readers_.begin(), readers_.end(), [&](const Reader& reader) {
        return reader.error || (ended_ && reader.next == end() && !reader.busy);
    });
}

// Of those that nobody is feeding and that have a page before them, the furthest behind. But rather the one that
// the thread has fed last, whose rows are near its core, as long as it is ahead by little.
SharedScan::Reader* SharedScan::next_to_feed(Reader* last) {
    const auto can_be_fed = [&](const Reader& reader) {
        return !reader.busy && !reader.error && reader.next != end();
    };
    Reader* found = nullptr;
    for (auto& reader : readers_) {
        if (can_be_fed(reader) && (found == nullptr || reader.next < found->next)) found = &reader;
    }
    return last != nullptr && can_be_fed(*last) && last->next < found->next + most_lead ? last : found;
}

bool SharedScan::wants_page(const Reader* idle) const {
    const bool is_full = window_.size() >= most_pages || (bytes_ >= most_bytes && !window_.empty());
    if (reading_ || ended_ || is_full) return false;
    if (idle == nullptr) return true;
    std::size_t foremost = 0;
    for (const auto& reader : readers_) {
        if (!reader.error) foremost = std::max(foremost, reader.next);
    }
    return end() < foremost + pages_ahead;
}

void SharedScan::read_page(std::unique_lock<std::mutex>& lock) {
    reading_ = true;
    auto page = spare_.empty() ? std::make_unique<Page>() : std::move(spare_.back());
    if (!spare_.empty()) spare_.pop_back();
    lock.unlock();
    std::exception_ptr error;
    try {
        page->count = events_.next_page(page->events);
        page->bytes = 0;
        for (std::size_t i = 0; i < page->count; ++i) {
            page->bytes += page->events[i].data.text().size() + page->events[i].metadata.text().size();
        }
    } catch (...) {
        error = std::current_exception();
    }
    lock.lock();
    reading_ = false;
    read_error_ = error;
    ended_ = !error && page->count == 0;
    if (!error && !ended_) {
        bytes_ += page->bytes;
        window_.push_back(std::move(page));
    }
    changed_.notify_all();
}

void SharedScan::feed(Reader& reader, std::unique_lock<std::mutex>& lock) {
    reader.busy = true;
    const auto& page = *window_[reader.next - first_];
    lock.unlock();
    std::exception_ptr error;
    try {
        reader.take({page.events.data(), page.count});
    } catch (...) {
        error = std::current_exception();
    }
    lock.lock();
    reader.busy = false;
    reader.error = error;
    ++reader.next;
    drop_pages();
    changed_.notify_all();
}

// Those that every consumer has taken.
void SharedScan::drop_pages() {
    auto needed = end();
    for (const auto& reader : readers_) {
        if (!reader.error) needed = std::min(needed, reader.next);
    }
    for (; first_ < needed; ++first_) {
        bytes_ -= window_.front()->bytes;
        // The memory of a page that held much is not kept.
        if (window_.front()->bytes < most_bytes / most_pages) spare_.push_back(std::move(window_.front()));
        window_.pop_front();
    }
}

}  // namespace stele
