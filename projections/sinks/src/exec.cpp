#include <stele/sinks/exec.hpp>

#include "child.hpp"
#include "settings.hpp"
#include "text.hpp"

#include <stele/schema/event_json.hpp>

#include <cstring>

namespace stele::sinks {
namespace {

// The last lines, as one.
std::string last_words(const std::string& output) {
    constexpr std::size_t most_lines = 5;
    constexpr std::size_t most_bytes = 1'000;
    std::string_view rest = trimmed(output);
    std::size_t from = rest.size();
    for (std::size_t lines = 0; lines < most_lines && from > 0; ++lines) {
        const auto feed = rest.rfind('\n', from - 1);
        from = feed == std::string_view::npos ? 0 : feed;
    }
    rest.remove_prefix(from);
    if (rest.size() > most_bytes) rest.remove_prefix(rest.size() - most_bytes);
    return after_colon(rest, 2 * most_bytes);
}

std::string as_seconds(std::chrono::milliseconds time) {
    const auto ms = time.count();
    return ms % 1'000 == 0 ? std::to_string(ms / 1'000) + " s" : std::to_string(ms) + " ms";
}

class ExecHandler final : public ListenerHandler {
public:
    explicit ExecHandler(Exec settings) : settings_(std::move(settings)) {}

    void deliver(const Event& event, const Delivery& delivery) override {
        ChildSettings child{settings_.command, settings_.environment, settings_.folder, settings_.timeout,
                            settings_.grace};
        child.environment["STELE_DELIVERY_KEY"] = delivery.key();
        child.environment["STELE_LISTENER"] = delivery.listener();
        child.environment["STELE_ATTEMPT"] = std::to_string(delivery.attempt());
        const auto end = run_child(child, to_event_line(event) + "\n", delivery.stop());
        if (end.how == ChildEnd::How::exited && end.value == 0) return;
        fail(end);
    }

private:
    [[noreturn]] void fail(const ChildEnd& end) const {
        const auto& program = settings_.command.front();
        const auto value = std::to_string(end.value);
        const auto failed = [&](const std::string& cause, const std::string& found) {
            return DeliveryFailed{cause,
                                  program + ": expected exit status 0, found " + found + last_words(end.output),
                                  {{"command", program}}};
        };
        switch (end.how) {
            case ChildEnd::How::not_started:
                throw failed("not_started", "that it cannot be started: " + std::string{std::strerror(end.value)});
            case ChildEnd::How::stopped:
                throw failed("stopped", "that it was ended, as the runner stops");
            case ChildEnd::How::timed_out:
                throw failed("timeout", "it still running after " + as_seconds(settings_.timeout) +
                                            "; it and its group were killed");
            case ChildEnd::How::signalled:
                throw failed("signal_" + value, "its end by signal " + value);
            case ChildEnd::How::exited:
                break;
        }
        const auto cause = "exit_" + value;
        const auto message = program + ": expected exit status 0, found " + value + last_words(end.output);
        const nlohmann::json facts{{"command", program}, {"status", end.value}};
        if (settings_.permanent.contains(end.value)) throw Permanent{cause, message, facts};
        throw DeliveryFailed{cause, message, facts};
    }

    const Exec settings_;
};

bool has_zero(const std::string& text) { return text.find('\0') != std::string::npos; }

}  // namespace

std::unique_ptr<Workshop> workshop_of(const Exec& settings, const Rules& rules) {
    rules.expect(!settings.command.empty() && !settings.command.front().empty(), "command", "a program", "none");
    for (const auto& word : settings.command)
        rules.expect(!has_zero(word), "command", "words", "a zero byte in one");
    for (const auto& [name, value] : settings.environment) {
        const bool is_name = !name.empty() && name.find('=') == std::string::npos;
        rules.expect(is_name && !has_zero(name) && !has_zero(value), "environment",
                     "names without `=`, values without zero bytes", "\"" + printable(name, 100) + "\"");
    }
    rules.expect_timeout(settings.timeout, "timeout");
    rules.expect_timeout(settings.grace, "grace");
    for (const int status : settings.permanent)
        rules.expect(status >= 1 && status <= 255, "permanent", "exit statuses from 1 to 255",
                     std::to_string(status));
    return workshop_for<ExecHandler>(settings);
}

}  // namespace stele::sinks
