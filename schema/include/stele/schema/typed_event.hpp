// Typed events: structs of yours in place of a type's name and JSON.
//
//   struct SiteCreated {
//       static constexpr auto type = "SiteCreated";
//       static constexpr int version = 1;                                 // of the schema
//       std::string domain;
//       std::string plan;
//       std::vector<std::string> tags() const { return {"plan:" + plan}; }          // where it has any
//       NLOHMANN_DEFINE_TYPE_INTRUSIVE(SiteCreated, domain, plan)
//   };
//
//   store.append(site, expect::none, {event(SiteCreated{"example.org", "pro"}).by("user-7")});
//
// No base class, and no macro needed: nlohmann's to_json() and from_json() in your own words do as well, and a
// struct without members needs neither.
//
// Who takes events (a projection, a listener, a decider) lists those that it takes, `using events =
// stele::Events<SiteCreated, SiteDeleted>;`, and has an overload for each. What is missing shows when it is
// compiled, by a message that says what to write.
//
// Schema versions: an event goes to the struct of its type and version. Where there is none, it goes to the one of
// the next higher version, whose conversion takes the data as it stands or says which member it lacks. An event of
// a version higher than all that are listed was written by a newer program; it is an error, and never guessed at.
#pragma once

#include <stele/schema/event.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace stele {

/// What handlers of typed events call the rest of the event: position, stream, times, metadata, tags …
using Envelope = Event;

/// The types that a projection, a listener or a decider takes, as structs.
template <class... A>
struct Events {};

namespace detail {

/// Converts to `const A&` and to nothing else: an argument that only an overload of A's own takes.
template <class A>
struct Exactly {
    template <class T>
    requires std::same_as<T, A>
    operator const T&() const;  // NOLINT(google-explicit-constructor): never defined, only overloads look at it
};

template <class A>
concept NamedEvent = requires {
    { A::type } -> std::convertible_to<std::string_view>;
};
template <class A>
concept VersionedEvent = requires {
    { A::version } -> std::convertible_to<int>;
};
template <class A>
concept ReadFromJson = requires(const nlohmann::json& json) {
    json.template get<A>();
};

template <class A>
concept WrittenToJson = std::constructible_from<nlohmann::json, const A&>;

/// What every struct of a list must have. The compiler names A beside the message.
template <class A>
struct CheckedEvent {
    static_assert(NamedEvent<A>,
                  "a typed event needs the name of its type: static constexpr auto type = \"SiteCreated\";");
    static_assert(VersionedEvent<A>,
                  "a typed event needs the version of its schema: static constexpr int version = 1;");
    static_assert(ReadFromJson<A> || std::is_empty_v<A>,
                  "a typed event needs a default constructor and a conversion from nlohmann::json, such as "
                  "NLOHMANN_DEFINE_TYPE_INTRUSIVE(SiteCreated, domain)");
    static constexpr bool is_sound = NamedEvent<A> && VersionedEvent<A> && (ReadFromJson<A> || std::is_empty_v<A>);
};

/// What a struct must have to be written. The compiler names A beside the message.
template <class A>
struct CheckedNewEvent {
    static_assert(NamedEvent<A>,
                  "a typed event needs the name of its type: static constexpr auto type = \"SiteCreated\";");
    static_assert(VersionedEvent<A>,
                  "a typed event needs the version of its schema: static constexpr int version = 1;");
    static constexpr bool is_written = std::is_empty_v<A> || WrittenToJson<A>;
    static_assert(is_written,
                  "a typed event needs a conversion to nlohmann::json, such as "
                  "NLOHMANN_DEFINE_TYPE_INTRUSIVE(SiteCreated, domain)");
    static constexpr bool tags_are_sound() {
        if constexpr (requires(A & event) { event.tags(); }) {
            return requires(const A& event) {
                { event.tags() } -> std::convertible_to<std::vector<std::string>>;
            };
        }
        return true;
    }
    static_assert(tags_are_sound(), "the tags of a typed event: std::vector<std::string> tags() const");
    static constexpr bool is_sound = NamedEvent<A> && VersionedEvent<A> && is_written && tags_are_sound();
};

/// A struct that is meant as a typed event: a class that is no name of a type.
template <class A>
concept EventStruct = std::is_class_v<A> && !std::convertible_to<const A&, std::string> &&
                      !std::same_as<A, NewEvent> && !std::same_as<A, Event>;

/// The type and version of each, to find the one that takes an event.
struct EventKind {
    std::string_view type;
    int version;
};

/// The place in `kinds` of the struct that takes `event`, -1 where none has its type.
/// Throws InvalidInput where its schema version is beyond those that are known.
[[nodiscard]] int kind_of(const Event& event, const EventKind* kinds, std::size_t count);

[[noreturn]] void throw_other_type(const Event& event, std::string_view expected);

/// Throws InvalidInput that names the member of `data` for which `convert` fails, as it did with `error`.
/// Cost: converts again for each member that might be the one.
[[noreturn]] void throw_unconvertible(const nlohmann::json& data, const std::exception& error,
                                      const std::function<void(const nlohmann::json&)>& convert);

template <class A>
[[nodiscard]] A converted_data(const nlohmann::json& data) {
    if constexpr (ReadFromJson<A>) {
        try {
            return data.template get<A>();
        } catch (const std::bad_alloc&) {
            throw;
        } catch (const std::exception& error) {
            throw_unconvertible(data, error, [](const nlohmann::json& value) { (void)value.template get<A>(); });
        }
    } else {
        return A{};  // nothing to read
    }
}

/// What was made from a value is not parsed again.
template <class A>
[[nodiscard]] A converted(const Event& event) {
    if constexpr (ReadFromJson<A>) {
        if (const auto* kept = event.data.kept()) return converted_data<A>(*kept);
        return converted_data<A>(event.data.value());
    } else {
        return A{};
    }
}

template <class List>
struct EventList;

template <class T>
concept ListsEvents = requires {
    typename T::events;
};

template <class... A>
struct EventList<Events<A...>> {
    static_assert(sizeof...(A) > 0, "stele::Events<…> lists at least one event");
    static constexpr bool is_sound = sizeof...(A) > 0 && (CheckedEvent<A>::is_sound && ...);

