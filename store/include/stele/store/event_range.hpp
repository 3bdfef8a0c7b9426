// EventRange: the events of a read, one after another, fetched in pages.
#pragma once

#include <stele/schema/event.hpp>

#include <cstddef>
#include <iterator>
#include <memory>
#include <ranges>
#include <vector>

namespace stele {

namespace detail {
/// Fetches the next page of a read. Implemented by the store.
class PageSource {
public:
    virtual ~PageSource() = default;
    /// Fills `page[0, n)` and returns n, 0 at the end. Reuses the memory of the events that are in `page`.
    virtual std::size_t next(std::vector<Event>& page) = 0;
};
}  // namespace detail

/// A single-pass range of events, in the order of the read.
///
/// It fixes its end when it starts: events appended later are not in it. Between pages it holds no transaction,
/// no lock and no connection, so a slow reader delays nobody. It may outlive nothing: the EventStore that made it
/// must stay open. Use it from one thread at a time. An iterator's event is valid until the iterator moves.
///
/// Throws StoreError from begin() and ++ where the disk or the file fails.
class EventRange : public std::ranges::view_base {
public:
    class iterator {
    public:
        using value_type = Event;
        using difference_type = std::ptrdiff_t;
        using reference = const Event&;
        using pointer = const Event*;
        using iterator_category = std::input_iterator_tag;
        using iterator_concept = std::input_iterator_tag;

        iterator() = default;
        reference operator*() const { return range_->page_[range_->at_]; }
        pointer operator->() const { return &**this; }
        iterator& operator++() {
            range_->advance();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& it, std::default_sentinel_t) { return it.at_end(); }

    private:
        friend class EventRange;
        explicit iterator(EventRange* range) : range_(range) {}
        [[nodiscard]] bool at_end() const { return range_ == nullptr || range_->at_ == range_->filled_; }
        EventRange* range_ = nullptr;
    };

    explicit EventRange(std::unique_ptr<detail::PageSource> source) : source_(std::move(source)) {}
    EventRange(EventRange&&) = default;
    EventRange& operator=(EventRange&&) = default;

    /// Fetches the first page. May be called once.
    iterator begin() {
        if (!started_) fetch();
        started_ = true;
        return iterator{this};
    }
    static std::default_sentinel_t end() noexcept { return {}; }

private:
    void advance() {
        if (++at_ == filled_) fetch();
    }
    void fetch() {
        at_ = 0;
        filled_ = source_->next(page_);
    }

    std::unique_ptr<detail::PageSource> source_;
    std::vector<Event> page_;
    std::size_t at_ = 0;
    std::size_t filled_ = 0;
    bool started_ = false;
};

}  // namespace stele
