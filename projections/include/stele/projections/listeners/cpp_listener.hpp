// listener<T>(), listener(name, query, function): a struct or a function of yours, as a Listener.
//
//   struct TellOperator {
//       static constexpr auto name = "tell_operator";
//       using events = stele::Events<BackupFailed, SiteProvisioningFailed>;   // see schema/typed_event.hpp
//       static stele::ListenerOptions options() { return {.retry = {.attempts = 3, .delays = {30s, 60s}}}; }
//
//       void on(const BackupFailed& failed, const stele::Envelope& event, const stele::Delivery& delivery) { … }
//       void on(const SiteProvisioningFailed&, const stele::Delivery&) { throw stele::Permanent{"no such site"}; }
//   };
//   runner.add(listener<TellOperator>());
//   runner.add(listener("print", matching(types("SiteDeleted")), [](const Event& event, const Delivery&) { … }));
//
// Throwing means: try again. `throw Permanent{…}` means: a dead letter, now. `delivery.retry_after(10s)` before
// throwing says when.
//
// `void on(const Event&, const Delivery&)` takes events as they are stored: all of them, or, beside typed ones, all
// others. Which events: those that are listed, where all handlers are typed; every event, where one is not. A
// member `static Query query()` narrows that.
//
// An overload with a third, or fourth, parameter `stele::Append&` makes the listener one whose effect is an append:
// what it adds is committed together with the listener's position, exactly once. All of its overloads have it then.
//
// Threads: each worker has a copy of the struct (or of the function), so what it holds itself needs no lock.
#pragma once

#include <stele/projections/listeners/listener.hpp>
#include <stele/projections/projection_head.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace stele {

/// What a listener in C++ may say of itself beside its name and events. As in Listener::Head.
struct ListenerOptions {
    std::string where{};  ///< SQL over the event
    ListenerMode mode = ListenerMode::queued;
    OrderBy::Kind order = OrderBy::Kind::stream;
    std::string order_by{};  ///< SQL over the event, with OrderBy::Kind::expression
    RetryPolicy retry{};
    AfterLast after_last = AfterLast::free_key;
    std::int64_t stop_after_dead = 0;
    BreakerPolicy breaker{};
    std::string deduplicate_by{};  ///< SQL over the event; empty: no deduplication
    std::chrono::milliseconds deduplicate_within{};
    StartAt start{};
    std::string queue = "default";
    int priority = 0;
};

namespace detail {

template <class T>
concept HearsAnyEvent = requires(T t, const Event& event, const Delivery& delivery) {
    t.on(event, delivery);
};
template <class T>
concept AnswersAnyEvent = requires(T t, const Event& event, const Delivery& delivery, Append& append) {
    t.on(event, delivery, append);
};

/// The ways in which an overload for A may be written.
template <class T, class A>
struct Hears {
    using Typed = const Exactly<A>&;
    static constexpr bool briefly = requires(T t, Typed e, const Delivery& d) { t.on(e, d); };
    static constexpr bool fully = requires(T t, Typed e, const Envelope& v, const Delivery& d) { t.on(e, v, d); };
    static constexpr bool answers_briefly = requires(T t, Typed e, const Delivery& d, Append& a) { t.on(e, d, a); };
    static constexpr bool answers_fully = requires(T t, Typed e, const Envelope& v, const Delivery& d, Append& a) {
        t.on(e, v, d, a);
    };
};

template <class T, class A>
struct HearsExactly {
    using Ways = Hears<T, A>;
    static constexpr bool value = Ways::briefly || Ways::fully || Ways::answers_briefly || Ways::answers_fully;
    static_assert(value,
                  "a listener that lists this event in `events` needs an overload for exactly this event: "
                  "void on(const BackupFailed&, const stele::Delivery&), or with const stele::Envelope& between "
                  "the two, or with stele::Append& behind them");
};
template <class T, class A>
struct OnlyAnswers {
    static constexpr bool value = Hears<T, A>::answers_briefly || Hears<T, A>::answers_fully;
};
template <class T, class A>
struct OnlyHears {
    static constexpr bool value = Hears<T, A>::briefly || Hears<T, A>::fully;
};

template <class T>
struct CheckedListener {
    static constexpr bool has_name = requires(T t) {
        { t.name } -> std::convertible_to<std::string_view>;
    };
    static constexpr bool has_handlers = HearsAnyEvent<T> || AnswersAnyEvent<T> || ListsEvents<T>;
    static_assert(has_name, "a listener needs a name: static constexpr auto name = \"tell_operator\";");
    static_assert(std::copy_constructible<T>, "a listener is copied: one copy serves each worker");
    static_assert(
        has_handlers,
        "a listener needs handlers: void on(const stele::Event&, const stele::Delivery&); or `using events "
        "= stele::Events<BackupFailed, …>;` and an overload void on(const BackupFailed&, const "
        "stele::Delivery&) for each");

