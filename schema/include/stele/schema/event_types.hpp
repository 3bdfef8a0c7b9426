// EventTypes: the registry of event types: their versions, what each must look like, and how one becomes the next.
//
// It is filled before a store is opened, from a folder of files or from C++, and then shared:
//
//   auto types = EventTypes::load("schemas");
//   types.upcast<SiteCreatedV1, SiteCreated>([](SiteCreatedV1 old) { return SiteCreated{old.domain, "basic"}; });
//   auto store = EventStore::open("audit.stele", {.event_types = std::make_shared<const EventTypes>(types)});
//
// Files of a folder, where TYPE is the event's type as it is:
//
//   TYPE.vN.json      the JSON Schema of version N
//   TYPE.vN-vM.sql    the upcaster from version N to M = N + 1. Without directives it is one SQL expression that
//                     gives the new data as JSON, from the placeholders of the event (sql/event_binder.hpp);
//                     NULL drops the event. With directives it is sections, in the order in which their events
//                     come:
//                         --@ into TYPE [version M]     an expression each; NULL: not this one. Without a
//                                                       version it is the next one of the same type, version 1
//                                                       of another
//                         --@ drop                      alone: nothing becomes of these events
//   renames.sql       --@ rename OLD to NEW               events of OLD, in all versions, are events of NEW
//                     --@ rename-aggregate OLD to NEW     streams OLD/x are streams NEW/x
//
// Other .json and .sql files are refused, so that no misspelt name is passed over; what else is in the folder does
// not matter.
#pragma once

#include <stele/schema/json_schema.hpp>
#include <stele/schema/typed_event.hpp>
#include <stele/schema/upcaster.hpp>

#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace stele {

namespace detail {
struct UpcastStep;
}

/// Two declarations of a registry do not go together, or one of them cannot be. Code "event_types"; the message
/// begins with the place of the later one, and names both.
class EventTypesError : public Error {
public:
    EventTypesError(const std::string& place, const std::string& what,
                    nlohmann::json facts = nlohmann::json::object());
};

class EventTypes {
public:
    EventTypes();

    /// Reads a folder. Throws sql::DefinitionError and EventTypesError; what check() throws.
    [[nodiscard]] static EventTypes load(const std::filesystem::path& folder);

    /// The same, handing each mistake to `mistake` and going on behind it with what is sound.
    [[nodiscard]] static EventTypes load(const std::filesystem::path& folder,
                                         const std::function<void(const Error&)>& mistake);

    /// What the data of this version must look like. Throws EventTypesError where that is declared already.
    EventTypes& add(std::string type, int version, JsonSchema schema);

    /// All that `other` declares, too. Throws EventTypesError where both declare the same.
    EventTypes& add(const EventTypes& other);

    // ---- Upcasters from C++
    //
    // Each throws EventTypesError where the same is declared already. A function is called by several threads at
    // once; what it throws becomes an UpcastError. It may take the event as a second argument: its envelope, with
    // the type and version that this step begins with, and the data as it is stored.

    /// `function` makes, of the data of version `from`, that of `from` + 1: `nlohmann::json(nlohmann::json)`. One
    /// that returns std::optional<nlohmann::json> drops the event by returning none.
    template <class F>
    EventTypes& upcast(std::string type, int from, F function) {
        static_assert(takes_json<F>,
                      "an upcaster takes nlohmann::json, and may take const stele::Event& behind it");
        const TypeVersion into{type, from < std::numeric_limits<int>::max() ? from + 1 : from};
        return add_function(
            {std::move(type), from}, into,
            [function = std::move(function)](nlohmann::json&& data, const Event& event) {
                return std::optional<nlohmann::json>{call(function, std::move(data), event)};
            },
            takes_event<F, nlohmann::json>);
    }

    /// From struct to struct, each with its `type` and `version` and a conversion (typed_event.hpp). One that
    /// returns std::optional<To> drops the event by returning none, std::vector<To> makes several.
    template <class From, class To, class F>
    EventTypes& upcast(F function) {
        static_assert(std::is_invocable_v<const F&, From> || std::is_invocable_v<const F&, From, const Event&>,
                      "a typed upcaster takes the older struct, and may take const stele::Event& behind it");
        const TypeVersion from{std::string{From::type}, From::version};
        const TypeVersion into{std::string{To::type}, To::version};
        return add_functions(
            from, {into},
            [function = std::move(function), into](nlohmann::json&& data, const Event& event) {
                std::vector<Upcast> made;
                const auto add = [&](const To& one) { made.push_back({into, nlohmann::json(one)}); };
                auto result = call(function, detail::converted_data<From>(data), event);
                using Result = std::remove_cvref_t<decltype(result)>;
                if constexpr (std::is_same_v<Result, std::optional<To>>) {
                    if (result) add(*result);
                } else if constexpr (std::is_same_v<Result, std::vector<To>>) {
                    for (const auto& one : result) add(one);
                } else {
                    add(result);
                }
                return made;
            },
            takes_event<F, From>);
    }

