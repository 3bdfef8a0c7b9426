// Keyed projections: one state a key, and a fold that takes the events of that key into it.
//
//   struct Account {                                       // a state; the one before the first event is Account{}
//       std::int64_t balance = 0;
//       NLOHMANN_DEFINE_TYPE_INTRUSIVE(Account, balance)
//   };
//   struct Accounts {
//       static constexpr auto name = "accounts";
//       static constexpr int version = 1;
//       using State = Account;                             // this makes it a keyed projection
//       using events = stele::Events<Paid, Closed>;
//
//       static std::string key(const Event& e) { return e.stream.name(); }
//       static State fold(State s, const Paid& paid, const Envelope&) { s.balance += paid.amount; return s; }
//       static std::optional<State> fold(State, const Closed&, const Envelope&) { return {}; }   // the row goes
//   };
//
// key    a text or an integer, or an optional of these: events without a key are passed over. Without the function,
// the
//        stream's name is the key.
// fold   also `State fold(State, const Event&)`, for events as they are stored: all, or all that are not listed.
//        Returned empty, the optional removes the key's row, and the next event of the key starts anew.
//
// Rows: a table of the projection's name with the columns `key` and `state`, the state as JSON. For other tables,
// write `void setup(Model&)`, `std::optional<State> load(const Key&, Model&)`, `void save(const Key&, const State&,
// Model&)` and, where fold may return an empty optional, `void remove(const Key&, Model&)`. Key is std::string or
// std::int64_t.
//
// Cost: states that events have changed stay in memory until the transaction ends, when each is written once, in
// the order of the keys. So a batch of 10,000 events of 1,000 keys writes 1,000 rows. States that were written stay
// in memory too, those least recently used going first where there are more than `states_in_memory`, a member of
// the struct (10,000 without it); where more than that were changed within one batch, they are written in between.
#pragma once

#include <stele/projections/projection_head.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace stele {

namespace detail {

template <class T>
concept HasState = requires {
    typename T::State;
};

template <class V>
struct WithoutOptional {
    using type = V;
};
template <class V>
struct WithoutOptional<std::optional<V>> {
    using type = V;
};

/// What T says that the key of an event is, as it says it.
template <class T>
[[nodiscard]] decltype(auto) key_of(T& definition, const Event& event) {
    if constexpr (requires { definition.key(event); }) {
        return definition.key(event);
    } else {
        return std::string_view{event.stream.name()};
    }
}
template <class T>
using GivenKey = typename WithoutOptional<
    std::remove_cvref_t<decltype(key_of(std::declval<T&>(), std::declval<const Event&>()))>>::type;

/// What it is kept as.
template <class T>
using KeyOf = std::conditional_t<std::integral<GivenKey<T>>, std::int64_t, std::string>;

template <class T>
concept FoldsAnyEvent = requires(T t, typename T::State state, const Event& event) {
    { t.fold(std::move(state), event) } -> std::convertible_to<std::optional<typename T::State>>;
};

template <class T, class A>
struct HasFold {
    static constexpr bool value =
        requires(T t, typename T::State state, const Exactly<A>& event, const Envelope& envelope) {
        { t.fold(std::move(state), event, envelope) } -> std::convertible_to<std::optional<typename T::State>>;
    };
    static_assert(value,
                  "a keyed projection that lists this event in `events` needs an overload for exactly this event: "
                  "State fold(State, const SiteCreated&, const stele::Envelope&), or one that returns "
                  "std::optional<State>");
};

template <class T>
concept HasTableOfItsOwn = requires(T t, Model& model, const KeyOf<T>& key, const typename T::State& state) {
    t.setup(model);
    { t.load(key, model) } -> std::convertible_to<std::optional<typename T::State>>;
    t.save(key, state, model);
};
template <class T>
concept HasPartOfATable = requires(T t, Model& model) {
    t.setup(model);
}
|| requires { &T::load; }
|| requires { &T::save; };

template <class T>
struct CheckedFold {
    static constexpr bool has_key_function = requires(T t, const Event& event) { t.key(event); };
    static constexpr bool has_key =
        (has_key_function || !requires { &T::key; }) &&
        (std::integral<GivenKey<T>> || std::convertible_to<GivenKey<T>, std::string_view>);
    static constexpr bool has_folds = FoldsAnyEvent<T> || ListsEvents<T>;
    static constexpr bool has_table = HasTableOfItsOwn<T> || !HasPartOfATable<T>;
    static constexpr bool has_state =
        std::default_initializable<typename T::State> &&
        (HasTableOfItsOwn<T> || requires(const nlohmann::json& json, const typename T::State& state) {
            json.template get<typename T::State>();
            nlohmann::json(state);
        });
    static_assert(has_key,
                  "key takes a const stele::Event& and returns a text or an integer, or an optional of these");
    static_assert(has_folds,
                  "a keyed projection needs a fold: State fold(State, const stele::Event&); or `using events = "
                  "stele::Events<SiteCreated, …>;` and an overload State fold(State, const SiteCreated&, const "
                  "stele::Envelope&) for each");
    static_assert(has_table,
                  "a keyed projection with a table of its own needs all of setup(stele::Model&), "
                  "std::optional<State> load(const Key&, stele::Model&) and save(const Key&, const State&, "
                  "stele::Model&)");
    static_assert(has_state,
                  "the State of a keyed projection needs a default constructor and conversions to and from "
                  "nlohmann::json, such as NLOHMANN_DEFINE_TYPE_INTRUSIVE(Account, balance)");

