#include "log_walk.hpp"

#include <algorithm>
#include <limits>

namespace stele::sqlite {

namespace {

constexpr std::size_t page_events = 512;
constexpr std::size_t page_bytes = std::size_t{1} << 20;
/// How many rows one page may pass over without finding anything, so that a page holds its view for a bounded time.
constexpr std::int64_t page_rows = 50'000;
/// Seeking costs about three times as much as passing a row: above one match in so many rows, the log is faster.
constexpr std::int64_t dense = 3;
constexpr std::int64_t sparse = 8;

constexpr std::int64_t beyond = std::numeric_limits<std::int64_t>::max();

bool has_correlation(const Event& event, const std::string& id) {
    if (event.metadata.text().find("correlation_id") == std::string::npos) return false;
    const auto metadata = event.metadata.value();
    const auto found = metadata.find("correlation_id");
    return found != metadata.end() && found->is_string() && found->get_ref<const std::string&>() == id;
}

}  // namespace

/// What a page has taken up so far.
struct LogWalk::Page {
    std::vector<Event>& events;
    std::size_t room;
    std::size_t filled = 0;
    std::size_t bytes = 0;

    [[nodiscard]] bool full() const noexcept { return filled == room || bytes >= page_bytes; }
    void keep() {
        bytes += events[filled].data.text().size() + events[filled].metadata.text().size();
        ++filled;
    }
};

LogWalk::LogWalk(ReaderPool& readers, const Read& read)
    : readers_(readers),
      read_(read),
      way_(choose_way(read)),
      adaptive_(way_ == Way::seek && std::all_of(read.query().items().begin(), read.query().items().end(),
                                                 [](const QueryItem& item) { return item.tags.empty(); })),
      checks_whole_event_(read.correlation() ||
                          std::any_of(read.query().items().begin(), read.query().items().end(),
                                      [](const QueryItem& item) { return !item.tags.empty(); })),
      open_end_(way_ == Way::stream && !read.is_backward() && !read.since() && !read.until_time() &&
                !read.until_position() && !read.until_version() && read.after() == Position{}),
      left_(read.limit().value_or(std::numeric_limits<std::size_t>::max())) {
    const bool versions = read.from_version() || read.until_version();
    if (versions && way_ != Way::stream) {
        throw InvalidInput("read", "a stream, where versions are bounded",
                           "bounds in versions over several streams");
    }
}

LogWalk::Way LogWalk::choose_way(const Read& read) {
    const auto& items = read.query().items();
    if (items.size() == 1 && items.front().stream) return Way::stream;
    const bool seekable = !items.empty() && std::all_of(items.begin(), items.end(), [](const QueryItem& item) {
        return !item.types.empty() || !item.tags.empty();
    });
    return seekable ? Way::seek : Way::log;
}

std::size_t LogWalk::next(std::vector<Event>& events) {
    if (done_ || left_ == 0) return 0;
    const auto reader = readers_.borrow();
    Page page{events, std::min(left_, page_events)};
    while (!done_ && page.filled == 0) {
        // A whole stream is read by one statement, which needs no transaction around it.
        std::optional<Reader::View> view;
        if (!open_end_) view.emplace(*reader);
        if (!started_) start(*reader);
        started_ = true;
        switch (way_) {
            case Way::stream:
                along_stream(*reader, page);
                break;
            case Way::seek:
                by_seeks(*reader, page);
                break;
            case Way::log:
                along_log(*reader, page);
                break;
        }
    }
    left_ -= page.filled;
    return page.filled;
}

/// Turns all bounds into positions (and versions), within what is there now.
void LogWalk::start(Reader& reader) {
    if (open_end_) {
        from_ = std::max(Version{1}, read_.from_version().value_or(Version{1}));
        to_ = Version{beyond};
        const auto& stream = *read_.query().items().front().stream;
        if (reader.names().number_of(stream)) return;
        // Nothing of it up to here: the head is looked up before the stream is looked for again.
        last_ = reader.head();
        done_ = !reader.names().number_of(stream);
        return;
    }
    first_ = read_.after().next();
    last_ = std::min(reader.head(), read_.until_position().value_or(Position{beyond}));
    if (read_.since() && *read_.since() > Timestamp::min())
        first_ = std::max(first_, reader.position_at(*read_.since() - std::chrono::microseconds{1}).next());
    if (read_.until_time()) last_ = std::min(last_, reader.position_at(*read_.until_time()));
    if (first_ > last_) done_ = true;
    if (way_ != Way::stream || done_) return;

    const auto& stream = *read_.query().items().front().stream;
    const auto end = reader.finder().end_of(stream);
    if (!end) {
        done_ = true;
        return;
    }
    const auto number = *reader.names().number_of(stream);
    from_ = std::max(Version{1}, read_.from_version().value_or(Version{1}));
    to_ = std::min(end->version, read_.until_version().value_or(end->version));
    if (first_ > Position{1}) from_ = std::max(from_, reader.finder().version_at(number, end->version, first_));
    if (last_ < end->position) {
        to_ = std::min(to_, reader.finder().version_at(number, end->version, last_.next()).previous());
    }
    if (from_ > to_) done_ = true;
}

void LogWalk::along_stream(Reader& reader, Page& page) {
    const auto& item = read_.query().items().front();
    const bool backward = read_.is_backward();
    const bool filters = !item.types.empty() || checks_whole_event_ || item.tenant || item.aggregate_type;
    if (done_) return;
    auto& statement = reader.stream(backward);
    const Use row{statement};
    row->bind(1, from_.value());
    row->bind(2, to_.value());
    row->bind(3, *reader.names().number_of(*item.stream));
    while (!page.full()) {
        if (!row->step()) {
            done_ = true;
            return;
        }
        const Version version{row->integer(2)};
        (backward ? to_ : from_) = backward ? version.previous() : version.next();
        if (filters && !may_match(row->integer(1), row->integer(3), reader)) continue;
        reader.decode(statement, page.events, page.filled);
        if (!filters || matches(page.events[page.filled])) page.keep();
    }
    if (open_end_) {
        // The page is full, so there may be more. The statement still holds the view of the log that the page came
        // from: what ends the stream there ends the read.
        to_ = reader.finder().end_of(*item.stream)->version;
        open_end_ = false;
    }
    done_ = from_ > to_;
}

void LogWalk::along_log(Reader& reader, Page& page) {
    if (done_) return;
    const bool backward = read_.is_backward();
    const bool filters = !read_.query().selects_everything() || checks_whole_event_;
    auto& statement = reader.log(backward);
    const Use row{statement};
    row->bind(1, first_.value());
    row->bind(2, last_.value());
    std::int64_t passed = 0;
    while (!page.full() && passed < page_rows) {
        if (!row->step()) {
            done_ = true;
            return;
        }
        ++passed;
        const Position position{row->integer(0)};
        if (backward) {
            last_ = position.previous();
        } else {
            first_ = position.next();
        }
        if (filters && !may_match(row->integer(1), row->integer(3), reader)) continue;
        reader.decode(statement, page.events, page.filled);
        if (!filters || matches(page.events[page.filled])) page.keep();
    }
    done_ = first_ > last_;
    reconsider(passed, page.filled);
}

// A merge of walks, each of which names the next position where it has an event.
void LogWalk::by_seeks(Reader& reader, Page& page) {
    if (done_) return;
    const bool backward = read_.is_backward();
    struct Front {
        Finder::Walk walk;
        Position at;
    };
    std::vector<Front> fronts;
    for (const auto& item : read_.query().items()) {
        for (const auto& walk : reader.finder().walks(item)) {
            if (const auto at = reader.finder().nearest(walk, backward ? last_ : first_, backward)) {
                fronts.push_back({walk, *at});
            }
        }
    }
    const auto started_at = backward ? last_ : first_;
    const auto out_of_reach = [&](Position at) { return backward ? at < first_ : at > last_; };
    auto& statement = reader.event_at();
    std::int64_t looked_at = 0;
    while (!page.full() && looked_at++ < page_rows) {
        std::erase_if(fronts, [&](const Front& front) { return out_of_reach(front.at); });
        if (fronts.empty()) {
            done_ = true;
            return;
        }
        auto position = fronts.front().at;
        for (const auto& front : fronts) {
            position = backward ? std::max(position, front.at) : std::min(position, front.at);
        }
        {
            const Use row{statement};
            row->bind(1, position.value());
            if (row->step() && may_match(row->integer(1), row->integer(3), reader)) {
                reader.decode(statement, page.events, page.filled);
                if (matches(page.events[page.filled])) page.keep();
            }
        }
        const auto following = backward ? position.previous() : position.next();
        (backward ? last_ : first_) = following;
        for (auto front = fronts.begin(); front != fronts.end();) {
            if (front->at != position) {
                ++front;
            } else if (const auto at = reader.finder().nearest(front->walk, following, backward)) {
                (front++)->at = *at;
            } else {
                front = fronts.erase(front);
            }
        }
    }
    const auto distance = (backward ? last_ : first_).value() - started_at.value();
    reconsider(distance < 0 ? -distance : distance, page.filled);
}

/// After a page that passed so many positions and found so many events: is the other way better for the next?
void LogWalk::reconsider(std::int64_t passed, std::size_t found) {
    if (!adaptive_) return;
    const auto matches = static_cast<std::int64_t>(found);
    if (way_ == Way::seek && passed < matches * dense) way_ = Way::log;
    if (way_ == Way::log && passed > matches * sparse) way_ = Way::seek;
}

/// By what a row says without its payload: false where no item can match.
bool LogWalk::may_match(std::int64_t stream, std::int64_t type, Reader& reader) {
    const auto& items = read_.query().items();
    return items.empty() || std::any_of(items.begin(), items.end(), [&](const QueryItem& item) {
               if (!item.types.empty()) {
                   const auto& name = reader.names().type(type);
                   if (std::find(item.types.begin(), item.types.end(), name) == item.types.end()) return false;
               }
               if (!item.stream && !item.aggregate_type && !item.tenant) return true;
               const auto& id = reader.names().stream(stream);
               return (!item.stream || *item.stream == id) &&
                      (!item.aggregate_type || *item.aggregate_type == id.aggregate_type()) &&
                      (!item.tenant || *item.tenant == id.tenant());
           });
}

/// By the whole event, where what may_match() sees does not settle it.
bool LogWalk::matches(const Event& event) const {
    if (!checks_whole_event_) return true;
    return read_.query().matches(event) && (!read_.correlation() || has_correlation(event, *read_.correlation()));
}

}  // namespace stele::sqlite
