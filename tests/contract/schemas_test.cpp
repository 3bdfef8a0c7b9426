// Schemas that a store keeps: every append of every handle is checked by them, from the moment that they are
// recorded.
#include "contract.hpp"
#include "sqlite_backend.hpp"

#include <stele/schema/event_types.hpp>

#include <atomic>
#include <thread>

using namespace stele;
using nlohmann::json;
using test::Contract;

namespace {

const StreamId site{"Site", "site-42"};

JsonSchema schema(const std::string& text, const std::string& file = {}) {
    return JsonSchema::compile(JsonText::parse(text), file);
}

constexpr auto domain_is_text =
    R"({"type":"object","properties":{"domain":{"type":"string"}},"required":["domain"]})";

EventTypes declared() {
    EventTypes types;
    types.add("SiteCreated", 1, schema(domain_is_text));
    return types;
}

Options with(EventTypes types, bool record = true) {
    Options options;
    options.event_types = std::make_shared<const EventTypes>(std::move(types));
    options.record_schemas = record;
    return options;
}

SchemaViolationError::Details violation(const std::function<void()>& append) {
    try {
        append();
    } catch (const SchemaViolationError& error) {
        CHECK(error.code() == "schema_violation");
        return error.details();
    }
    FAIL("expected a violation");
    return {};
}

NewEvent good() { return event("SiteCreated", {{"domain", "example.org"}}); }
NewEvent bad() { return event("SiteCreated", {{"domain", 42}}); }

}  // namespace

TEST_CASE_METHOD(Contract, "an event that breaks its schema is refused, with the place, and nothing is written",
                 "[contract][schema]") {
    auto store = open(with(declared()));
    const auto rows = backend().rows();

    const auto details = violation([&] { store.append(site, expect::any, {good(), bad()}); });
    CHECK(details.stream == "Site/site-42");
    CHECK(details.type == "SiteCreated");
    CHECK(details.version == 1);
    CHECK(details.pointer == "/domain");
    CHECK_THAT(details.expected, ContainsSubstring("string"));
    CHECK(details.found == "42");
    CHECK_THROWS_AS(store.append(Append{}.to(site, expect::any, {bad()})), SchemaViolationError);
    CHECK_THROWS_AS(store.append_async(Append{}.to(site, expect::any, {bad()})).get(), SchemaViolationError);
    CHECK_THROWS_AS(store.check(site, bad()), SchemaViolationError);
    CHECK(backend().rows() == rows);

    // Other types are nobody's business.
    store.append(site, expect::any, {good(), event("Other", 42), event("Other", 42).schema(2)});
    CHECK(store.append_async(Append{}.to(site, expect::any, {good()})).get().index() == 0);
    CHECK(store.head() == Position{4});
}

TEST_CASE_METHOD(Contract, "what one handle records, appends of every other are checked by", "[contract][schema]") {
    auto before = open();
    before.append(site, expect::any, {bad()});
    auto async = open();
    (void)async.append_async(Append{}.to(site, expect::any, {bad()})).get();

    auto other = open();
    const auto recorded = other.record_schemas(declared());
    REQUIRE(recorded.size() == 1);
    CHECK(recorded[0].type == "SiteCreated");
    CHECK(other.record_schemas(declared()).empty());

    CHECK_THROWS_AS(before.append(site, expect::any, {bad()}), SchemaViolationError);
    CHECK_THROWS_AS(async.append_async(Append{}.to(site, expect::any, {bad()})).get(), SchemaViolationError);
    CHECK(before.append(site, expect::any, {good()}).last_position == Position{3});
    const auto listed = open().schemas();
    REQUIRE(listed.size() == 1);
    CHECK(listed[0].document.text() == domain_is_text);
    CHECK(listed[0].fingerprint == schema(domain_is_text).fingerprint());
    CHECK(listed[0].since > Timestamp{});
}

TEST_CASE_METHOD(Contract, "a schema under an old version is refused where it was changed", "[contract][schema]") {
    { auto store = open(with(declared())); }
    EventTypes other;
    other.add("SiteCreated", 1, schema(R"({"type":"object"})", "schemas/SiteCreated.v1.json"))
        .add("New", 1, schema("true"));

    for (const bool record : {true, false}) {
        try {
            (void)open(with(other, record));
            FAIL("expected an error");
        } catch (const SchemaChanged& error) {
            CHECK(error.code() == "schema_changed");
            CHECK(error.type() == "SiteCreated");
            CHECK(error.version() == 1);
            CHECK_THAT(error.what(), ContainsSubstring("schemas/SiteCreated.v1.json: SiteCreated v1: expected"));
        }
    }
    auto store = open();
    CHECK_THROWS_AS(store.record_schemas(other), SchemaChanged);
    CHECK(store.schemas().size() == 1);

    EventTypes same;
    same.add("SiteCreated", 1, schema(std::string(" ") + domain_is_text)).add("SiteCreated", 2, schema("true"));
    CHECK(open(with(same, false)).schemas().size() == 1);
    CHECK(open(with(same)).schemas().size() == 2);
}

