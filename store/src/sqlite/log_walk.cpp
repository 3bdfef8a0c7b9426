#include "log_walk.hpp"

#include <algorithm>
#include <limits>

namespace stele::sqlite {

namespace {

constexpr std::size_t page_events = 1024;
/// Of events that are fetched one by one, by an index: who folds them begins that much earlier.
constexpr std::size_t sought_page_events = 256;
constexpr std::size_t page_bytes = std::size_t{1} << 20;
/// How many rows one page may pass over without finding anything, so that a page holds its view for a bounded time.
constexpr std::int64_t page_rows = 50'000;
/// To fetch an event by an index costs as much as passing some rows: above one match in so many, the log is faster.
constexpr std::int64_t dense = 3;
constexpr std::int64_t sparse = 8;
/// The same where a row is handed over by a RowScan, for half of the cost or less.
constexpr std::int64_t dense_in_scans = 6;
constexpr std::int64_t sparse_in_scans = 16;

/// From so many rows on, a read along the log that takes every event, or wants nothing of what they carry, has them
/// handed over by a RowScan.
constexpr std::int64_t many_rows = 2 * page_events;
constexpr EventParts no_parts{.id = false, .data = false, .metadata = false, .tags = false};

constexpr std::int64_t beyond = std::numeric_limits<std::int64_t>::max();

bool has_correlation(const Event& event, const std::string& id) {
    // The name may be written with escapes; where there are none, looking for its bytes spares the parsing.
    const auto& text = event.metadata.text();
    if (text.find("correlation_id") == std::string::npos && text.find('\\') == std::string::npos) return false;
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

LogWalk::LogWalk(ReaderPool& readers, const Read& read) : readers_(readers), read_(read) {
    const auto& items = read.query().items();
    rest_.way = choose_way(read);
    rest_.left = read.limit().value_or(std::numeric_limits<std::size_t>::max());
    rest_.done = read.after() >= Position{beyond};
    rest_.open_end = rest_.way == Way::stream && !read.is_backward() && !read.since() && !read.until_time() &&
                     !read.until_position() && !read.until_version() && read.after() == Position{};
    adaptive_ = rest_.way == Way::seek &&
                std::all_of(items.begin(), items.end(), [](const QueryItem& item) { return item.tags.empty(); });
    checks_whole_event_ = read.correlation() || std::any_of(items.begin(), items.end(), [](const QueryItem& item) {
                              return !item.tags.empty();
                          });
    parts_ = checks_whole_event_ ? EventParts{} : read.parts();
    const bool versions = read.from_version() || read.until_version();
    if (versions && rest_.way != Way::stream) {
        throw InvalidInput("read", "a stream, where versions are bounded",
                           "bounds in versions over several streams");
    }
}

LogWalk::Way LogWalk::choose_way(const Read& read) {
    const auto& items = read.query().items();
    const bool one_stream = !items.empty() && std::all_of(items.begin(), items.end(), [&](const QueryItem& item) {
        return item.stream && *item.stream == items.front().stream;
    });
    if (one_stream) return Way::stream;
    const bool seekable = !items.empty() && std::all_of(items.begin(), items.end(), [](const QueryItem& item) {
        return !item.types.empty() || !item.tags.empty();
    });
    return seekable ? Way::seek : Way::log;
}

std::size_t LogWalk::look(std::vector<Event>& events) {
    if (finished()) return 0;
    const auto reader = readers_.borrow();
    Page page{events, std::min(rest_.left, page_events)};
    const auto before = rest_;
    try {
        // A whole stream is read by one statement, which needs no transaction around it.
        std::optional<Reader::View> view;
        if (!rest_.open_end) view.emplace(*reader);
        if (!rest_.started) start(*reader);
        rest_.started = true;
        switch (rest_.way) {
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
    } catch (...) {
        rest_ = before;
        throw;
    }
    rest_.left -= page.filled;
    return page.filled;
}

/// Turns all bounds into positions (and versions), within what is there now.
void LogWalk::start(Reader& reader) {
    if (rest_.open_end) {
        rest_.from = std::max(Version{1}, read_.from_version().value_or(Version{1}));
        rest_.to = Version{beyond};
        const auto& stream = *read_.query().items().front().stream;
        if (reader.names().number_of(stream)) return;
        // Nothing of it up to here: the head is looked up before the stream is looked for again.
        rest_.last = reader.head();
        rest_.done = !reader.names().number_of(stream);
        return;
    }
    rest_.first = read_.after().next();
    rest_.last = std::min(reader.head(), read_.until_position().value_or(Position{beyond}));
    if (read_.since() && *read_.since() > Timestamp::min())
        rest_.first =
            std::max(rest_.first, reader.position_at(*read_.since() - std::chrono::microseconds{1}).next());
    if (read_.until_time()) rest_.last = std::min(rest_.last, reader.position_at(*read_.until_time()));
    if (rest_.first > rest_.last) rest_.done = true;
    if (rest_.way != Way::stream || rest_.done) return;

    const auto& stream = *read_.query().items().front().stream;
    const auto end = reader.finder().end_of(stream);
    if (!end) {
        rest_.done = true;
        return;
    }
    const auto number = *reader.names().number_of(stream);
    rest_.from = std::max(Version{1}, read_.from_version().value_or(Version{1}));
    rest_.to = std::min(end->version, read_.until_version().value_or(end->version));
    if (rest_.first > Position{1})
        rest_.from = std::max(rest_.from, reader.finder().version_at(number, end->version, rest_.first));
    if (rest_.last < end->position) {
        rest_.to =
            std::min(rest_.to, reader.finder().version_at(number, end->version, rest_.last.next()).previous());
    }
    if (rest_.from > rest_.to) rest_.done = true;
}

void LogWalk::along_stream(Reader& reader, Page& page) {
    const auto& item = read_.query().items().front();
    const bool backward = read_.is_backward();
    const bool filters = read_.query().items().size() > 1 || !item.types.empty() || checks_whole_event_ ||
                         item.tenant || item.aggregate_type;
    if (rest_.done) return;
    auto& statement = reader.stream(backward);
    const Use row{statement};
    row->bind(1, rest_.from.value());
    row->bind(2, rest_.to.value());
    row->bind(3, *reader.names().number_of(*item.stream));
    for (std::int64_t passed = 0; !page.full() && passed < page_rows; ++passed) {
        if (!row->step()) {
            rest_.done = true;
            return;
        }
        const Version version{row->integer(2)};
        (backward ? rest_.to : rest_.from) = backward ? version.previous() : version.next();
        if (filters && !may_match(row->integer(1), row->integer(3), reader)) continue;
        reader.decode(statement, page.events, page.filled, parts_);
        if (!filters || matches(page.events[page.filled])) page.keep();
    }
    if (rest_.open_end) {
        // The page is full, so there may be more. The statement still holds the view of the log that the page came
        // from: what ends the stream there ends the read.
        rest_.to = reader.finder().end_of(*item.stream)->version;
        rest_.open_end = false;
    }
    rest_.done = rest_.from > rest_.to;
}

void LogWalk::along_log(Reader& reader, Page& page) {
    if (rest_.done) return;
    const bool backward = read_.is_backward();
    const bool filters = !read_.query().selects_everything() || checks_whole_event_;
    const bool is_long = rest_.left >= page_events && rest_.last.value() - rest_.first.value() >= many_rows;
    if (!backward && is_long && (parts_ == no_parts || !filters)) return by_scans(reader, page, filters);
    auto& statement = backward ? reader.log(true) : reader.log(parts_);
    const Use row{statement};
    row->bind(1, rest_.first.value());
    row->bind(2, rest_.last.value());
    std::int64_t passed = 0;
    while (!page.full() && passed < page_rows) {
        if (!row->step()) {
            rest_.done = true;
            return;
        }
        ++passed;
        const Position position{row->integer(0)};
        if (backward) {
            rest_.last = position.previous();
        } else {
            rest_.first = position.next();
        }
        if (filters && !may_match(row->integer(1), row->integer(3), reader)) continue;
        reader.decode(statement, page.events, page.filled, parts_);
        if (!filters || matches(page.events[page.filled])) page.keep();
    }
    rest_.done = rest_.first > rest_.last;
    reconsider(passed, page.filled);
}

// In stretches of as many rows as the page has room for, since each of them may match; until it is nearly full, or
// has its bytes.
void LogWalk::by_scans(Reader& reader, Page& page, bool filters) {
    const auto enough = page.room / 4 * 3;
    std::int64_t passed = 0;
    while (page.filled < enough && page.bytes < page_bytes && passed < page_rows && rest_.first <= rest_.last) {
        const auto first = rest_.first;
        const auto stretch =
            std::min(static_cast<std::int64_t>(page.room - page.filled), rest_.last.value() - first.value() + 1);
        const Position last{first.value() + stretch - 1};
        rest_.first = last.next();
        reader.row_scan().run(parts_, first, last, [&](const HandedRow& row) {
            if (filters && !may_match(row.integer(1), row.integer(3), reader)) return true;
            reader.decode(row, page.events, page.filled, parts_);
            page.keep();
            if (page.bytes < page_bytes) return true;
            rest_.first = Position{row.integer(0)}.next();
            return false;
        });
        passed += rest_.first.value() - first.value();
    }
    rest_.done = rest_.first > rest_.last;
    reconsider(passed, page.filled);
}

// One type, forward: its index is gone along, and asked for nothing twice.
void LogWalk::along_type(Reader& reader, Page& page, std::int64_t type) {
    const auto started_at = rest_.first;
    auto& statement = reader.type_forward();
    const Use row{statement};
    row->bind(1, type);
    row->bind(2, rest_.first.value());
    row->bind(3, rest_.last.value());
    for (std::int64_t looked_at = 0; !page.full() && looked_at < page_rows; ++looked_at) {
        if (!row->step()) {
            rest_.done = true;
            return;
        }
        rest_.first = Position{row->integer(0)}.next();
        if (!may_match(row->integer(1), row->integer(3), reader)) continue;
        reader.decode(statement, page.events, page.filled, parts_);
        if (matches(page.events[page.filled])) page.keep();
    }
    rest_.done = rest_.first > rest_.last;
    reconsider(rest_.first.value() - started_at.value(), page.filled);
}

// A merge of walks, each of which names the next position where it has an event.
void LogWalk::by_seeks(Reader& reader, Page& page) {
    if (rest_.done) return;
    page.room = std::min(page.room, sought_page_events);
    const bool backward = read_.is_backward();
    if (const auto& items = read_.query().items();
        !backward && items.size() == 1 && items.front().types.size() == 1 && items.front().tags.empty()) {
        const auto type = reader.names().number_of_type(items.front().types.front());
        rest_.done = !type;
        if (type) along_type(reader, page, *type);
        return;
    }
    struct Front {
        Finder::Walk walk;
        Position at;
    };
    std::vector<Front> fronts;
    for (const auto& item : read_.query().items()) {
        for (const auto& walk : reader.finder().walks(item)) {
            if (const auto at = reader.finder().nearest(walk, rest_.first, rest_.last, backward)) {
                fronts.push_back({walk, *at});
            }
        }
    }
    const auto started_at = backward ? rest_.last : rest_.first;
    auto& statement = reader.event_at();
    std::int64_t looked_at = 0;
    while (!page.full() && looked_at++ < page_rows) {
        if (fronts.empty()) {
            rest_.done = true;
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
                reader.decode(statement, page.events, page.filled, parts_);
                if (matches(page.events[page.filled])) page.keep();
            }
        }
        const auto following = backward ? position.previous() : position.next();
        (backward ? rest_.last : rest_.first) = following;
        for (auto front = fronts.begin(); front != fronts.end();) {
            if (front->at != position) {
                ++front;
            } else if (const auto at = reader.finder().nearest(front->walk, rest_.first, rest_.last, backward)) {
                (front++)->at = *at;
            } else {
                front = fronts.erase(front);
            }
        }
    }
    const auto distance = (backward ? rest_.last : rest_.first).value() - started_at.value();
    reconsider(distance < 0 ? -distance : distance, page.filled);
}

/// After a page that passed so many positions and found so many events: is the other way better for the next?
void LogWalk::reconsider(std::int64_t passed, std::size_t found) {
    if (!adaptive_) return;
    const auto matches = static_cast<std::int64_t>(found);
    const bool scans = parts_ == no_parts && !read_.is_backward();
    if (rest_.way == Way::seek && passed < matches * (scans ? dense_in_scans : dense)) rest_.way = Way::log;
    if (rest_.way == Way::log && passed > matches * (scans ? sparse_in_scans : sparse)) rest_.way = Way::seek;
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
