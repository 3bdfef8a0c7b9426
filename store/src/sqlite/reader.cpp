#include "reader.hpp"

#include <algorithm>

namespace stele::sqlite {

namespace {

const JsonText no_json;

}  // namespace

std::string sql::log_forward_with(const EventParts& parts) {
    const auto column = [](bool wanted, const char* name) { return std::string{wanted ? name : "NULL"}; };
    return "SELECT position, stream, version, type, schema_version, " + column(parts.id, "id") +
           ", occurred_at, recorded_at, " + column(parts.data, "data") + ", " + column(parts.metadata, "metadata") +
           ", " + column(parts.tags, "tags") +
           " FROM events WHERE position >= ?1 AND position <= ?2 ORDER BY position";
}

Reader::Reader(const std::filesystem::path& file, const Options& options)
    : db_(open_reader(file, options)),
      names_(db_.getHandle()),
      finder_(db_.getHandle(), names_),
      begin_(db_.getHandle(), "BEGIN"),
      end_(db_.getHandle(), "COMMIT"),
      head_(db_.getHandle(), sql::head),
      recorded_at_(db_.getHandle(), sql::recorded_at),
      event_at_(db_.getHandle(), sql::event_at),
      log_forward_(db_.getHandle(), sql::log_forward),
      log_backward_(db_.getHandle(), sql::log_backward),
      stream_forward_(db_.getHandle(), sql::stream_forward),
      stream_backward_(db_.getHandle(), sql::stream_reversed),
      type_forward_(db_.getHandle(), sql::type_forward),
      id_at_(db_.getHandle(), sql::id_at),
      tracked_(db_.getHandle(), sql::tracked_source),
      streams_page_(db_.getHandle(), sql::streams_page),
      stream_end_(db_.getHandle(), sql::stream_end),
      type_counts_(db_.getHandle(), sql::type_counts) {}

Reader::View::View(Reader& reader) : reader_(reader), outermost_(sqlite3_get_autocommit(reader.handle()) != 0) {
    if (!outermost_) return;
    const Use begin{reader_.begin_};
    begin->step();
}

Reader::View::~View() {
    if (!outermost_) return;
    (void)reader_.end_.try_step();
    reader_.end_.reset();
}

Statement& Reader::log(const EventParts& parts) {
    if (parts == EventParts{}) return log_forward_;
    auto& statement = log_of_parts_[number_of(parts)];
    if (!statement) statement = std::make_unique<Statement>(handle(), sql::log_forward_with(parts));
    return *statement;
}

RowScan& Reader::row_scan() {
    if (!row_scan_) row_scan_ = std::make_unique<RowScan>(handle());
    return *row_scan_;
}

template <class Row>
void Reader::decode(const Row& row, std::vector<Event>& page, std::size_t at, const EventParts& parts) {
    const auto& stream = names_.stream(row.integer(1));
    if (at == page.size() && at == page.capacity()) page.reserve(std::max<std::size_t>(16, 2 * at));
    if (at == page.size()) page.push_back(Event{.position = {}, .version = {}, .stream = stream});
    auto& event = page[at];
    event.position = Position{row.integer(0)};
    event.stream = stream;
    event.version = Version{row.integer(2)};
    event.type = names_.type(row.integer(3));
    event.schema_version = static_cast<int>(row.integer(4));
    event.piece = 0;
    event.pieces = 1;
    event.id = parts.id ? EventId::from_bytes(row.blob(5)) : EventId{};
    event.recorded_at = time_of(row.integer(7));
    event.occurred_at = row.is_null(6) ? event.recorded_at : time_of(row.integer(6));
    event.data.assign_trusted(parts.data ? row.text(8) : no_json.text());
    event.metadata.assign_trusted(parts.metadata ? row.text(9) : no_json.text());
    if (!parts.tags || row.is_null(10)) {
        event.tags.clear();
    } else {
        decode_tags(row.text(10), event.tags);
    }
}

template void Reader::decode(const Statement&, std::vector<Event>&, std::size_t, const EventParts&);
template void Reader::decode(const HandedRow&, std::vector<Event>&, std::size_t, const EventParts&);

std::optional<Event> Reader::find(const EventId& id) {
    Position position;
    {
        const Use row{id_at_};
        row->bind(1, id.bytes());
        if (!row->step()) return {};
        position = Position{row->integer(0)};
    }
    return at(position);
}

std::optional<Event> Reader::at(Position position) {
    const Use row{event_at_};
    row->bind(1, position.value());
    if (!row->step()) return {};
    std::vector<Event> page;
    decode(event_at_, page, 0);
    return std::move(page.front());
}

Position Reader::head() {
    const Use row{head_};
    row->step();
    return Position{row->integer(0)};  // NULL, in an empty log, reads as 0
}

std::optional<Version> Reader::version(const StreamId& stream) {
    const auto end = finder_.end_of(stream);
    return end ? std::optional{end->version} : std::nullopt;
}

// recorded_at never goes down as position goes up, so the position is found by halving, without an index.
Position Reader::position_at(Timestamp time) {
    const View view{*this};
    std::int64_t low = 0;  // at or before `time`, or 0
    std::int64_t high = head().value();
    while (low < high) {
        const auto middle = low + (high - low + 1) / 2;
        const Use row{recorded_at_};
        row->bind(1, middle);
        if (row->step() && time_of(row->integer(0)) <= time) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return Position{low};
}

std::optional<Tracking> Reader::tracked(const std::string& source) {
    const Use row{tracked_};
    row->bind(1, source);
    if (!row->step()) return {};
    return Tracking{source, row->integer(0), std::string(row->text(1))};
}

std::vector<StreamInfo> Reader::streams_behind(const std::optional<StreamId>& last) {
    const View view{*this};
    std::vector<StreamInfo> page;
    const Use row{streams_page_};
    row->bind(1, last ? last->tenant() : "");
    row->bind(2, last ? last->aggregate_type() : "");
    row->bind(3, last ? last->aggregate_id() : "");
    while (row->step()) {
        StreamInfo info{.stream = StreamId{row->text(1), row->text(2), row->text(3)}};
        {
            const Use end{stream_end_};
            end->bind(1, row->integer(0));
            if (!end->step()) continue;
            info.version = Version{end->integer(0)};
            info.last_position = Position{end->integer(1)};
            info.last_recorded_at = time_of(end->integer(2));
        }
        const Use first{stream_forward_};
        first->bind(1, 1);
        first->bind(2, 1);
        first->bind(3, row->integer(0));
        if (first->step()) info.first_position = Position{first->integer(0)};
        page.push_back(std::move(info));
    }
    return page;
}

std::vector<TypeInfo> Reader::types() {
    const View view{*this};
    std::vector<TypeInfo> types;
    const Use row{type_counts_};
    while (row->step()) {
        types.push_back(
            {names_.type(row->integer(0)), row->integer(1), Position{row->integer(2)}, Position{row->integer(3)}});
    }
    return types;
}

std::int64_t Reader::count(const char* table) {
    Statement row{db_.getHandle(), std::string{"SELECT count(*) FROM "} + table};
    row.step();
    return row.integer(0);
}

bool Reader::has_aggregate_type(const std::string& type) {
    Statement row{db_.getHandle(), sql::any_of_aggregate_type};
    row.bind(1, type);
    return row.step();
}

ReaderPool::ReaderPool(std::filesystem::path file, const Options& options)
    : file_(std::move(file)), vfs_(options.sqlite_vfs), options_(options) {
    options_.sqlite_vfs = vfs_.name();
    idle_.reserve(most_idle);
}

ReaderPool::Loan ReaderPool::borrow() {
    {
        const std::lock_guard lock{mutex_};
        if (!idle_.empty()) {
            auto reader = std::move(idle_.back());
            idle_.pop_back();
            return {*this, std::move(reader)};
        }
    }
    return {*this, std::make_unique<Reader>(file_, options_)};
}

void ReaderPool::give_back(std::unique_ptr<Reader> reader) noexcept {
    const std::lock_guard lock{mutex_};
    // A reader that could not end its transaction would go on seeing the log as it was.
    const bool at_rest = sqlite3_get_autocommit(reader->handle()) != 0;
    if (at_rest && idle_.size() < most_idle) idle_.push_back(std::move(reader));
}

}  // namespace stele::sqlite
