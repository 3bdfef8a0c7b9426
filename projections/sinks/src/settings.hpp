// What every sink needs to be made a listener of.
#pragma once

#include <stele/projections/listeners/listener.hpp>
#include <stele/sinks/sink.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace stele::sinks {

/// Says what is wrong with settings, by their names.
class Rules {
public:
    Rules(std::string_view type, const std::string& listener)
        : where_(" of the " + std::string{type} + " of listener \"" + listener + "\"") {}

    void expect(bool holds, const std::string& setting, const std::string& expected,
                const std::string& found) const {
        if (!holds) throw InvalidInput{setting + where_, expected, found};
    }
    /// From a millisecond to a day.
    void expect_timeout(std::chrono::milliseconds time, const std::string& setting) const {
        using namespace std::chrono_literals;
        expect(time >= 1ms && time <= 24h, setting, "a time from 1 ms to a day",
               std::to_string(time.count()) + " ms");
    }

private:
    std::string where_;
};

/// Makes the handlers of one listener; what they share is theirs.
class Workshop {
public:
    Workshop() = default;
    Workshop(const Workshop&) = delete;
    Workshop& operator=(const Workshop&) = delete;
    virtual ~Workshop() = default;
    [[nodiscard]] virtual std::unique_ptr<ListenerHandler> handler() const = 0;
};

/// Each checks the settings: throws InvalidInput, sql::DefinitionError.
[[nodiscard]] std::unique_ptr<Workshop> workshop_of(const Webhook& settings, const Rules& rules);
[[nodiscard]] std::unique_ptr<Workshop> workshop_of(const Email& settings, const Rules& rules);
[[nodiscard]] std::unique_ptr<Workshop> workshop_of(const Exec& settings, const Rules& rules);
[[nodiscard]] std::unique_ptr<Workshop> workshop_of(const Jsonl& settings, const Rules& rules);
[[nodiscard]] std::unique_ptr<Workshop> workshop_of(const Log& settings, const Rules& rules);
[[nodiscard]] std::unique_ptr<Workshop> workshop_of(const Stream& settings, const Rules& rules);

/// A workshop whose handlers are made of the settings (or whatever they share) alone.
template <class Handler, class Settings>
[[nodiscard]] std::unique_ptr<Workshop> workshop_for(Settings settings) {
    class Made final : public Workshop {
    public:
        explicit Made(Settings made_of) : settings_(std::move(made_of)) {}
        [[nodiscard]] std::unique_ptr<ListenerHandler> handler() const override {
            return std::make_unique<Handler>(settings_);
        }

    private:
        Settings settings_;
    };
    return std::make_unique<Made>(std::move(settings));
}

}  // namespace stele::sinks