TEST_CASE_METHOD(Contract, "the mode says what is checked, for every handle", "[contract][schema]") {
    auto store = open(with(declared()));
    auto other = open();
    CHECK(store.schema_mode() == SchemaMode::declared);

    other.set_schema_mode(SchemaMode::off);
    CHECK(store.schema_mode() == SchemaMode::off);
    store.append(site, expect::any, {bad()});

    other.set_schema_mode(SchemaMode::strict);
    CHECK_THROWS_AS(store.append(site, expect::any, {bad()}), SchemaViolationError);
    const auto unknown = violation([&] { store.append(site, expect::any, {event("Other")}); });
    CHECK(unknown.type == "Other");
    CHECK(unknown.found == "none of this type");
    CHECK(violation([&] { store.append(site, expect::any, {event("SiteCreated").schema(2)}); }).found ==
          "versions 1");
    store.append(site, expect::any, {good()});

    auto empty = EventStore::temporary();
    empty.set_schema_mode(SchemaMode::strict);
    CHECK_THROWS_AS(empty.append(site, expect::any, {good()}), SchemaViolationError);
    CHECK(parse_schema_mode("strict") == SchemaMode::strict);
    CHECK_THROWS_AS(parse_schema_mode("Strict"), InvalidInput);
}

TEST_CASE_METHOD(Contract, "a version that no schema has looked at is refused, unless it is older than all of them",
                 "[contract][schema]") {
    EventTypes second;
    second.add("Login", 2, schema(R"({"properties":{"password":{"x-stele":"forbidden"}}})"));
    auto store = open(with(second));
    const nlohmann::json secret{{"password", "hunter2"}};

    CHECK(violation([&] { store.append(site, expect::any, {event("Login", secret).schema(2)}); }).version == 2);
    CHECK(violation([&] { store.append(site, expect::any, {event("Login", secret).schema(3)}); }).found ==
          "versions 2");
    store.append(site, expect::any, {event("Login").schema(1)});  // as it was before there were schemas
    CHECK(store.head() == Position{1});
}

TEST_CASE_METHOD(Contract, "a name of before is checked like the name of today, where the program knows of it",
                 "[contract][schema]") {
    const nlohmann::json secret{{"password", "hunter2"}};
    const nlohmann::json harmless{{"user", "ann"}};
    const auto forbidding = schema(R"({"properties":{"password":{"x-stele":"forbidden"}}})");
    const auto refused = [&](EventStore& store, const char* type, const json& data, int version) {
        return violation([&] { store.append(site, expect::any, {event(type, data).schema(version)}); });
    };
    const auto taken = [&](EventStore& store, const char* type, const json& data, int version) {
        store.append(site, expect::any, {event(type, data).schema(version)});
    };

    SECTION("by the schema of the same version under the name of today") {
        EventTypes types;
        types.add("Login", 2, forbidding).rename("Signon", "SignIn").rename("SignIn", "Login");
        auto store = open(with(types));
        for (const auto* const name : {"Login", "SignIn", "Signon"}) {
            CAPTURE(name);
            const auto details = refused(store, name, secret, 2);
            CHECK(details.type == name);
            CHECK(details.pointer == "/password");
            CHECK_THAT(details.found, !ContainsSubstring("hunter2"));
            taken(store, name, harmless, 2);
            CHECK_THAT(refused(store, name, harmless, 3).found, ContainsSubstring("versions 2"));
            taken(store, name, secret, 1);  // as it was before there were schemas
        }
        CHECK(refused(store, "SignIn", harmless, 3).found == "versions 2 of Login");
        store.set_schema_mode(SchemaMode::strict);
        taken(store, "SignIn", harmless, 2);
        CHECK(refused(store, "SignIn", harmless, 1).version == 1);
    }
    SECTION("by its own schema, where one was recorded under it; and the name of today by that") {
        {
            EventTypes before;
            before.add("SignIn", 1, forbidding).add("SignIn", 2, schema(R"({"required":["user"]})"));
            (void)open(with(before));
        }
        EventTypes types;
        types.add("Login", 2, forbidding).rename("SignIn", "Login");
        auto store = open(with(types));
        CHECK(refused(store, "SignIn", secret, 2).pointer.empty());  // no user
        CHECK(refused(store, "Login", secret, 2).pointer == "/password");
        CHECK(refused(store, "Login", secret, 1).pointer == "/password");
        taken(store, "SignIn", harmless, 1);
        CHECK(refused(store, "SignIn", harmless, 3).found == "versions 1, 2 of Login");
    }
    SECTION("not where the program knows nothing of the rename") {
        EventTypes types;
        types.add("Login", 1, forbidding).rename("SignIn", "Login");
        (void)open(with(types));
        auto store = open();
        taken(store, "SignIn", secret, 1);
        store.set_schema_mode(SchemaMode::strict);
        CHECK(refused(store, "SignIn", secret, 1).found == "none of this type");
    }
}

