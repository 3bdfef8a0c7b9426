// Does not compile, and is not meant to: check_messages.cmake looks whether the compiler says what is missing.
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
