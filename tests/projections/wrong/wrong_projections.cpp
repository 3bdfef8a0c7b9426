// Does not compile, and is not meant to: check_messages.cmake looks whether the compiler says what is missing.
// says: a projection that lists this event in `events` needs an overload for exactly this event
// says: OnlyByConversion
// says: a projection needs a name
// says: a projection needs a version
// says: a projection needs to make its tables: void setup(stele::Model&)
// says: a projection needs handlers: void on(const stele::Event&, stele::Model&)
// says: a typed event needs the name of its type
// says: a typed event needs the version of its schema
// says: a typed event needs a default constructor and a conversion from nlohmann::json
// says: a keyed projection that lists this event in `events` needs an overload for exactly this event
// says: key takes a const stele::Event& and returns a text or an integer
// says: a keyed projection needs a fold: State fold(State, const stele::Event&)
// says: a keyed projection with a table of its own needs all of setup(stele::Model&)
// says: the State of a keyed projection needs a default constructor and conversions
// says: have the same type and version
#include <stele/projections/cpp_projection.hpp>

namespace {

using namespace stele;

struct SiteCreated {
    static constexpr auto type = "SiteCreated";
    static constexpr int version = 1;
    std::string domain;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(SiteCreated, domain)
};
// A handler of this one would take SiteCreated as well, by a conversion.
struct AnySite {
    static constexpr auto type = "AnySite";
    static constexpr int version = 1;
    AnySite() = default;
    AnySite(const SiteCreated&) {}  // NOLINT
};

struct Base {
    static constexpr auto name = "base";
    static constexpr int version = 1;
    void setup(Model&) {}
};

struct OnlyByConversion : Base {
    using events = Events<AnySite, SiteCreated>;
    void on(const AnySite&, const Envelope&, Model&) {}
};

struct WithoutName {
    static constexpr int version = 1;
    void setup(Model&) {}
    void on(const Event&, Model&) {}
};
struct WithoutVersion {
    static constexpr auto name = "without_version";
    void setup(Model&) {}
    void on(const Event&, Model&) {}
};
struct WithoutSetup {
    static constexpr auto name = "without_setup";
    static constexpr int version = 1;
    void on(const Event&, Model&) {}
};
struct WithoutHandlers : Base {};

template <class E>
struct Of : Base {
    using events = Events<E>;
    void on(const E&, const Envelope&, Model&) {}
};
struct EventWithoutType {
    static constexpr int version = 1;
};
struct EventWithoutVersion {
    static constexpr auto type = "EventWithoutVersion";
};
struct EventWithoutConversion {
    static constexpr auto type = "EventWithoutConversion";
    static constexpr int version = 1;
    int amount = 0;
};

struct SiteCreatedAgain : SiteCreated {};
struct SameTwice : Base {
    using events = Events<SiteCreated, SiteCreatedAgain>;
    void on(const SiteCreated&, const Envelope&, Model&) {}
    void on(const SiteCreatedAgain&, const Envelope&, Model&) {}
};

struct KeyedBase {
    static constexpr auto name = "keyed_base";
    static constexpr int version = 1;
};
struct KeyedByConversion : KeyedBase {
    using State = int;
    using events = Events<AnySite, SiteCreated>;
    State fold(State, const AnySite&, const Envelope&);
};
struct KeyedWithWrongKey : KeyedBase {
    using State = int;
    std::string key(const SiteCreated&);
    State fold(State, const Event&);
};
struct KeyedWithoutFold : KeyedBase {
    using State = int;
};
struct KeyedWithHalfATable : KeyedBase {
    using State = int;
    State fold(State, const Event&);
    void save(const std::string&, int, Model&);
};
struct KeyedWithoutConversions : KeyedBase {
    using State = EventWithoutConversion;
    State fold(State, const Event&);
};

}  // namespace

int main() {
    (void)projection<KeyedByConversion>();
    (void)projection<KeyedWithWrongKey>();
    (void)projection<KeyedWithoutFold>();
    (void)projection<KeyedWithHalfATable>();
    (void)projection<KeyedWithoutConversions>();
    (void)projection<OnlyByConversion>();
    (void)projection<WithoutName>();
    (void)projection<WithoutVersion>();
    (void)projection<WithoutSetup>();
    (void)projection<WithoutHandlers>();
    (void)projection<Of<EventWithoutType>>();
    (void)projection<Of<EventWithoutVersion>>();
    (void)projection<Of<EventWithoutConversion>>();
    (void)projection<SameTwice>();
}
