// EventRange: the events of a read, one after another, fetched in pages.
#pragma once

#include <stele/schema/event.hpp>

#include <cstddef>
#include <iterator>
#include <memory>
#include <ranges>
#include <type_traits>
#include <utility>
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
/// must stay open. Use it from one thread at a time. An iterator's event is valid until the iterator moves, an
/// iterator as long as any copy of its range.
///
/// It is a view, of std::ranges and of range-v3: `store.read(…) | views::filter(…)` works, and so does a pipeline
/// over a named range. Copies are the same read at the same place, as it is with streams.
///
/// Throws StoreError from begin() and ++ where the disk or the file fails.
class EventRange : public std::ranges::view_base {
    struct State {
        std::unique_ptr<detail::PageSource> source;
        std::vector<Event> page;
        std::size_t at = 0;
        std::size_t filled = 0;
        bool started = false;

        void fetch() {
            at = filled = 0;  // where fetching fails, the range is at its end, not at an older event
            filled = source->next(page);
        }
        void advance() {
            if (++at == filled) fetch();
        }
    };

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
        reference operator*() const { return state_->page[state_->at]; }
        pointer operator->() const { return &**this; }
        iterator& operator++() {
            state_->advance();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& it, std::default_sentinel_t) { return it.at_end(); }

    private:
        friend class EventRange;
        explicit iterator(State* state) : state_(state) {}
        [[nodiscard]] bool at_end() const { return state_ == nullptr || state_->at == state_->filled; }
        State* state_ = nullptr;
    };

    /// No events.
    EventRange() = default;
    explicit EventRange(std::unique_ptr<detail::PageSource> source) : state_(std::make_shared<State>()) {
        state_->source = std::move(source);
    }

    /// Fetches the first page at the first call; where the read is, at later ones.
    [[nodiscard]] iterator begin() const {
        if (state_ != nullptr && !state_->started) {
            state_->fetch();
            state_->started = true;
        }
        return iterator{state_.get()};
    }
    [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }

    /// For those who take events by the page, in place of begin(): puts the next ones into `page`, whose memory
    /// they reuse, and returns how many there are; 0 at the end. Throws StoreError; the next call tries the same
    /// page again.
    [[nodiscard]] std::size_t next_page(std::vector<Event>& page) const {
        return state_ == nullptr ? 0 : state_->source->next(page);
    }

private:
    std::shared_ptr<State> state_;
};

}  // namespace stele

// Tells range-v3, where it is used, that an EventRange is a view; nothing of range-v3 is needed for it.
namespace ranges::ext {
template <class T>
struct enable_view;
template <>
struct enable_view<stele::EventRange> : std::true_type {};
}  // namespace ranges::ext
