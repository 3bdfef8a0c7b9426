#include "importer.hpp"

#include "../terminal.hpp"

#include <algorithm>
#include <unordered_map>

namespace stele::tool {
namespace {

// Beside data and metadata, a line holds names, tags and white space.
constexpr std::size_t envelope_bytes = std::size_t{1} << 20;

std::string note_of(const SourcePoint& point) {
    return nlohmann::ordered_json{{"bytes", point.bytes}, {"sha256", point.hash.hex()}}.dump();
}

struct Remembered {
    std::int64_t bytes;
    std::string sha256;
};

// What an import left; empty where the note is somebody else's.
std::optional<Remembered> remembered(const Tracking& tracking) {
    const auto note = nlohmann::json::parse(tracking.note, nullptr, false);
    if (!note.is_object()) return std::nullopt;
    const auto bytes = note.find("bytes");
    const auto sha256 = note.find("sha256");
    if (bytes == note.end() || !bytes->is_number_integer() || sha256 == note.end() || !sha256->is_string())
        return std::nullopt;
    return Remembered{bytes->get<std::int64_t>(), sha256->get<std::string>()};
}

// In what the two differ that have one id; null where they are the same event.
template <class Stored>
const char* difference(const EventLine& line, const StreamId& stream, const Stored& stored) {
    const NewEvent& event = line.event;
    const auto sorted = [](std::vector<std::string> tags) {
        std::sort(tags.begin(), tags.end());
        return tags;
    };
    if (line.stream != stream) return "stream";
    if (event.type != stored.type) return "type";
    if (event.schema_version != stored.schema_version) return "schema_version";
    if (event.data != stored.data) return "data";
    if (event.metadata != stored.metadata) return "metadata";
    if (sorted(event.tags) != sorted(stored.tags)) return "tags";
    if (event.occurred_at && std::optional<Timestamp>{stored.occurred_at} != event.occurred_at)
        return "occurred_at";
    return nullptr;
}

// One part for each run of lines of one stream: positions come in the order of the lines.
Append append_of(Batch& batch) {
    Append append;
    std::optional<StreamId> stream;
    std::vector<NewEvent> run;
    for (auto& line : batch.lines) {
        if (!line.event) continue;
        if (stream && *stream != line.event->stream) {
            append.to(*stream, expect::any, std::move(run));
            run.clear();
        }
        stream = line.event->stream;
        run.push_back(std::move(line.event->event));
    }
    if (!run.empty()) append.to(*stream, expect::any, std::move(run));
    return append;
}

// Undoes append_of().
void give_back(const Append& append, Batch& batch) {
    auto line = batch.lines.begin();
    for (const auto& part : append.parts()) {
        for (const auto& event : part.events) {
            while (!line->event) ++line;
            line->event->event = event;
            ++line;
        }
    }
}

std::size_t events_in(const Append& append) {
    std::size_t events = 0;
    for (const auto& part : append.parts()) events += part.events.size();
    return events;
}

}  // namespace

Importer::Importer(EventStore& store, ImportOptions options, const Interrupt& interrupt)
    : store_(store), options_(std::move(options)), bytes_(options_.path, interrupt) {
    if (options_.on_error == OnError::quarantine) quarantine_.emplace(options_.quarantine);
}

// What the log has under an id, as it is stored: whether two events are one, upcasters have no say in.
std::optional<Event> Importer::twin(const EventId& id) const {
    auto event = store_.find_stored(id);
    if (event) event->stream = store_.today(event->stream);  // it may be stored under a name of before
    return event;
}

void Importer::run() {
    LineReader lines{bytes_, options_.limits.event_bytes + envelope_bytes};
    try {
        if (options_.source) resume(lines);
    } catch (const ReadInterrupted&) {
        return;
    }
    BatchReader reader{lines, options_.parse, [this](const EventLine& line) { return check(line); }, options_.batch,
                       options_.limits};
    while (auto batch = reader.next()) {
        take(*batch);
        on_progress(batch->end.line, batch->taken, bytes_.size());
    }
}

void Importer::resume(LineReader& lines) {
    const auto tracking = store_.tracked(*options_.source);
    if (!tracking) return;
    const auto before = remembered(*tracking);
    if (!before) throw source_changed("an import left no such note: another program tracks it", {});
    result_.skipped_lines = tracked_line_ = tracking->position;

    const auto skipped = lines.skip(before->bytes, tracking->position);
    if (skipped.bytes < before->bytes)
        throw source_changed("expected the " + grouped(before->bytes) + " bytes imported before, sha256 " +
                                 before->sha256 + ", found a file of " + grouped(skipped.bytes) + ", sha256 " +
                                 skipped.sha256,
                             {{"expected_bytes", before->bytes},
                              {"expected_sha256", before->sha256},
                              {"found_bytes", skipped.bytes},
                              {"found_sha256", skipped.sha256}});
    if (skipped.sha256 != before->sha256)
        throw source_changed("expected the " + grouped(before->bytes) + " bytes imported before, sha256 " +
                                 before->sha256 + ", found others, sha256 " + skipped.sha256,
                             {{"expected_bytes", before->bytes},
                              {"expected_sha256", before->sha256},
                              {"found_sha256", skipped.sha256}});
    if (skipped.mid_line)
        throw source_changed(
            "line " + grouped(tracking->position) + ", the last one imported before, has been written on since",
            {{"line", tracking->position}});
}

Failure Importer::source_changed(const std::string& what, nlohmann::json facts) const {
    facts["source"] = *options_.source;
    facts["file"] = bytes_.name();
    return Failure{Exit::conflict, "source_changed",
                   store_.name() + ": import of " + bytes_.name() + ": source \"" + *options_.source +
                       "\": " + what + "; nothing was written",
                   std::move(facts)}
        .hint("--source with another name, if this is another file");
}

void Importer::take(Batch& batch) {
    while (true) {
        const auto stop = std::find_if(batch.lines.begin(), batch.lines.end(),
                                       [this](const ImportLine& line) { return stops_at(line); });
        std::optional<ImportLine> wrong;
        SourcePoint end = batch.end;
        if (stop != batch.lines.end()) {
            end = batch.point_before(*stop);
            wrong = std::move(*stop);
            batch.lines.erase(stop, batch.lines.end());
        }
        set_aside_wrong_lines(batch);
        if (const auto conflict = try_append(batch, end)) {
            if (!recognise_duplicates(batch)) throw IdConflict{*conflict};
            if (wrong) batch.lines.push_back(std::move(*wrong));
            continue;
        }
        result_.lines = end.line - result_.skipped_lines;
        if (wrong) stop_at(*wrong);
        return;
    }
}

bool Importer::stops_at(const ImportLine& line) const {
    // What is too long to be kept cannot be put into quarantine.
    return line.is_wrong() &&
           (options_.on_error == OnError::stop || (options_.on_error == OnError::quarantine && line.too_long));
}

void Importer::set_aside_wrong_lines(Batch& batch) {
    for (auto& line : batch.lines) {
        if (!line.is_wrong()) continue;
        if (quarantine_)
            quarantine_->add(std::string_view{batch.raw}.substr(line.raw_begin, line.raw_end - line.raw_begin));
        ++result_.rejected;
        on_rejected(line);
    }
    batch.lines.erase(std::remove_if(batch.lines.begin(), batch.lines.end(),
                                     [](const ImportLine& line) { return line.is_wrong(); }),
                      batch.lines.end());
    if (quarantine_) quarantine_->sync();
}

// Commits the events of the batch, and that the source has been taken up to `end`. Returns what is in the way, with
// nothing written, where an id of the batch is in the store already and not as a plain repetition of this append.
std::optional<IdConflict> Importer::try_append(Batch& batch, const SourcePoint& end) {
    Append append = append_of(batch);
    append.checked(batch.checked.value_or(CheckedBy{}));
    const auto events = static_cast<std::int64_t>(events_in(append));
    if (events == 0) {
        track(end);
        return std::nullopt;
    }
    if (options_.source) append.tracking(*options_.source, end.line, note_of(end));
    AppendResult result;
    try {
        result = store_.try_append(append);
    } catch (const IdConflict& conflict) {
        give_back(append, batch);
        return conflict;
    }
    if (const auto* appended = std::get_if<Appended>(&result); appended != nullptr && !appended->duplicate) {
        result_.appended += events;
        tracked_line_ = end.line;
    } else if (appended != nullptr) {
        // The answer to a repetition is the first answer: this append, and its tracking with it, wrote nothing.
        result_.duplicates += events;
        track(end);
    } else {
        throw_other_import(result);
    }
    return std::nullopt;
}

void Importer::track(const SourcePoint& end) {
    if (!options_.source || end.line == tracked_line_) return;
    const auto result = store_.try_append(Append{}.tracking(*options_.source, end.line, note_of(end)));
    if (!std::holds_alternative<Appended>(result)) throw_other_import(result);
    tracked_line_ = end.line;
}

void Importer::throw_other_import(const AppendResult& result) const {
    const auto& conflict = std::get<TrackingConflict>(result);
    throw Failure{
        Exit::conflict,
        "source_busy",
        store_.name() + ": import of " + bytes_.name() + ": source \"" + conflict.source +
            "\": expected to go on to line " + grouped(conflict.given) + ", found it at line " +
            grouped(conflict.expected_above) + " already: another process imports it too",
        {{"source", conflict.source}, {"line", conflict.given}, {"stored_line", conflict.expected_above}}};
}

// In the thread that reads. What is in the store already under its id is a duplicate, whatever has been recorded
// since it came there: that is found out when it is appended.
CheckedBy Importer::check(const EventLine& line) const {
    try {
        return store_.check(line.stream, line.event);
    } catch (const SchemaViolationError&) {
        if (twin(line.event.id)) return {};
        throw;
    }
}

// Takes the events out of the batch that the store has; those that it has with other content are wrong. Returns
// whether there were any.
bool Importer::recognise_duplicates(Batch& batch) {
    std::unordered_map<EventId, std::size_t> seen;
    bool any = false;
    const auto duplicate = [&](ImportLine& line, const char* other, const std::string& where) {
        if (other == nullptr) {
            ++result_.duplicates;
        } else {
            line.reason =
                "id: " + line.event->event.id.to_string() + " stands " + where + ", with another " + other;
        }
        line.event.reset();
        any = true;
    };
    for (std::size_t i = 0; i < batch.lines.size(); ++i) {
        ImportLine& line = batch.lines[i];
        if (!line.event) continue;
        if (const auto stored = twin(line.event->event.id)) {
            duplicate(line, difference(*line.event, stored->stream, *stored),
                      "at position " + std::to_string(stored->position.value()) + " already");
        } else if (const auto [first, inserted] = seen.try_emplace(line.event->event.id, i); !inserted) {
            const ImportLine& before = batch.lines[first->second];
            duplicate(line, difference(*line.event, before.event->stream, before.event->event),
                      "in line " + std::to_string(before.number) + " too");
        }
    }
    return any;
}

void Importer::stop_at(const ImportLine& line) const {
    std::string next = "correct the line and import again, or --on-error skip, or --on-error quarantine=FILE";
    if (line.too_long) next = "--on-error skip passes it over";
    throw Failure{Exit::failed,
                  "bad_line",
                  bytes_.name() + ":" + std::to_string(line.number) + ": " + line.reason +
                      " (the line starts at byte " + grouped(line.byte) + "); " +
                      counted(result_.appended, "event") + " before it " +
                      (result_.appended == 1 ? "was" : "were") + " appended",
                  {{"source", options_.source.value_or("")},
                   {"file", bytes_.name()},
                   {"line", line.number},
                   {"byte", line.byte},
                   {"reason", line.reason},
                   {"appended", result_.appended},
                   {"duplicates", result_.duplicates}}}
        .hint(next);
}

}  // namespace stele::tool