    template <class A>
    using Fold = HasFold<T, A>;

    static constexpr bool folds_are_sound() {
        if constexpr (ListsEvents<T>) {
            return EventList<typename T::events>::is_sound && EventList<typename T::events>::template each<Fold>;
        }
        return true;
    }
    static constexpr bool is_sound =
        CheckedProjection<T>::is_sound && has_key && has_folds && has_table && has_state && folds_are_sound();
};

/// The table of a keyed projection that has none of its own.
class StateTable {
public:
    StateTable(const std::string& projection, bool integer_keys);

    void setup(Model& model) const;
    template <class State, class Key>
    [[nodiscard]] std::optional<State> load(const Key& key, Model& model) const {
        for (const Row& row : model.query(select_, key)) {
            return nlohmann::json::parse(row.text(0)).template get<State>();
        }
        return std::nullopt;
    }
    template <class State, class Key>
    void save(const Key& key, const State& state, Model& model) const {
        model.exec(upsert_, key, nlohmann::json(state).dump());
    }
    template <class Key>
    void remove(const Key& key, Model& model) const {
        model.exec(delete_, key);
    }

private:
    std::string create_;
    std::string select_;
    std::string upsert_;
    std::string delete_;
};

/// Lets texts be looked up without being copied.
template <class Key>
struct KeyHash {
    using is_transparent = void;
    using View = std::conditional_t<std::integral<Key>, Key, std::string_view>;
    std::size_t operator()(const View& key) const noexcept { return std::hash<View>{}(key); }
};

/// Folds events into states in memory, and writes those that changed.
template <class T>
class KeyedHandler final : public ProjectionHandler {
    using State = typename T::State;
    using Key = KeyOf<T>;

public:
    KeyedHandler(const T& definition, const StateTable& table, Model& model)
        : definition_(definition), table_(table), model_(model) {}

    void apply(const Event& event) override {
        const auto& key = key_of(definition_, event);
        if constexpr (requires { key.has_value(); }) {
            if (key.has_value()) take(*key, event);
        } else {
            take(key, event);
        }
    }

    void flush() override {
        std::sort(changed_.begin(), changed_.end(),
                  [](const auto* a, const auto* b) { return a->first < b->first; });
        for (auto* known : changed_) {
            auto& [key, entry] = *known;
            if (entry.state) {
                save(key, *entry.state);
            } else if (entry.is_in_table) {
                remove(key);
            }
            entry.is_in_table = entry.state.has_value();
            entry.is_changed = false;
            entry.place = clean_.insert(clean_.end(), known);
        }
        changed_.clear();
        forget_some();
    }

private:
    struct Entry {
        std::optional<State> state;
        bool is_in_table = false;
        bool is_changed = false;
        typename std::list<std::pair<const Key, Entry>*>::iterator place{};  // in clean_, unless it is changed
    };
    using Known = std::pair<const Key, Entry>;

