// projection<T>(): a struct of yours, as a Projection.
//
//   struct SiteCount {
//       static constexpr auto name = "site_count";
//       static constexpr int version = 1;
//       using events = stele::Events<SiteCreated, SiteDeleted>;            // see schema/typed_event.hpp
//
//       void setup(Model& model) { model.exec("CREATE TABLE site_count (n INTEGER NOT NULL)"); … }
//       void on(const SiteCreated&, const Envelope&, Model& m) { m.exec("UPDATE site_count SET n = n + 1"); }
//       void on(const SiteDeleted&, const Envelope&, Model& m) { m.exec("UPDATE site_count SET n = n - 1"); }
//   };
//   registry.add(projection<SiteCount>());
//
// `void on(const Event&, Model&)` takes events as they are stored: all of them, or, beside typed ones, all others.
//
// Which events: those that are listed, where all handlers are typed; every event, where one is not. A member
// `static Query query()` narrows that, to tags, streams or types: `return matching(types("SiteCreated"));`. Members
// `mode` and `on_error`, of the kinds that Projection::Head has, say the rest.
//
// A struct with a State is folded by key: see keyed_projection.hpp.
//
// A member `static constexpr EventParts parts{…}` says what the handlers look at beside the envelope's head: a
// rebuild that leaves out ids, data, metadata and tags reads the log in half the time. What is left out is empty.
//
// What a struct lacks is a message of the compiler that says what to write.
#pragma once

#include <stele/projections/keyed_projection.hpp>
#include <stele/projections/projection_head.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace stele {

namespace detail {

template <class T>
concept TakesAnyEvent = requires(T t, const Event& event, Model& model) {
    t.on(event, model);
};

/// Whether T has an overload of its own for A: one that takes it by a conversion does not count.
template <class T, class A>
struct HasOverload {
    static constexpr bool value = requires(T t, const Exactly<A>& event, const Envelope& envelope, Model& model) {
        t.on(event, envelope, model);
    };
    static_assert(value,
                  "a projection that lists this event in `events` needs an overload for exactly this event: "
                  "void on(const SiteCreated&, const stele::Envelope&, stele::Model&)");
};

template <class T>
struct CheckedHandlers {
    static constexpr bool has_setup = requires(T t, Model& model) { t.setup(model); };
    static constexpr bool has_handlers = TakesAnyEvent<T> || ListsEvents<T>;
    static_assert(has_setup, "a projection needs to make its tables: void setup(stele::Model&)");
    static_assert(
        has_handlers,
        "a projection needs handlers: void on(const stele::Event&, stele::Model&); or `using events = "
        "stele::Events<SiteCreated, …>;` and an overload void on(const SiteCreated&, const stele::Envelope&, "
        "stele::Model&) for each");

    template <class A>
    using Overload = HasOverload<T, A>;

    static constexpr bool overloads_are_sound() {
        if constexpr (ListsEvents<T>) {
            return EventList<typename T::events>::is_sound &&
                   EventList<typename T::events>::template each<Overload>;
        }
        return true;
    }
    static constexpr bool is_sound =
        CheckedProjection<T>::is_sound && has_setup && has_handlers && overloads_are_sound();
};

template <class T>
class StructProjection final : public Projection {
public:
    explicit StructProjection(T definition)
        : Projection(head_of(definition, listed_types())), definition_(std::move(definition)) {}

    void setup(Model& model) const override { T{definition_}.setup(model); }

    [[nodiscard]] std::unique_ptr<ProjectionHandler> handler(Model& model) const override {
        return std::make_unique<Handler>(definition_, model);
    }

private:
    class Handler final : public ProjectionHandler {
    public:
        Handler(const T& definition, Model& model) : definition_(definition), model_(model) {}

        void apply(const Event& event) override {
            if constexpr (ListsEvents<T>) {
                const auto take = [&](const auto& typed) { definition_.on(typed, event, model_); };
                if (EventList<typename T::events>::dispatch(event, take)) return;
            }
            if constexpr (TakesAnyEvent<T>) definition_.on(event, model_);
        }

        void flush() override {
            if constexpr (requires { definition_.flush(model_); }) definition_.flush(model_);
        }

    private:
        T definition_;
        Model& model_;
    };

    static std::vector<std::string> listed_types() {
        if constexpr (ListsEvents<T> && !TakesAnyEvent<T>) return EventList<typename T::events>::types();
        return {};
    }

    T definition_;
};

}  // namespace detail

/// The projection that a struct defines. Its definition counts as changed when its name or version does.
///
/// A copy of `definition` serves each model. It may keep state of its own only as far as that can be computed again
/// at any event, or is written by `void flush(Model&)`, a member that is called before each commit.
template <class T>
[[nodiscard]] std::shared_ptr<const Projection> projection(T definition = {}) {
    if constexpr (detail::HasState<T>) {
        if constexpr (detail::CheckedFold<T>::is_sound) {
            return std::make_shared<detail::KeyedProjection<T>>(std::move(definition));
        }
    } else if constexpr (detail::CheckedHandlers<T>::is_sound) {
        return std::make_shared<detail::StructProjection<T>>(std::move(definition));
    }
    return nullptr;  // not reached: the compiler has said what is missing
}

}  // namespace stele
