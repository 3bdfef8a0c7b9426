#include "step_view.hpp"

#include "change_output.hpp"
#include "colour.hpp"
#include "event_output.hpp"
#include "json_layout.hpp"
#include "terminal.hpp"

#include <stele/replay/event_facts.hpp>
#include <stele/schema/event_json.hpp>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace stele::tool {
namespace {

constexpr const char* all_keys[] = {
    "right, n, space   forward by one event",
    "left, p           back by one event",
    "home, <           to the first event",
    "end, >            to the last event",
    "g                 go to a version",
    "/                 on to the next event that changes a field, named by a pointer such as /lines/0",
    "], [              on, and back, to the next one that changes it",
    "c                 show what the event changed",
    "s                 show the state behind it",
    "e                 show the event",
    "up, down, page up, page down   scroll",
    "?                 show these keys",
    "q                 quit",
};

constexpr const char* few_keys = "→ next  ← back  g go to  < first  > last  c s e show  / field  ? keys  q quit";

std::vector<std::string> split_lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream all{text};
    for (std::string line; std::getline(all, line);) lines.push_back(std::move(line));
    return lines;
}

}  // namespace

StepView::StepView(HistoryWalk& walk, const Output& out) : walk_(walk), out_(out) {
    go([&] { return walk_.forward(); }, "");
}

// ---- What keys do

bool StepView::press(const Key& key) {
    if (key.kind == Key::Kind::gone) return false;
    if (key.kind == Key::Kind::redraw) return true;
    if (prompt_ != Prompt::none) {
        type(key);
        return true;
    }
    message_.clear();
    return command(key);
}

bool StepView::command(const Key& key) {
    using Kind = Key::Kind;
    const auto ask = [&](Prompt what) {
        prompt_ = what;
        typed_.clear();
    };
    if (key.is("q") || key.is("Q")) return false;
    if (key.kind == Kind::right || key.is("n") || key.is(" ") || key.kind == Kind::enter)
        go([&] { return walk_.forward(); }, "this is the last event");
    else if (key.kind == Kind::left || key.is("p") || key.is("b") || key.kind == Kind::backspace)
        go([&] { return walk_.back(); }, "this is the beginning");
    else if (key.kind == Kind::home || key.is("<"))
        go([&] { return walk_.go_to(Version{1}), true; }, "");
    else if (key.kind == Kind::end || key.is(">") || key.is("G"))
        go([&] { return walk_.go_to(walk_.last()), true; }, "");
    else if (key.is("g"))
        ask(Prompt::version);
    else if (key.is("/"))
        ask(Prompt::pointer);
    else if (key.is("]") || key.is("["))
        look_for(pointer_, key.is("]"));
    else if (key.is("c"))
        show(Shown::changes);
    else if (key.is("s"))
        show(Shown::state);
    else if (key.is("e"))
        show(Shown::event);
    else if (key.is("?") || key.is("h"))
        show(Shown::keys);
    else if (key.kind == Kind::up || key.is("k"))
        top_ -= std::min<std::size_t>(top_, 1);
    else if (key.kind == Kind::down || key.is("j"))
        ++top_;
    else if (key.kind == Kind::page_up)
        top_ -= std::min(top_, page_);
    else if (key.kind == Kind::page_down)
        top_ += page_;
    return true;
}

void StepView::type(const Key& key) {
    using Kind = Key::Kind;
    if (key.kind == Kind::escape) {
        prompt_ = Prompt::none;
    } else if (key.kind == Kind::enter) {
        answer();
    } else if (key.kind == Kind::backspace) {
        // A character is its last byte and those before it that go on to it.
        while (!typed_.empty() && (static_cast<unsigned char>(typed_.back()) & 0xC0) == 0x80) typed_.pop_back();
        if (!typed_.empty()) typed_.pop_back();
    } else if (key.kind == Kind::text) {
        typed_ += key.text;
    }
}

void StepView::answer() {
    const auto asked = std::exchange(prompt_, Prompt::none);
    message_.clear();
    if (typed_.empty()) return;
    if (asked == Prompt::pointer) {
        const bool is_whole = typed_.front() == '/';
        return look_for(is_whole ? typed_ : '/' + typed_, true);
    }
    std::int64_t version = 0;
    const auto [stop, error] = std::from_chars(typed_.data(), typed_.data() + typed_.size(), version);
    if (error != std::errc{} || stop != typed_.data() + typed_.size() || version < 0 ||
        Version{version} > walk_.last()) {
        message_ = "expected a version from 0 to " + std::to_string(walk_.last().value()) + ", found " + typed_;
        return;
    }
    go([&] { return walk_.go_to(Version{version}), true; }, "");
}

