// Upcasters without a store: chains, splits and drops, renames, what is refused, and what a failure says.
#include <stele/schema/event_types.hpp>
#include <stele/schema/sql/text.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/temporary_folder.hpp>

#include <fstream>
#include <limits>

using namespace stele;
using Catch::Matchers::StartsWith;
using nlohmann::json;

namespace {

Event stored_event(const std::string& type, int version, const std::string& data) {
    Event event{.position = Position{90112}, .version = Version{3}, .stream = StreamId{"acme", "Site", "site-42"}};
    event.type = type;
    event.schema_version = version;
    event.id = EventId::parse("01941f29-7c00-7000-8000-000000000001");
    event.data = JsonText::parse(data);
    event.metadata = JsonText::parse(R"({"actor":"user-7"})");
    event.tags = {"plan:pro"};
    return event;
}

std::vector<Event> upcast(const EventTypes& types, Event event) {
    const Upcasters upcasters{types};
    Upcasters::Worker worker{upcasters};
    std::vector<Event> page;
    std::size_t filled = 0;
    worker.upcast(event, page, filled);
    REQUIRE(page.size() == filled);
    return page;
}

// Type, version and data of each.
std::vector<std::string> brief(const std::vector<Event>& events) {
    std::vector<std::string> all;
    for (const auto& event : events) {
        all.push_back(event.type + " v" + std::to_string(event.schema_version) + " " + event.data.text());
    }
    return all;
}

template <class Work>
std::string message_of(const Work& work) {
    try {
        work();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

json without_change(json data) { return data; }

struct SiteV1 {
    static constexpr auto type = "SiteCreated";
    static constexpr int version = 1;
    std::string domain;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(SiteV1, domain)
};
struct SiteV2 {
    static constexpr auto type = "SiteCreated";
    static constexpr int version = 2;
    std::string host;
    std::string plan;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(SiteV2, host, plan)
};

class Folder {
public:
    Folder& write(const std::string& name, const std::string& text) {
        std::ofstream{folder_ / name} << text;
        return *this;
    }
    [[nodiscard]] EventTypes load() const {
        const test::InFolder here{folder_.path().parent_path()};
        return EventTypes::load(folder_.path().filename());
    }
    [[nodiscard]] std::string name() const { return folder_.path().filename().string(); }

private:
    test::TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("a chain of upcasters brings an event to the newest version and leaves its envelope",
          "[schema][upcast]") {
    EventTypes types;
    types.upcast("SiteCreated", 1, [](json data) {
        data["plan"] = "basic";
        return data;
    });
    types.upcast_sql("SiteCreated", 2, "json_set($data, '$.plan', upper($data(plan)), '$.from', $schema_version)",
                     "b.sql");
    types.upcast("SiteCreated", 3, [](json data, const Event& event) {
        data["by"] = event.metadata.value().at("actor");
        data["was"] = event.schema_version;
        return data;
    });

    const auto event = stored_event("SiteCreated", 1, R"({"domain":"example.org"})");
    const auto made = upcast(types, event);

    REQUIRE(made.size() == 1);
    CHECK(made[0].data.value() ==
          json{{"domain", "example.org"}, {"plan", "BASIC"}, {"from", 2}, {"by", "user-7"}, {"was", 3}});
    auto expected = event;
    expected.schema_version = 4;
    expected.data = made[0].data;
    CHECK(made[0] == expected);
    CHECK(brief(upcast(types, stored_event("SiteCreated", 4, "{}"))) ==
          std::vector<std::string>{"SiteCreated v4 {}"});
    CHECK(brief(upcast(types, stored_event("Other", 1, "[ 1 ]"))) == std::vector<std::string>{"Other v1 [ 1 ]"});
}

TEST_CASE("structs are upcast from one to the next, with what is missing named", "[schema][upcast]") {
    EventTypes types;
    types.upcast<SiteV1, SiteV2>([](const SiteV1& old) { return SiteV2{old.domain, "basic"}; });

    CHECK(brief(upcast(types, stored_event("SiteCreated", 1, R"({"domain":"a.org"})"))) ==
          std::vector<std::string>{R"(SiteCreated v2 {"host":"a.org","plan":"basic"})"});
    const auto message =
        message_of([&] { (void)upcast(types, stored_event("SiteCreated", 1, R"({"domian":1})")); });
    CHECK_THAT(message, StartsWith("C++ upcaster of SiteCreated v1: position 90112, acme:Site/site-42 "
                                   "version 3, SiteCreated v1: "));
    CHECK_THAT(message, ContainsSubstring("domain"));

    EventTypes dropping;
    dropping.upcast<SiteV1, SiteV2>([](const SiteV1& old) {
        return old.domain.empty() ? std::nullopt : std::optional<SiteV2>{{old.domain, "x"}};
    });
    CHECK(upcast(dropping, stored_event("SiteCreated", 1, R"({"domain":""})")).empty());
    EventTypes doubling;
    doubling.upcast<SiteV1, SiteV2>([](const SiteV1& old, const Event&) {
        return std::vector<SiteV2>{{old.domain, "1"}, {old.domain, "2"}};
    });
    CHECK(upcast(doubling, stored_event("SiteCreated", 1, R"({"domain":"a"})")).size() == 2);
}

TEST_CASE("an event that is split keeps its place, and its pieces go on along their own chains",
          "[schema][upcast]") {
    EventTypes types;
    types.upcast_sql("OrderPlaced", 1,
                     "--@ into OrderOpened\n"
                     "json_object('customer', $data(customer))\n"
                     "--@ into ItemAdded version 2\n"
                     "CASE WHEN $data(items[0]) IS NOT NULL THEN json($data(items[0])) END\n"
                     "--@ into OrderPlaced\n"
                     "json_object('n', json_array_length($data(items)))\n",
                     "split.sql");
    types.upcast("ItemAdded", 2, [](json data) { return json{{"sku", std::move(data)}}; });
    types.upcast("OrderPlaced", 2, [](json data) {
        data["done"] = true;
        return data;
    });

    const auto event = stored_event("OrderPlaced", 1, R"({"customer":"c1","items":["\"x\"","\"y\""]})");
    const auto made = upcast(types, event);

    CHECK(brief(made) == std::vector<std::string>{R"(OrderOpened v1 {"customer":"c1"})",
                                                  R"(ItemAdded v3 {"sku":"x"})",
                                                  R"(OrderPlaced v3 {"done":true,"n":2})"});
    for (int i = 0; i < 3; ++i) {
        const auto& piece = made[static_cast<std::size_t>(i)];
        CHECK(piece.piece == i);
        CHECK(piece.pieces == 3);
        CHECK(piece.id == event.id.of_piece(i));
        CHECK(piece.position == event.position);
        CHECK(piece.version == event.version);
        CHECK(piece.metadata == event.metadata);
        CHECK(piece.tags == event.tags);
    }
    CHECK(upcast(types, stored_event("OrderPlaced", 1, R"({"items":[]})")).size() == 2);
    CHECK(Upcasters{types}.most_pieces() == 3);
}

TEST_CASE("what no expression gives anything for is dropped", "[schema][upcast]") {
    EventTypes types;
    types.upcast_sql("A", 1, "CASE WHEN $data(keep) THEN $data END", "a.sql");
    types.upcast_sql("B", 1, "--@ drop\n", "b.sql");
    types.upcast("C", 1, [](json) { return std::optional<json>{}; });
    types.upcast_into({"D", 1}, {}, [](json) { return std::vector<Upcast>{}; });

    CHECK(upcast(types, stored_event("A", 1, R"({"keep":false})")).empty());
    CHECK(upcast(types, stored_event("A", 1, R"({"keep":true})")).size() == 1);
    CHECK(upcast(types, stored_event("B", 1, "{}")).empty());
    CHECK(upcast(types, stored_event("C", 1, "{}")).empty());
    CHECK(upcast(types, stored_event("D", 1, "{}")).empty());
}

TEST_CASE("types and aggregate types are called what they are called today", "[schema][upcast]") {
    EventTypes types;
    types.rename("FileModified", "FileTouched").rename("FileTouched", "FileChanged");
    types.upcast("FileChanged", 1, [](json data) {
        data["v"] = 2;
        return data;
    });
    types.upcast_sql("Old", 1, "--@ into FileModified version 1\n'{}'", "old.sql");
    types.rename_aggregate("Site", "Place").rename_aggregate("Place", "Spot");

    const auto made = upcast(types, stored_event("FileModified", 1, "{}"));
    CHECK(brief(made) == std::vector<std::string>{R"(FileChanged v2 {"v":2})"});
    CHECK(made[0].stream == StreamId{"acme", "Spot", "site-42"});
    CHECK(brief(upcast(types, stored_event("FileTouched", 2, "{}"))) ==
          std::vector<std::string>{"FileChanged v2 {}"});
    CHECK(brief(upcast(types, stored_event("Old", 1, "1"))) ==
          std::vector<std::string>{R"(FileChanged v2 {"v":2})"});

    const Upcasters upcasters{types};
    CHECK(upcasters.sources_of("FileChanged") ==
          std::vector<std::string>{"FileChanged", "FileModified", "FileTouched", "Old"});
    CHECK(upcasters.sources_of("Unheard") == std::vector<std::string>{"Unheard"});
    CHECK(upcasters.aggregate_today("Site") == "Spot");
    CHECK(types.today("FileModified") == "FileChanged");
}

TEST_CASE("an upcaster that fails says where it stands, at which event, and why", "[schema][upcast]") {
    EventTypes types;
    types.upcast_sql("A", 1, "\n json_extract($data(text), '$.x')", "dir/A.v1-v2.sql");
    types.upcast_sql("B", 1, "'no json'", "B.sql");
    types.upcast("C", 1, [](json) -> json { throw std::runtime_error{"no such plan"}; });
    types.upcast("D", 1, [](json) { return json(std::numeric_limits<double>::quiet_NaN()); });
    types.upcast_into({"E", 1}, {{"F", 1}}, [](json) { return std::vector<Upcast>{{{"G", 1}, json{}}}; });
    types.upcast("C0", 1, without_change);

    const auto failure = [&](const std::string& type, const std::string& data) {
        return message_of([&] { (void)upcast(types, stored_event(type, 1, data)); });
    };
    CHECK(failure("A", R"({"text":"{"})") ==
          "dir/A.v1-v2.sql:2: position 90112, acme:Site/site-42 version 3, A v1: malformed JSON");
    CHECK_THAT(failure("B", "{}"),
               StartsWith("B.sql:1: position 90112, acme:Site/site-42 version 3, B v1: the new data:"));
    CHECK(failure("C", "{}") ==
          "C++ upcaster of C v1: position 90112, acme:Site/site-42 version 3, C v1: no such plan");
    CHECK_THAT(failure("D", "{}"), ContainsSubstring("expected finite numbers"));
    CHECK_THAT(failure("E", "{}"), ContainsSubstring("found G v1"));

    // What failed is as it was, and what is before it too.
    const Upcasters upcasters{types};
    Upcasters::Worker worker{upcasters};
    std::vector<Event> page;
    std::size_t filled = 0;
    auto good = stored_event("C0", 1, "[0]");
    worker.upcast(good, page, filled);
    auto bad = stored_event("C", 1, "[1]");
    const auto before = bad;
    CHECK_THROWS_AS(worker.upcast(bad, page, filled), UpcastError);
    CHECK(filled == 1);
    CHECK(bad == before);
    CHECK(page[0].data.text() == "[0]");
}

TEST_CASE("declarations that do not go together are refused with both of their places", "[schema][upcast]") {
    const auto refusal = [](const auto& fill) {
        EventTypes types;
        return message_of([&] {
            fill(types);
            types.check();
        });
    };
    CHECK(refusal([](EventTypes& types) {
              types.upcast_sql("A", 1, "'1'", "one.sql").upcast_sql("A", 1, "'2'", "two.sql");
          }) == "two.sql: expected one upcaster of A v1, found another one in one.sql");
    CHECK(refusal([](EventTypes& types) {
              types.upcast_sql("A", 1, "'1'", "one.sql").upcast_sql("A", 3, "'2'", "three.sql");
          }) == "three.sql: expected an upcaster of A v2 between one.sql and this one, found none");
    CHECK(refusal([](EventTypes& types) {
              types.upcast_sql("A", 1, "--@ into B\n'1'", "ab.sql")
                  .upcast_sql("B", 1, "--@ into A version 1\n'2'", "ba.sql");
              types.upcast("A", 0, without_change);
          }) == "C++: expected a version of A from 1 on, found 0");
    constexpr int greatest = std::numeric_limits<int>::max();
    for (const auto* text : {"'1'", "--@ into A\n'1'", "--@ into B\n'1'", "--@ drop"}) {
        CAPTURE(text);
        CHECK(refusal([&](EventTypes& types) { types.upcast_sql("A", greatest, text, "a.sql"); }) ==
              "a.sql: expected an upcaster of a version that has a next one, found one of A v2147483647, "
              "the greatest there can be");
    }
    CHECK_THAT(refusal([](EventTypes& types) { types.upcast("A", greatest, without_change); }),
               StartsWith("C++: expected an upcaster of a version that has a next one"));
    CHECK_THAT(refusal([](EventTypes& types) {
                   types.upcast_into({"A", greatest}, {{"B", 1}},
                                     [](const nlohmann::json&) { return std::vector<Upcast>{}; });
               }),
               StartsWith("C++: expected an upcaster of a version that has a next one"));
    CHECK(refusal([](EventTypes& types) {
              types.upcast_sql("A", 1, "--@ into B\n'1'", "ab.sql");
              types.upcast_sql("B", 1, "--@ into A version 1\n'2'", "ba.sql");
          }) == "ab.sql: expected upcasters to come to an end, found A v1 made of itself, by way of ba.sql");
    CHECK(refusal([](EventTypes& types) { types.rename("A", "B").rename("B", "C").rename("C", "A"); }) ==
          "C++: expected renames to come to an end, found A renamed to itself, by way of C++");
    CHECK(refusal([](EventTypes& types) { types.rename("A", "B").rename("A", "C"); }) ==
          "C++: expected each name to be renamed once, found A renamed to C, and to B by C++");
    CHECK_THAT(refusal([](EventTypes& types) { types.rename("A", "B").upcast_sql("A", 1, "'1'", "a.sql"); }),
               StartsWith("a.sql: expected an upcaster of a type as it is called today, found one of A, "
                          "which C++ renames to B"));
    CHECK(refusal([](EventTypes& types) { types.upcast_sql("A", 1, "--@ into A version 3\n'1'", "a.sql"); }) ==
          "a.sql: expected A v2 or another type to be made of A v1, found A v3");
    CHECK_THAT(refusal([](EventTypes& types) { types.upcast_sql("A", 1, "\nrandom()", "a.sql"); }),
               StartsWith("a.sql:2: expected a deterministic function"));
    CHECK_THAT(refusal([](EventTypes& types) { types.upcast_sql("A", 1, "(SELECT x FROM t)", "a.sql"); }),
               StartsWith("a.sql:1: "));
    CHECK_THAT(refusal([](EventTypes& types) { types.upcast_sql("A", 1, "$dta", "a.sql"); }),
               StartsWith("a.sql:1: expected a placeholder"));
}

TEST_CASE("a folder of files is a registry, and a name that means nothing is refused", "[schema][upcast]") {
    Folder folder;
    folder.write("SiteCreated.v1-v2.sql", "json_set($data, '$.plan', 'basic') -- all of them were\n")
        .write("order.placed.v2-v3.sql", "--@ drop\n")
        .write("renames.sql", "--@ rename \"Old one\" to SiteCreated\n--@ rename-aggregate Website to Site\n")
        .write("README.md", "anything")
        .write(".hidden.sql", "anything");
    const auto types = folder.load();

    CHECK(brief(upcast(types, stored_event("Old one", 1, "{}"))) ==
          std::vector<std::string>{R"(SiteCreated v2 {"plan":"basic"})"});
    CHECK(types.newest_version("SiteCreated") == 2);
    CHECK(types.newest_version("order.placed") == 2);
    CHECK_FALSE(types.newest_version("Unheard"));

    const auto refusal = [](const std::string& name, const std::string& text) {
        Folder wrong;
        wrong.write(name, text);
        auto message = message_of([&] { (void)wrong.load(); });
        REQUIRE_THAT(message, StartsWith(wrong.name() + "/"));
        return message.substr(wrong.name().size() + 1);
    };
    CHECK(
        refusal("SiteCreated.v1.sql", "1") ==
        "SiteCreated.v1.sql: expected a name such as SiteCreated.v1-v2.sql for an upcaster, or renames.sql, found "
        "SiteCreated.v1.sql");
    CHECK(refusal("SiteCreated.v1-v3.sql", "1") ==
          "SiteCreated.v1-v3.sql: expected an upcaster to the next version, 2, found one to version 3");
    CHECK_THAT(refusal("SiteCreated.v01-v02.sql", "1"), ContainsSubstring("expected a name such as"));
    CHECK(refusal("renames.sql", "--@ rename A B\n") ==
          "renames.sql:1: expected `rename OLD to NEW`, found 2 words");
    CHECK(refusal("A.v1-v2.sql", "--@ into B versoin 2\n1") ==
          "A.v1-v2.sql:1: expected version and a number behind the type, found \"versoin\"");
    CHECK(refusal("A.v1-v2.sql", "--@ into B\n--@ drop\n") ==
          "A.v1-v2.sql:1: expected an SQL expression behind it, found nothing; it gives the new data as JSON");
    CHECK_THAT(refusal("A.v1-v2.sql", "'a' 'b'"), StartsWith("A.v1-v2.sql:1: "));
    CHECK_THROWS_AS(EventTypes::load("no such folder"), sql::DefinitionError);
}

TEST_CASE("every mistake of a folder is told to who asks for all", "[schema][upcast]") {
    const test::TemporaryFolder folder;
    std::ofstream{folder / "A.v1-v2.sql"} << "random()";
    std::ofstream{folder / "B.v1-v9.sql"} << "1";
    std::ofstream{folder / "C.v1-v2.sql"} << "'[1]'";
    std::ofstream{folder / "wrong.json"} << "{}";
    std::vector<std::string> mistakes;
    const auto types =
        EventTypes::load(folder.path(), [&](const Error& error) { mistakes.emplace_back(error.what()); });

    CHECK(mistakes.size() == 3);
    CHECK(types.newest_version("C") == 2);
}

TEST_CASE("a fingerprint differs where what is read may differ and nowhere else", "[schema][upcast]") {
    const auto sql = [](const std::string& text) {
        EventTypes types;
        types.upcast_sql("A", 1, text, "a.sql").upcast_sql("B", 1, "--@ into C\n'1'", "b.sql");
        return Upcasters{types};
    };
    const auto one = sql("'1'");
    CHECK(one.fingerprint() == sql("'1'").fingerprint());
    CHECK(one.fingerprint() != sql("'2'").fingerprint());
    CHECK(one.fingerprint({"C"}) == sql("'2'").fingerprint({"C"}));
    CHECK(one.fingerprint({"C"}) == one.fingerprint({"B", "C"}));
    CHECK(one.fingerprint({"A"}) != sql("'2'").fingerprint({"A"}));
    CHECK(one.fingerprint({"Unheard"}).empty());
    CHECK(Upcasters{EventTypes{}}.fingerprint().empty());

    EventTypes first;
    first.upcast("A", 1, without_change);
    auto second = first;
    second.revision("2");
    CHECK(first.fingerprint() != second.fingerprint());
}
