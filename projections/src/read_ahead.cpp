#include "read_ahead.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace stele {
namespace {

constexpr std::size_t pages_ahead = 4;  // of at most 1 MiB, or one event

class ReadAhead final : public detail::PageSource {
public:
    explicit ReadAhead(EventRange events) : events_(std::move(events)), reader_([this] { fetch_all(); }) {}

    ~ReadAhead() override {
        {
            const std::lock_guard lock{mutex_};
            is_stopped_ = true;
        }
        changed_.notify_all();
        reader_.join();
    }
    ReadAhead(const ReadAhead&) = delete;
    ReadAhead& operator=(const ReadAhead&) = delete;

    std::size_t next(std::vector<Event>& page) override {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return !fetched_.empty() || has_ended_; });
        if (fetched_.empty()) {
            if (error_) std::rethrow_exception(error_);
            return 0;
        }
        auto next = std::move(fetched_.front());
        fetched_.pop_front();
        std::swap(page, next.events);
        spare_.push_back(std::move(next.events));
        lock.unlock();
        changed_.notify_all();
        return next.count;
    }

private:
    struct Page {
        std::vector<Event> events;
        std::size_t count = 0;
    };

    void fetch_all() noexcept {
        try {
            while (fetch()) continue;
        } catch (...) {
            const std::lock_guard lock{mutex_};
            error_ = std::current_exception();
        }
        const std::lock_guard lock{mutex_};
        has_ended_ = true;
        changed_.notify_all();
    }

    // False at the end of the read, or where nobody wants it any more.
    bool fetch() {
        Page page;
        {
            std::unique_lock lock{mutex_};
            changed_.wait(lock, [this] { return is_stopped_ || fetched_.size() < pages_ahead; });
            if (is_stopped_) return false;
            if (!spare_.empty()) {
                page.events = std::move(spare_.back());
                spare_.pop_back();
            }
        }
        page.count = events_.next_page(page.events);
        if (page.count == 0) return false;
        const std::lock_guard lock{mutex_};
        fetched_.push_back(std::move(page));
        changed_.notify_all();
        return true;
    }

    EventRange events_;  ///< the reader's alone
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Page> fetched_;
    std::vector<std::vector<Event>> spare_;  ///< their memory is used again
    std::exception_ptr error_;
    bool has_ended_ = false;
    bool is_stopped_ = false;
    std::thread reader_;  ///< last: it uses what stands above
};

}  // namespace

EventRange read_ahead(EventRange events) {
    if (std::thread::hardware_concurrency() < 2) return events;
    try {
        return EventRange{std::make_unique<ReadAhead>(events)};
    } catch (const std::system_error&) {
        return events;
    }
}

}  // namespace stele
