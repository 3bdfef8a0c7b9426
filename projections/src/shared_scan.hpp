// SharedScan: one read of the log for several consumers, on several threads.
//
// Pages of events are read one after another and stay in a window, in memory, until every consumer has taken them.
// A thread that is free takes a consumer to its next page, the one that is furthest behind or, for some pages, the
// one that it has been at; or it reads the next page where that is wanted sooner. So each consumer sees all events
// in order, by one thread at a time; no core waits while there is work; and as nobody gets further ahead than the
// window is long, memory stays bounded, whatever the log's length.
#pragma once

#include <stele/store/event_store.hpp>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

namespace stele {

class SharedScan {
public:
    /// Takes the events of a page. Where it throws, it gets no further ones.
    using Consumer = std::function<void(std::span<const Event>)>;

    SharedScan(EventRange events, std::vector<Consumer> consumers, std::stop_token stop);

    /// Works until every consumer has seen all events, has thrown, or a stop was requested. Call it from as many
    /// threads as shall work; each returns when there is nothing left to do and no other is at work.
    void work();

    /// What the consumer threw, or the read of the log; null where it has seen everything, or was stopped.
    [[nodiscard]] std::exception_ptr error_of(std::size_t consumer) const;

private:
    static constexpr std::size_t most_pages = 16;
    static constexpr std::size_t most_bytes = std::size_t{16} << 20;
    static constexpr std::size_t pages_ahead = 2;  ///< of the foremost consumer: it need not wait for the reader
    /// Over the last consumer that is free, for a thread to stay with its own.
    static constexpr std::size_t most_lead = 4;

    struct Page {
        std::vector<Event> events;
        std::size_t count = 0;
        std::size_t bytes = 0;
    };
    struct Reader {
        Consumer take;
        std::size_t next = 0;  ///< the number of its next page
        bool busy = false;
        std::exception_ptr error;
    };

    [[nodiscard]] std::size_t end() const { return first_ + window_.size(); }
    [[nodiscard]] Reader* next_to_feed(Reader* last);
    [[nodiscard]] bool wants_page(const Reader* idle) const;
    [[nodiscard]] bool ends_early() const;
    [[nodiscard]] bool finished() const;
    void read_page(std::unique_lock<std::mutex>& lock);
    void feed(Reader& reader, std::unique_lock<std::mutex>& lock);
    void drop_pages();

    EventRange events_;
    std::stop_token stop_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Reader> readers_;
    std::deque<std::unique_ptr<Page>> window_;
    std::size_t first_ = 0;  ///< the number of the window's first page
    std::size_t bytes_ = 0;  ///< in the window
    std::vector<std::unique_ptr<Page>> spare_;
    bool reading_ = false;
    bool ended_ = false;
    std::exception_ptr read_error_;
};

}  // namespace stele