    template <class A>
    using Overload = HearsExactly<T, A>;
    template <class A>
    using Answers = OnlyAnswers<T, A>;
    template <class A>
    using Listens = OnlyHears<T, A>;

    static constexpr bool overloads_are_sound() {
        if constexpr (ListsEvents<T>) {
            return EventList<typename T::events>::is_sound &&
                   EventList<typename T::events>::template each<Overload>;
        }
        return true;
    }
    static constexpr bool appends() {
        if constexpr (ListsEvents<T>) {
            if (!EventList<typename T::events>::template each<Answers>) return false;
            return !HearsAnyEvent<T>;
        }
        return AnswersAnyEvent<T>;
    }
    static constexpr bool only_listens() {
        if constexpr (ListsEvents<T>) {
            if (!EventList<typename T::events>::template each<Listens>) return false;
        }
        return !AnswersAnyEvent<T>;
    }
    static_assert(appends() || only_listens() || !overloads_are_sound(),
                  "either all overloads of a listener take a stele::Append&, or none");
    static constexpr bool is_sound = has_name && has_handlers && std::copy_constructible<T> &&
                                     overloads_are_sound() && (appends() || only_listens());
};

[[nodiscard]] Listener::Head head_of_listener(std::string name, Query query, const ListenerOptions& options);

template <class T>
class StructListener final : public Listener {
    static constexpr bool appends = CheckedListener<T>::appends();

public:
    explicit StructListener(T definition) : Listener(head_of(definition)), definition_(std::move(definition)) {}

    [[nodiscard]] std::unique_ptr<ListenerHandler> handler() const override {
        return std::make_unique<Handler>(definition_);
    }

private:
    class Handler final : public ListenerHandler {
    public:
        explicit Handler(const T& definition) : definition_(definition) {}

        void deliver(const Event& event, const Delivery& delivery) override {
            if constexpr (!appends) {
                if constexpr (ListsEvents<T>) {
                    const auto take = [&](const auto& typed) {
                        using A = std::decay_t<decltype(typed)>;
                        if constexpr (Hears<T, A>::fully) {
                            definition_.on(typed, event, delivery);
                        } else {
                            definition_.on(typed, delivery);
                        }
                    };
                    if (EventList<typename T::events>::dispatch(event, take)) return;
                }
                if constexpr (HearsAnyEvent<T>) definition_.on(event, delivery);
            }
        }

        void compose(const Event& event, const Delivery& delivery, Append& append) override {
            if constexpr (appends) {
                if constexpr (ListsEvents<T>) {
                    const auto take = [&](const auto& typed) {
                        using A = std::decay_t<decltype(typed)>;
                        if constexpr (Hears<T, A>::answers_fully) {
                            definition_.on(typed, event, delivery, append);
                        } else {
                            definition_.on(typed, delivery, append);
                        }
                    };
                    if (EventList<typename T::events>::dispatch(event, take)) return;
                }
                if constexpr (AnswersAnyEvent<T>) definition_.on(event, delivery, append);
            }
        }

    private:
        T definition_;
    };

    static Head head_of(const T& definition) {
        Query query;
        if constexpr (requires { definition.query(); }) query = definition.query();
        if constexpr (ListsEvents<T> && !HearsAnyEvent<T> && !AnswersAnyEvent<T>)
            query = Read{query}.types(EventList<typename T::events>::types()).query();
        ListenerOptions options;
        if constexpr (requires { definition.options(); }) options = definition.options();
        auto head = head_of_listener(std::string{std::string_view{definition.name}}, std::move(query), options);
        head.appends = appends;
        return head;
    }

    T definition_;
};

}  // namespace detail

/// The listener that a struct defines.
template <class T>
[[nodiscard]] std::shared_ptr<const Listener> listener(T definition = {}) {
    if constexpr (detail::CheckedListener<T>::is_sound) {
        return std::make_shared<detail::StructListener<T>>(std::move(definition));
    }
    return nullptr;  // not reached: the compiler has said what is missing
}

/// A function as a listener. Each worker has a copy of it; what it refers to, they share.
/// Throws InvalidInput, sql::DefinitionError as Listener's constructor does.
[[nodiscard]] std::shared_ptr<const Listener> listener(std::string name, Query query,
                                                       std::function<void(const Event&, const Delivery&)> deliver,
                                                       const ListenerOptions& options = {});

/// The same for one whose effect is an append to the same store.
[[nodiscard]] std::shared_ptr<const Listener> appending_listener(
    std::string name, Query query, std::function<void(const Event&, const Delivery&, Append&)> compose,
    const ListenerOptions& options = {});

}  // namespace stele