TEST_CASE_METHOD(Contract, "a repetition gets its first answer, whatever has been recorded since",
                 "[contract][schema]") {
    const auto once = bad();
    auto store = open();
    const auto first = store.append(site, expect::any, {once});
    store.record_schemas(declared());

    auto again = store.append(site, expect::any, {once});
    CHECK(again.duplicate);
    CHECK(again.last_position == first.last_position);
    auto other = open(with(declared()));
    CHECK(other.append(site, expect::none, {once}).duplicate);
    CHECK(other.append_async(Append{}.to(site, expect::any, {once})).get().index() == 0);
}

TEST_CASE_METHOD(Contract, "the value of a forbidden field is in no message", "[contract][schema]") {
    EventTypes types;
    types.add("UserAdded", 1, schema(R"({"properties":{"password":{"x-stele":"forbidden"}}})"));
    auto store = open(with(types));
    try {
        store.append(site, expect::any, {event("UserAdded", {{"name", "ann"}, {"password", "hunter2"}})});
        FAIL("expected an error");
    } catch (const SchemaViolationError& error) {
        CHECK(error.details().pointer == "/password");
        CHECK_THAT(error.what(), !ContainsSubstring("hunter2"));
        CHECK_THAT(error.facts().dump(), !ContainsSubstring("hunter2"));
    }
}

TEST_CASE_METHOD(Contract, "events that were checked before are not checked again, unless the schemas changed",
                 "[contract][schema]") {
    auto store = open(with(declared()));
    const auto checked = store.check(site, good());
    // A claim that is not true shows that nobody looks.
    store.append(Append{}.to(site, expect::any, {event("SiteCreated", 1)}).checked(checked));
    open().set_schema_mode(SchemaMode::strict);
    CHECK_THROWS_AS(store.append(Append{}.to(site, expect::any, {event("SiteCreated", 2)}).checked(checked)),
                    SchemaViolationError);
    CHECK_THROWS_AS(store.append(Append{}.to(site, expect::any, {event("SiteCreated", 3)}).checked({})),
                    SchemaViolationError);
}

// Goal:   once record_schemas() has returned, no append of any handle commits an event that breaks them.
// Method: threads append bad events over handles of their own while one records; the position of the head after the
//         recording bounds every success.
TEST_CASE_METHOD(Contract, "no append slips past a schema that is recorded beside it", "[contract][schema][race]") {
    auto store = open();
    std::atomic<bool> done{false};
    std::vector<std::thread> writers;
    std::atomic<int> refused{0};
    std::atomic<int> appended{0};
    for (int i = 0; i < 4; ++i) {
        writers.emplace_back([&, i] {
            auto mine = open();
            const StreamId own{"Site", std::to_string(i)};
            for (int after = 0; after < 20;) {
                try {
                    mine.append(own, expect::any, {event("SiteCreated", {{"domain", i}})});
                    ++appended;
                } catch (const SchemaViolationError&) {
                    ++refused;
                    ++after;
                }
                if (done) ++after;
            }
        });
    }
    while (appended < 50) std::this_thread::yield();
    store.record_schemas(declared());
    const auto head = store.head();
    done = true;
    for (auto& writer : writers) writer.join();
    CHECK(open().head() == head);
    CHECK(refused > 0);
}

// ---- The file

TEST_CASE("a store without schemas keeps format 1, and the first one makes it format 2",
          "[contract][sqlite][schema]") {
    test::SqliteBackend backend;
    const auto format = [&] { return backend.execute("PRAGMA user_version").front(); };
    auto store = EventStore::open(backend.address());
    store.append(site, expect::any, {good()});
    CHECK(format() == "1");
    CHECK(store.info().format == 1);

    Options compare;
    compare.event_types = std::make_shared<const EventTypes>(declared());
    compare.record_schemas = false;
    (void)EventStore::open(backend.address(), compare);
    CHECK(format() == "1");

    store.record_schemas(declared());
    CHECK(format() == "2");
    CHECK(store.info().format == 2);
    store.append(site, expect::any, {good()});
    CHECK(EventStore::open(backend.address()).head() == Position{2});
    CHECK(backend.damage().empty());

    for (const auto* refused :
         {"UPDATE schemas SET document = '{}'", "DELETE FROM schemas", "DELETE FROM schema_settings",
          "INSERT OR REPLACE INTO schemas SELECT type, version, '{}', fingerprint, since FROM schemas"}) {
        CHECK_THROWS_WITH(backend.execute(refused), ContainsSubstring("stele: "));
    }
}