    static constexpr auto kinds() { return std::array<EventKind, sizeof...(A)>{EventKind{A::type, A::version}...}; }

    static constexpr bool are_different() {
        if constexpr (is_sound) {
            constexpr auto all = kinds();
            for (std::size_t i = 0; i < all.size(); ++i) {
                for (std::size_t j = 0; j < i; ++j) {
                    if (all[i].type == all[j].type && all[i].version == all[j].version) return false;
                }
            }
        }
        return true;
    }
    static_assert(are_different(), "two events of stele::Events<…> have the same type and version");

    /// Whether A is one of them.
    template <class One>
    static constexpr bool has = (std::same_as<One, A> || ...);

    /// Whether `takes<A>` holds of each.
    template <template <class> class Takes>
    static constexpr bool each = (Takes<A>::value && ...);
    /// Or of one.
    template <template <class> class Takes>
    static constexpr bool any = (Takes<A>::value || ...);

    [[nodiscard]] static std::vector<std::string> types() { return {std::string{std::string_view{A::type}}...}; }

    /// Calls `take` with the struct that the event is; false where none has its type.
    template <class Take>
    static bool dispatch(const Event& event, const Take& take) {
        static constexpr auto all = kinds();
        const int kind = kind_of(event, all.data(), all.size());
        int place = 0;
        return ((place++ == kind && (take(converted<A>(event)), true)) || ...);
    }
};

}  // namespace detail

/// A new event of the struct's type and schema version, with its data and, where it says any, its tags.
/// Throws InvalidInput naming "data" where JSON cannot say what the struct holds (see JsonText).
template <detail::EventStruct A>
[[nodiscard]] NewEvent event(const A& typed) {
    NewEvent made;
    if constexpr (detail::CheckedNewEvent<A>::is_sound) {
        made.type = std::string_view{A::type};
        made.schema_version = A::version;
        if constexpr (detail::WrittenToJson<A>) made.data = JsonText::write(nlohmann::json(typed), "data");
        if constexpr (requires { typed.tags(); }) made.tags = typed.tags();
    }
    return made;
}

/// The same, of members: `event<SiteCreated>("example.org", "pro")`.
template <detail::EventStruct A, class... Members>
requires(sizeof...(Members) != 1 || !(std::same_as<std::remove_cvref_t<Members>, A> && ...)) [[nodiscard]] NewEvent
    event(Members&&... members) {
    return stele::event(A{std::forward<Members>(members)...});
}

/// The struct that `event` is. Throws InvalidInput where it has another type, or a schema version beyond A's, and
/// naming the member of its data that does not fit.
template <class A>
[[nodiscard]] A as(const Event& event) {
    static_assert(detail::EventList<Events<A>>::is_sound);
    static constexpr auto kinds = detail::EventList<Events<A>>::kinds();
    if (detail::kind_of(event, kinds.data(), kinds.size()) < 0) detail::throw_other_type(event, A::type);
    return detail::converted<A>(event);
}

}  // namespace stele