void StepView::look_for(const std::string& pointer, bool forward) {
    if (pointer.empty()) {
        message_ = "which field? press / and give its pointer first";
        return;
    }
    pointer_ = pointer;
    const auto where_not = (forward ? "no later event changes " : "no earlier event changes ") + pointer;
    go([&] { return forward ? walk_.next_change(pointer) : walk_.previous_change(pointer); }, where_not.c_str());
}

// A way that an event is in, or that leads nowhere, leaves us where we were.
template <class Move>
void StepView::go(Move move, const char* where_not) {
    try {
        if (!move()) {
            message_ = where_not;
            return;
        }
    } catch (const StoreError&) {
        throw;
    } catch (const Error& error) {
        message_ = error.what();
        return;
    }
    if (shown_ == Shown::keys) shown_ = Shown::changes;
    lay_out();
}

void StepView::show(Shown what) {
    shown_ = what;
    lay_out();
}

// ---- What is seen

void StepView::lay_out() {
    lines_.clear();
    top_ = 0;
    const auto add = [&](const std::string& text) {
        for (auto& line : split_lines(text)) lines_.push_back({printable(line), ' '});
    };
    switch (shown_) {
        case Shown::changes: {
            try {
                for (const auto& change : described_changes(walk_.changes(), value_of(walk_.before())))
                    lines_.push_back({printable(change), change.front()});
            } catch (const InvalidInput& error) {  // the state can be shown, and not compared
                add(error.what());
            }
            if (walk_.version() == Version{})
                add("This is before the first event.");
            else if (lines_.empty())
                add("(no change)");
            break;
        }
        case Shown::state:
            add(json_indented(walk_.state().json.text()));
            break;
        case Shown::event:
            for (const auto& event : walk_.events()) add(json_indented(to_event_line(event)));
            if (walk_.events().empty()) add("(no event)");
            break;
        case Shown::keys:
            for (const char* line : all_keys) add(line);
            break;
    }
}

std::string StepView::heading() const {
    auto text = printable(walk_.stream().name()) + "  version " + std::to_string(walk_.version().value()) + " of " +
                std::to_string(walk_.last().value());
    if (walk_.events().empty()) return text;
    const auto& event = walk_.events().front();
    text += "  position " + std::to_string(event.position.value()) + "  " + human_time(event.occurred_at) + "  " +
            printable(event.type);
    if (const auto actor = EventFacts{event}.actor()) text += "  by " + printable(*actor);
    return text;
}

std::string StepView::tabs() const {
    std::string text;
    for (const auto& [name, what] :
         {std::pair{"changes", Shown::changes}, std::pair{"state", Shown::state}, std::pair{"event", Shown::event}})
        text += shown_ == what ? "[" + std::string{name} + "] " : " " + std::string{name} + "  ";
    return text;
}

std::string StepView::foot() const {
    if (prompt_ == Prompt::version) return "version: " + printable(typed_) + "_";
    if (prompt_ == Prompt::pointer) return "field: " + printable(typed_) + "_";
    return message_.empty() ? few_keys : printable(message_);
}

std::string StepView::screen(Keyboard::Size size) {
    constexpr std::size_t around = 3;  // heading, tabs, foot
    page_ = size.rows > around ? size.rows - around : 1;
    top_ = std::min(top_, lines_.size() > page_ ? lines_.size() - page_ : 0);

    std::string screen;
    const auto line = [&](Colour colour, const std::string& text, bool is_painted = true) {
        const auto cut = shortened(text, size.columns);
        screen += (is_painted ? painted(out_, colour, cut) : cut) + "\x1b[K\r\n";
    };
    line(Colour::bold, heading());
    line(Colour::faint, tabs());
    for (std::size_t i = top_; i < top_ + page_; ++i) {
        if (i >= lines_.size()) {
            line(Colour::bold, "", false);
            continue;
        }
        const auto& [text, mark] = lines_[i];
        const auto colour = mark == '+' ? Colour::green : mark == '-' ? Colour::red : Colour::yellow;
        line(colour, text, mark != ' ');
    }
    const bool says_something = prompt_ != Prompt::none || !message_.empty();
    screen +=
        painted(out_, says_something ? Colour::cyan : Colour::faint, shortened(foot(), size.columns)) + "\x1b[K";
    return screen;
}

}  // namespace stele::tool
