// Scenarios of deciders: given events, when a command, then events, an error, or nothing.
//
//   given<Site>(SiteCreated{"example.org"}).when(DeleteSite{}).then(SiteDeleted{});
//   given<Site>().when(DeleteSite{}).then_error<NoSuchSite>("no such site");
//   given<Site>(SiteCreated{"example.org"}).when(CreateSite{"example.org"}).then_nothing();
//   given<Site>(with_prices)(…)…                                       // a decider that has members
//
// Run twice: the given events are folded from scratch and decided on again, which must give the same; and what was
// decided is replayed behind the given events, event by event and all at once, which must give the same state.
#pragma once

#include <stele/testing/outcome.hpp>
#include <stele/testing/report.hpp>
#include <stele/testing/scenario.hpp>

#include <concepts>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

namespace stele::testing {

namespace detail {

template <class E>
[[nodiscard]] std::optional<std::string> message_of(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const E& expected) {
        if constexpr (std::derived_from<E, std::exception>) return expected.what();
        return "";
    } catch (...) {
        return std::nullopt;
    }
}

/// Whether two states are the same: by ==, or as JSON; unknown where a state has neither.
template <class State>
[[nodiscard]] std::optional<bool> same_state(const State& a, const State& b) {
    if constexpr (std::equality_comparable<State>) {
        return a == b;
    } else if constexpr (std::constructible_from<nlohmann::json, const State&>) {
        return nlohmann::json(a) == nlohmann::json(b);
    } else {
        return std::nullopt;
    }
}

}  // namespace detail

/// A command under test. Say what is to come of it: nothing is looked at before.
template <class D>
class DeciderScenario {
public:
    DeciderScenario(detail::History history, StreamId stream, std::string command, detail::Outcome first,
                    std::string wrong, detail::Place place)
        : history_(std::move(history)),
          stream_(std::move(stream)),
          command_(std::move(command)),
          outcome_(std::move(first)),
          wrong_(std::move(wrong)),
          place_(place) {}

    /// These events, in this order, and no others.
    template <class... E>
    void then(E&&... events) const {
        std::vector<NewEvent> expected;
        (stele::detail::add_decided(expected, std::forward<E>(events)), ...);
        require(expected);
    }

    void then_nothing() const { require({}); }

    /// An error of type E, or derived from it, whose message holds `text`.
    template <class E>
    void then_error(std::string_view text = {}) const {
        const auto expected = "an error " + detail::readable(typeid(E).name()) +
                              (text.empty() ? "" : " with \"" + std::string{text} + "\"");
        if (!outcome_.error) {
            detail::report(headline() + "  expected " + expected + "\n  found\n" +
                           detail::listed(outcome_.events, "    ") + wrong_);
            return;
        }
        const auto message = detail::message_of<E>(outcome_.error);
        const bool holds = message && message->find(text) != std::string::npos;
        detail::report(holds && wrong_.empty() ? ""
                                               : headline() + "  expected " + expected + "\n  found    " +
                                                     outcome_.error_text + "\n" + wrong_);
    }

private:
    [[nodiscard]] std::string headline() const {
        const auto count = history_.size();
        return to_string(place_) + ": given " + std::to_string(count) + (count == 1 ? " event" : " events") +
               " of " + stream_.name() + ", when " + command_ + "\n";
    }

    void require(const std::vector<NewEvent>& expected) const {
        if (outcome_.error) {
            detail::report(headline() + "  expected\n" + detail::listed(expected, "    ") + "  found    " +
                           outcome_.error_text + "\n" + wrong_);
            return;
        }
        const auto different = detail::differences(expected, outcome_.events);
        if (different.empty() && wrong_.empty()) return detail::report("");
        detail::report(headline() + "  expected\n" + detail::listed(expected, "    ") + "  found\n" +
                       detail::listed(outcome_.events, "    ") + different + wrong_);
    }

    detail::History history_;
    StreamId stream_;
    std::string command_;
    detail::Outcome outcome_;
    std::string wrong_;  // what the second run found; empty: nothing
    detail::Place place_;
};

/// What has happened to an aggregate.
template <class D>
class GivenAggregate {
    static_assert(stele::detail::CheckedDecider<D>::is_sound);

public:
    using State = typename D::State;

    GivenAggregate(D decider, detail::History history, StreamId stream)
        : decider_(std::move(decider)), history_(std::move(history)), stream_(std::move(stream)) {}

    /// Decides on `command`: twice, and replays what came of it.
    template <class Command>
    [[nodiscard]] DeciderScenario<D> when(const Command& command, const char* file = __builtin_FILE(),
                                          int line = __builtin_LINE()) const {
        const auto events = history_.events();
        const auto decide = [&] {
            return detail::outcome_of(
                [&] { return stele::decide<D>(fold<D>(events, decider_), command, decider_); });
        };
        const auto first = decide();
        auto wrong = detail::difference(first, decide());
        if (wrong.empty()) wrong = replayed(events, first.events);
        return {history_, stream_, detail::readable(typeid(Command).name()), first, wrong, {file, line}};
    }

private:
    [[nodiscard]] std::string replayed(const std::vector<Event>& before,
                                       const std::vector<NewEvent>& decided) const {
        const auto after = detail::following(before, stream_, decided);
        auto all = before;
        all.insert(all.end(), after.begin(), after.end());
        try {
            auto state = fold<D>(before, decider_);
            for (const auto& event : after) stele::detail::take_in(decider_, state, event);
            const auto whole = fold<D>(all, decider_);
            if (detail::same_state<State>(state, whole).value_or(true)) return {};
            return "  what was decided, replayed twice, gives two states: evolve depends on more than state and "
                   "event\n";
        } catch (const std::exception& error) {
            return std::string{"  what was decided cannot be replayed: "} + error.what() + "\n";
        }
    }

    D decider_;
    detail::History history_;
    StreamId stream_;
};

namespace detail {
template <class D>
[[nodiscard]] StreamId default_stream(const D& decider) {
    if constexpr (requires { std::string_view{decider.aggregate_type}; }) {
        return {decider.aggregate_type, "test"};
    } else {
        return {"Test", "test"};
    }
}
}  // namespace detail

/// What has happened to the aggregate: `given<Site>(SiteCreated{"example.org"})`.
template <class D, class... E>
requires requires { typename D::State; }
[[nodiscard]] GivenAggregate<D> given(E&&... events) {
    const D decider{};
    const auto stream = detail::default_stream(decider);
    detail::History history;
    (history.add(std::forward<E>(events), stream), ...);
    return {decider, std::move(history), stream};
}

/// The same for a decider that has members: `given_with(Site{prices}, SiteCreated{…})`.
template <class D, class... E>
[[nodiscard]] GivenAggregate<D> given_with(D decider, E&&... events) {
    const auto stream = detail::default_stream(decider);
    detail::History history;
    (history.add(std::forward<E>(events), stream), ...);
    return {std::move(decider), std::move(history), stream};
}

}  // namespace stele::testing
