#include "event_output.hpp"

#include <stele/schema/event_json.hpp>

namespace stele::tool {
namespace {

using Align = Table::Align;

std::vector<Table::Column> columns(bool with_stream) {
    std::vector<Table::Column> all{{"POSITION", Align::right}, {"VERSION", Align::right}, {"OCCURRED AT"}};
    if (with_stream) all.push_back({"STREAM"});
    all.push_back({"TYPE"});
    all.push_back({"DATA"});
    return all;
}

}  // namespace

std::string human_time(Timestamp time) {
    std::string text = to_rfc3339(time);
    if (const auto fraction = text.find(".000000"); fraction != std::string::npos) text.erase(fraction, 7);
    return text;
}

EventPrinter::EventPrinter(Output& out, bool json, Streams streams)
    : out_(out), json_(json), streams_shown_(streams == Streams::shown), table_(out, columns(streams_shown_)) {}

void EventPrinter::print(const Event& event) {
    ++printed_;
    if (json_) {
        line_.clear();
        append_event_line(line_, event);
        out_.line(line_);
        return;
    }
    std::vector<std::string> cells{std::to_string(event.position.value()), std::to_string(event.version.value()),
                                   human_time(event.occurred_at)};
    if (streams_shown_) cells.push_back(event.stream.name());
    cells.push_back(event.type);
    cells.push_back(event.data.text());
    table_.row(std::move(cells));
}

void EventPrinter::flush() {
    table_.flush_rows();
    out_.flush();
}

}  // namespace stele::tool
