#include <stele/projections/listeners/listener.hpp>

#include "selection.hpp"

#include <stele/projections/projection.hpp>

#include <algorithm>
#include <cmath>

namespace stele {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest_delay = std::chrono::hours{24 * 365};

void check_name(const std::string& name) {
    try {
        check_projection_name(name);
    } catch (const InvalidInput&) {
        throw InvalidInput{"listener name", "1 to 100 letters, digits, _ and -", "\"" + name + "\""};
    }
}

class Rules {
public:
    explicit Rules(const std::string& listener) : listener_(listener) {}

    void expect(bool holds, const std::string& field, const std::string& expected, const std::string& found) const {
        if (!holds) throw InvalidInput{field + " of listener \"" + listener_ + "\"", expected, found};
    }
    void expect_wait(milliseconds wait, const std::string& field) const {
        expect(wait >= milliseconds::zero() && wait <= longest_delay, field, "a time from 0 to a year",
               std::to_string(wait.count()) + " ms");
    }

private:
    const std::string& listener_;
};

void check_retry(const RetryPolicy& retry, const Rules& rules) {
    constexpr int most_attempts = 1'000;
    rules.expect(retry.attempts >= 1 && retry.attempts <= most_attempts, "attempts", "1 to 1000",
                 std::to_string(retry.attempts));
    for (const auto delay : retry.delays) rules.expect_wait(delay, "delays");
    rules.expect_wait(retry.first, "the first delay");
    rules.expect_wait(retry.longest, "the longest delay");
    rules.expect(std::isfinite(retry.factor) && retry.factor >= 1, "factor", "a number from 1",
                 std::to_string(retry.factor));
    rules.expect(retry.jitter >= 0 && retry.jitter <= 1, "jitter", "a number from 0 to 1",
                 std::to_string(retry.jitter));
}

void check_sync(const Listener::Head& head, const Rules& rules) {
    if (head.mode != ListenerMode::sync) return;
    rules.expect(!head.appends, "mode", "queued, as it appends: a sync listener runs within an append", "sync");
    rules.expect(!head.deduplication, "deduplicate", "none, as it is sync: what it has seen is not stored", "one");
}

}  // namespace

milliseconds RetryPolicy::wait_behind(int failures, double random) const {
    const auto bounded = [](double ms, milliseconds most) {
        return milliseconds{static_cast<std::int64_t>(std::clamp(ms, 0.0, static_cast<double>(most.count())))};
    };
    const int behind = std::max(failures, 1);
    double wait = 0;
    if (delays.empty()) {
        // Bounded, as nothing times infinity would be no number.
        const auto times = std::min(std::pow(factor, behind - 1), static_cast<double>(longest_delay.count()));
        wait = static_cast<double>(first.count()) * times;
    } else {
        const auto last = static_cast<int>(delays.size());
        wait = static_cast<double>(delays[static_cast<std::size_t>(std::min(behind, last) - 1)].count());
    }
    const auto most = delays.empty() ? longest : longest_delay;
    const auto even = bounded(wait, most);
    return bounded(static_cast<double>(even.count()) * (1 + jitter * (2 * random - 1)), most);
}

void ListenerHandler::compose(const Event&, const Delivery& delivery, Append&) {
    throw Permanent{"listener \"" + delivery.listener() + "\" has no effect that is an append"};
}

Listener::Listener(Head head) : head_(std::move(head)) {
    check_name(head_.name);
    const Rules rules{head_.name};
    check_retry(head_.retry, rules);
    check_sync(head_, rules);
    rules.expect(head_.stop_after_dead >= 0, "stop_after_dead", "0 or more", std::to_string(head_.stop_after_dead));
    rules.expect(head_.breaker.failures >= 0, "breaker", "0 or more failures",
                 std::to_string(head_.breaker.failures));
    rules.expect_wait(head_.breaker.open, "the time that the breaker is open");
    if (head_.deduplication) rules.expect_wait(head_.deduplication->within, "the window of deduplication");
    rules.expect(!head_.queue.empty(), "queue", "a name", "none");
    if (head_.order.kind == OrderBy::Kind::expression)
        rules.expect(!head_.order.expression.text.empty(), "order", "SQL over the event", "none");
    (void)Selection{head_};
}

}  // namespace stele