    template <class Given>
    void take(const Given& given, const Event& event) {
        using View = typename KeyHash<Key>::View;
        auto known = known_.find(static_cast<View>(given));
        if (known == known_.end()) known = add(Key{static_cast<View>(given)});
        auto& entry = known->second;
        const auto fold = [&](const auto&... e) {
            entry.state = definition_.fold(std::move(entry.state).value_or(State{}), e...);
            mark_changed(*known);
        };
        if constexpr (ListsEvents<T>) {
            const auto typed = [&](const auto& e) { fold(e, event); };
            if (EventList<typename T::events>::dispatch(event, typed)) return make_room();
        }
        if constexpr (FoldsAnyEvent<T>) fold(event);
        make_room();
    }

    auto add(Key key) {
        Entry entry;
        if constexpr (HasTableOfItsOwn<T>) {
            entry.state = definition_.load(key, model_);
        } else {
            entry.state = table_.template load<State>(key, model_);
        }
        entry.is_in_table = entry.state.has_value();
        const auto known = known_.emplace(std::move(key), std::move(entry)).first;
        known->second.place = clean_.insert(clean_.end(), &*known);
        return known;
    }

    void mark_changed(Known& known) {
        if (known.second.is_changed) return;
        known.second.is_changed = true;
        clean_.erase(known.second.place);
        changed_.push_back(&known);
    }

    void make_room() {
        if (changed_.size() > most()) return flush();
        forget_some();
    }

    void forget_some() {
        while (known_.size() > most() && !clean_.empty()) {
            const auto known = known_.find(clean_.front()->first);
            clean_.pop_front();
            known_.erase(known);
        }
    }

    static constexpr std::size_t most() {
        if constexpr (requires { T::states_in_memory; }) {
            return T::states_in_memory;
        } else {
            return 10'000;
        }
    }

    void save(const Key& key, const State& state) {
        if constexpr (HasTableOfItsOwn<T>) {
            definition_.save(key, state, model_);
        } else {
            table_.save(key, state, model_);
        }
    }

    void remove(const Key& key) {
        if constexpr (requires { definition_.remove(key, model_); }) {
            definition_.remove(key, model_);
        } else if constexpr (HasTableOfItsOwn<T>) {
            throw std::logic_error{"fold returned no state, and there is no remove(const Key&, Model&)"};
        } else {
            table_.remove(key, model_);
        }
    }

    T definition_;
    const StateTable& table_;
    Model& model_;
    std::unordered_map<Key, Entry, KeyHash<Key>, std::equal_to<>> known_;
    std::list<Known*> clean_;      // as they stand in the table; the least recently used first
    std::vector<Known*> changed_;  // not yet written
};

template <class T>
class KeyedProjection final : public Projection {
public:
    explicit KeyedProjection(T definition)
        : Projection(in_memory(head_of(definition, listed_types()))),
          definition_(std::move(definition)),
          table_(name(), std::integral<KeyOf<T>>) {}

    void setup(Model& model) const override {
        if constexpr (HasTableOfItsOwn<T>) {
            T{definition_}.setup(model);
        } else {
            table_.setup(model);
        }
    }

    [[nodiscard]] std::unique_ptr<ProjectionHandler> handler(Model& model) const override {
        return std::make_unique<KeyedHandler<T>>(definition_, table_, model);
    }

private:
    static Head in_memory(Head head) {
        head.folds_in_memory = true;
        return head;
    }

    static std::vector<std::string> listed_types() {
        if constexpr (ListsEvents<T> && !FoldsAnyEvent<T>) return EventList<typename T::events>::types();
        return {};
    }

    T definition_;
    StateTable table_;
};

}  // namespace detail
}  // namespace stele