    /// `function` makes any number of events, of the kinds in `into` alone: `std::vector<Upcast>(nlohmann::json)`.
    template <class F>
    EventTypes& upcast_into(TypeVersion from, std::vector<TypeVersion> into, F function) {
        static_assert(takes_json<F>,
                      "an upcaster takes nlohmann::json, and may take const stele::Event& behind it");
        return add_functions(
            std::move(from), std::move(into),
            [function = std::move(function)](nlohmann::json&& data, const Event& event) {
                return std::vector<Upcast>{call(function, std::move(data), event)};
            },
            takes_event<F, nlohmann::json>);
    }

    /// What an .sql file would say; `file` names it in messages.
    EventTypes& upcast_sql(std::string type, int from, std::string_view text, std::string file);

    /// Events of `type`, in all versions, are events of `to`.
    EventTypes& rename(std::string type, std::string to);
    /// Streams of aggregate type `type` are streams of `to`. It works both ways: what is stored as `type`/x is read
    /// as `to`/x, and what is appended to `to`/x goes on in `type`/x, so that versions go on. New streams are made
    /// under the name that the type had first, too, unless the log has streams under a later one: programs that
    /// know the rename and programs that do not write to the same streams.
    EventTypes& rename_aggregate(std::string type, std::string to);

    /// Tells code that was changed from what it was, for projections: any other text makes them rebuild.
    EventTypes& revision(std::string text);

    // ---- What is there

    /// Throws where the parts do not go together: a gap in a chain, types that become one another in a circle, an
    /// upcaster that never runs because its type is renamed; and sql::DefinitionError for SQL that does not
    /// compile. load() and EventStore::open() call it.
    void check() const;

    /// The newest version of `type` that a schema or an upcaster speaks of; empty where none does.
    [[nodiscard]] std::optional<int> newest_version(const std::string& type) const;

    /// The schema of this version; null where there is none.
    [[nodiscard]] const JsonSchema* schema(const std::string& type, int version) const;
    /// All of them.
    [[nodiscard]] const std::map<TypeVersion, JsonSchema>& schemas() const noexcept;

    /// The same registry without its schemas, or without its upcasters and renames.
    [[nodiscard]] EventTypes without_schemas() const;
    [[nodiscard]] EventTypes without_upcasters() const;

    /// Every type and version that a schema or an upcaster speaks of, and where: the file, or "C++".
    struct Known {
        TypeVersion kind;
        std::string schema;    ///< where its schema is; empty: none
        std::string upcaster;  ///< where the upcaster is that begins here; empty: none
    };
    [[nodiscard]] std::vector<Known> known() const;

    /// Of the types as they were renamed: what `type` is called today.
    [[nodiscard]] const std::string& today(const std::string& type) const;

    /// The upcasters and renames, ready to be applied. Compiled at the first call, for all copies of this registry.
    /// Throws what check() throws.
    [[nodiscard]] const Upcasters& upcasters() const;

    /// Of everything that can change what a read gives. The same for the same files.
    [[nodiscard]] std::string fingerprint() const;

private:
    friend class Upcasters;
    struct Parts;
    using One = std::function<std::optional<nlohmann::json>(nlohmann::json&&, const Event&)>;
    using Several = std::function<std::vector<Upcast>(nlohmann::json&&, const Event&)>;

    template <class F>
    static constexpr bool takes_json = std::is_invocable_v<const F&, nlohmann::json> ||
                                       std::is_invocable_v<const F&, nlohmann::json, const Event&>;

    template <class F, class Data>
    static constexpr bool takes_event = std::is_invocable_v<const F&, Data, const Event&>;

    template <class F, class Data>
    static auto call(const F& function, Data&& data, const Event& event) {
        if constexpr (takes_event<F, std::decay_t<Data>>) {
            return function(std::forward<Data>(data), event);
        } else {
            return function(std::forward<Data>(data));
        }
    }

    Parts& changed();
    void read_file(const std::filesystem::path& path);
    void read_renames(const std::string& text, const std::string& file);
    void add_step(TypeVersion from, detail::UpcastStep step);
    EventTypes& rename(std::string type, std::string to, std::string place);
    EventTypes& rename_aggregate(std::string type, std::string to, std::string place);
    EventTypes& add_function(TypeVersion from, TypeVersion into, One function, bool looks_at_event);
    EventTypes& add_functions(TypeVersion from, std::vector<TypeVersion> into, Several function,
                              bool looks_at_event);

    struct Lazy;
    std::shared_ptr<Lazy> lazy_;
    std::shared_ptr<const Parts> parts_;  ///< copies share it until one of them is changed
};

}  // namespace stele
