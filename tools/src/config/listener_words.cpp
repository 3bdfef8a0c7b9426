#include "listener_words.hpp"

#include "../terminal.hpp"

#include <sstream>

namespace stele::tool {
namespace {

std::string percent(double share) {
    std::ostringstream text;
    text << share * 100 << "%";
    return text.str();
}

std::string number(double value) {
    std::ostringstream text;
    text << value;
    return text.str();
}

std::string waits_in_words(const RetryPolicy& retry) {
    const auto even = retry.jitter > 0 ? ", each ±" + percent(retry.jitter) : std::string{};
    if (retry.delays.empty()) {
        return "again after " + duration_in_words(retry.first) + ", each wait " + number(retry.factor) +
               " times the one before, at most " + duration_in_words(retry.longest) + even;
    }
    std::string text = "again after ";
    for (std::size_t i = 0; i < retry.delays.size(); ++i)
        text += (i == 0 ? "" : ", ") + duration_in_words(retry.delays[i]);
    if (retry.attempts - 1 > static_cast<int>(retry.delays.size())) text += " and so on";
    return text + even;
}

const char* end_in_words(AfterLast after) {
    switch (after) {
        case AfterLast::free_key:
            return "then a dead letter, and later events of the key go on";
        case AfterLast::hold_key:
            return "then a dead letter, and later events of the key wait";
        case AfterLast::stop:
            break;
    }
    return "then the listener stops";
}

}  // namespace

std::string duration_in_words(std::chrono::milliseconds time) {
    const auto ms = time.count();
    if (ms % 3'600'000 == 0 && ms > 0) return std::to_string(ms / 3'600'000) + " h";
    if (ms % 60'000 == 0 && ms > 0) return std::to_string(ms / 60'000) + " min";
    if (ms % 1'000 == 0) return std::to_string(ms / 1'000) + " s";
    return std::to_string(ms) + " ms";
}

std::string selection_in_words(const Listener::Head& head) {
    std::ostringstream text;
    if (head.query.selects_everything()) {
        text << "every event";
    } else {
        text << head.query;
    }
    if (!head.where.text.empty()) text << " where " << head.where.text;
    return text.str();
}

std::string order_in_words(const OrderBy& order) {
    switch (order.kind) {
        case OrderBy::Kind::stream:
            return "by stream";
        case OrderBy::Kind::expression:
            return "by " + order.expression.text;
        case OrderBy::Kind::global:
            return "all events one after another";
        case OrderBy::Kind::none:
            break;
    }
    return "none";
}

std::string schedule_in_words(const Listener::Head& head) {
    if (head.mode == ListenerMode::sync) return "1 attempt within append(); then a dead letter";
    const auto attempts = counted(head.retry.attempts, "attempt");
    if (head.retry.attempts == 1) return attempts + "; " + end_in_words(head.after_last);
    return attempts + ": " + waits_in_words(head.retry) + "; " + end_in_words(head.after_last);
}

std::string breaker_in_words(const BreakerPolicy& breaker) {
    if (breaker.failures == 0) return {};
    return counted(breaker.failures, "failure") + " in a row leave " +
           (breaker.target.empty() ? "it" : breaker.target) + " alone for " + duration_in_words(breaker.open);
}

std::string start_in_words(const StartAt& start) {
    switch (start.kind) {
        case StartAt::Kind::beginning:
            return "the beginning";
        case StartAt::Kind::now:
            return "when it is first run";
        case StartAt::Kind::position:
            return "behind position " + grouped(start.position.value());
        case StartAt::Kind::time:
            break;
    }
    return to_rfc3339(start.time);
}

}  // namespace stele::tool
