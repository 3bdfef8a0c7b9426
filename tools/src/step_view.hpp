// StepView: what `replay --step` shows, and what each key does. Knows no terminal.
#pragma once

#include "keyboard.hpp"
#include "output.hpp"

#include <stele/replay/history_walk.hpp>

#include <string>
#include <vector>

namespace stele::tool {

class StepView {
public:
    /// Begins behind the first event, with its changes. Both must stay.
    StepView(HistoryWalk& walk, const Output& out);

    /// Does what the key asks for. False: to quit. An event that cannot be folded is told on the screen.
    [[nodiscard]] bool press(const Key& key);

    /// All lines of the screen, each cut to its columns.
    [[nodiscard]] std::string screen(Keyboard::Size size);

private:
    enum class Shown { changes, state, event, keys };
    enum class Prompt { none, version, pointer };
    struct Line {
        std::string text;
        char mark;  ///< + - ~ of a change, else a blank
    };

    bool command(const Key& key);
    void type(const Key& key);
    void answer();
    void look_for(const std::string& pointer, bool forward);
    template <class Move>
    void go(Move move, const char* where_not);
    void show(Shown what);
    void lay_out();
    [[nodiscard]] std::string heading() const;
    [[nodiscard]] std::string tabs() const;
    [[nodiscard]] std::string foot() const;

    HistoryWalk& walk_;
    const Output& out_;
    Shown shown_ = Shown::changes;
    Prompt prompt_ = Prompt::none;
    std::string typed_;
    std::string pointer_;  ///< that was looked for last
    std::string message_;
    std::vector<Line> lines_;
    std::size_t top_ = 0;  ///< of lines_, the first one that is seen
    std::size_t page_ = 1;
};

}  // namespace stele::tool
