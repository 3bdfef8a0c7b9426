#include <stele/replay/aggregate_file.hpp>
#include <stele/replay/aggregate_registry.hpp>
#include <stele/schema/sql/text.hpp>
#include <stele/test/temporary_folder.hpp>

#include "history.hpp"

#include <fstream>
#include <thread>

using nlohmann::json;
using namespace stele;
using test::history;
using test::state_after;

namespace {

const StreamId site{"Site", "site-42"};

constexpr const char* site_sql = R"(-- How a site comes to be what it is.
--@ aggregate Site version 3

--@ on SiteCreated
json_object('status', 'creating', 'domain', $data(domain))

--@ on SiteProvisioned, SiteResumed
json_set($state, '$.status', 'active')

--@ on SiteClosed
'null'
)";

AggregateFile parse(const std::string& text) { return AggregateFile::parse(text, "aggregates/Site.sql"); }

// An aggregate whose only section behind the heading is `section`.
AggregateFile with(const std::string& section) { return parse("--@ aggregate Site version 1\n" + section); }

JsonText text_after(const Aggregate& aggregate, const std::vector<Event>& events) {
    const auto folding = aggregate.begin();
    for (const Event& event : events) folding->apply(event);
    return folding->state();
}

// What the definition is refused with.
std::string mistake(const std::string& text) {
    try {
        (void)parse(text);
    } catch (const sql::DefinitionError& error) {
        return error.what();
    }
    return "no mistake";
}

// What applying one event with this data says, by an aggregate that takes any event by `expression`.
std::string failure(const std::string& expression, const json& data = json::object()) {
    const auto aggregate = with("--@ on *\n" + expression + "\n");
    try {
        (void)state_after(aggregate, history(site, {{"Changed", data}}));
    } catch (const ReplayError& error) {
        return error.what();
    }
    return "no failure";
}

void write(const std::filesystem::path& path, const std::string& text) { std::ofstream{path} << text; }

}  // namespace

TEST_CASE("an aggregate file says whose it is and how its events fold", "[replay][aggregate]") {
    const auto aggregate = parse(site_sql);
    CHECK(aggregate.aggregate_type() == "Site");
    CHECK(aggregate.version() == 3);
    CHECK(aggregate.file() == "aggregates/Site.sql");

    const auto created = history(site, {{"SiteCreated", {{"domain", "example.org"}}}, {"SiteProvisioned", {}}});
    CHECK(text_after(aggregate, created).text() == R"({"status":"active","domain":"example.org"})");
}

TEST_CASE("a section may name several types, and an event of no named type leaves the state",
          "[replay][aggregate]") {
    const auto aggregate = parse(site_sql);
    CHECK(state_after(aggregate, history(site, {{"SiteResumed", {}}})) == json{{"status", "active"}});
    CHECK(state_after(aggregate, history(site, {{"SiteResumed", {}}, {"BackupFailed", {}}})) ==
          json{{"status", "active"}});
}

TEST_CASE("all sections that take an event change the state, in the order of the file", "[replay][aggregate]") {
    const auto aggregate = with(R"(--@ on *
json_set($state, '$.before', coalesce($state ->> '$.sum', 0))
--@ on Added, Doubled
json_set($state, '$.sum', $state ->> '$.before' + $data(by))
--@ on Doubled
json_set($state, '$.sum', $state ->> '$.sum' * 2)
--@ on *
json_set($state, '$.last', $type)
)");
    CHECK(state_after(aggregate, history(site, {{"Other", {}}})) == json{{"before", 0}, {"last", "Other"}});
    CHECK(state_after(aggregate, history(site, {{"Added", {{"by", 3}}}, {"Doubled", {{"by", 4}}}})) ==
          json{{"before", 3}, {"sum", 14}, {"last", "Doubled"}});
}

TEST_CASE("an event whose second section fails changes nothing", "[replay][aggregate]") {
    const auto aggregate = with("--@ on *\njson_set($state, '$.seen', 1)\n--@ on Bad\nNULL\n");
    const auto events = history(site, {{"Bad", {}}, {"Good", {}}});
    const auto folding = aggregate.begin();
    CHECK_THROWS_AS(folding->apply(events[0]), ReplayError);
    CHECK(folding->state() == JsonText{});
    folding->apply(events[1]);
    CHECK(folding->state().text() == R"({"seen":1})");
}

TEST_CASE("the state before the first event is what `initial` gives, else an empty object", "[replay][aggregate]") {
    CHECK(parse(site_sql).begin()->state() == JsonText{});
    CHECK(with("--@ initial\njson_object('lines', json_array())\n").begin()->state().text() == R"({"lines":[]})");
    CHECK(state_after(with("--@ initial\n0\n--@ on *\n$state + $data(by)\n"),
                      history(site, {{"Counted", {{"by", 2}}}, {"Counted", {{"by", 5}}}})) == 7);
}

TEST_CASE("an expression sees every part of the event", "[replay][aggregate]") {
    const auto aggregate = with(R"(--@ on *
json_array($position, $version, $tenant, $aggregate_type, $aggregate_id, $type, $recorded_at, json($data),
           $metadata(actor), json($tags), json($state)))");
    auto events = history({"acme", "Site", "a/b"}, {{"SiteCreated", {{"n", 1}}}});
    events[0].metadata = json{{"actor", "user-7"}};
    events[0].tags = {"plan:pro"};
    CHECK(
        text_after(aggregate, events).text() ==
        R"([11,1,"acme","Site","a/b","SiteCreated","2026-01-05T10:00:00.000000Z",{"n":1},"user-7",["plan:pro"],{}])");
}

TEST_CASE("an expression may aggregate over the elements of the state", "[replay][aggregate]") {
    const auto aggregate = with(R"(--@ on LineAdded
json_set($state, '$.lines[#]', json($data))
--@ on LinesCounted
json_set($state, '$.total', (SELECT sum(value ->> 'price') FROM json_each($state, '$.lines')))
--@ initial
'{"lines":[]}'
)");
    CHECK(state_after(
              aggregate,
              history(site, {{"LineAdded", {{"price", 2}}}, {"LineAdded", {{"price", 40}}}, {"LinesCounted", {}}}))
              .at("total") == 42);
}

TEST_CASE("a state goes on from where it was", "[replay][aggregate]") {
    const auto aggregate = parse(site_sql);
    const auto folding = aggregate.begin();
    folding->resume(JsonText::parse(R"({"domain": "example.org"})"));
    CHECK(folding->state().text() == R"({"domain": "example.org"})");
    folding->apply(history(site, {{"SiteProvisioned", {}}}).front());
    CHECK(folding->state().text() == R"({"domain":"example.org","status":"active"})");
}

TEST_CASE("what is no state is refused with the expression, the event and the reason", "[replay][aggregate]") {
    CHECK_THAT(failure("$data(nothing)"),
               ContainsSubstring("aggregates/Site.sql:3: Site/site-42: version 1, position 11, Changed v1: ") &&
                   ContainsSubstring("found NULL"));
    CHECK_THAT(failure("$data(word)", {{"word", "hello"}}), ContainsSubstring("the new state: expected"));
    CHECK_THAT(failure("x'00'"), ContainsSubstring("found a blob"));
    CHECK_THAT(failure("json($data(word))", {{"word", "{"}}), ContainsSubstring("malformed JSON"));
    CHECK_THAT(failure("9e999"), ContainsSubstring("the new state: expected"));
    CHECK_THAT(failure("CAST(x'22ff22' AS TEXT)"), ContainsSubstring("the new state: expected"));
}

TEST_CASE("a failure is also there as fields", "[replay][aggregate]") {
    const auto aggregate = with("--@ on *\nNULL\n");
    const auto events = history(site, {{"Changed", {}}});
    const auto folding = aggregate.begin();
    try {
        folding->apply(events[0]);
        FAIL("NULL is no state");
    } catch (const ReplayError& error) {
        CHECK(error.code() == "replay_failed");
        CHECK(error.facts().at("source") == "aggregates/Site.sql:3");
        CHECK(error.facts().at("stream") == "Site/site-42");
        CHECK(error.facts().at("version") == 1);
        CHECK(error.facts().at("position") == 11);
        CHECK(error.facts().at("type") == "Changed");
    }
}

TEST_CASE("after a failure the state is as before and the fold can go on", "[replay][aggregate]") {
    const auto aggregate = with("--@ on *\njson_set($state, '$.n', json($data(n)))\n");
    const auto events = history(site, {{"Set", {{"n", "1"}}}, {"Set", {{"n", "{"}}}, {"Set", {{"n", "3"}}}});
    const auto folding = aggregate.begin();
    folding->apply(events[0]);
    CHECK_THROWS_AS(folding->apply(events[1]), ReplayError);
    CHECK(folding->state().text() == R"({"n":1})");
    folding->apply(events[2]);
    CHECK(folding->state().text() == R"({"n":3})");
}

TEST_CASE("a mistake in the file shows when it is loaded, with its line", "[replay][aggregate]") {
    const std::string head = "--@ aggregate Site version 1\n";
    CHECK_THAT(mistake("--@ projection Site version 1\n"), ContainsSubstring("aggregates/Site.sql:1: "));
    CHECK_THAT(mistake(head + "--@ create\nCREATE TABLE t (x);\n"),
               ContainsSubstring("aggregates/Site.sql:2: expected `on` or `initial`"));
    CHECK_THAT(mistake(head + "--@ on A, A\n1\n"), ContainsSubstring("aggregates/Site.sql:2: "));
    CHECK_THAT(mistake(head + "--@ initial\n1\n--@ initial\n2\n"), ContainsSubstring("aggregates/Site.sql:4: "));
    CHECK_THAT(mistake(head + "--@ initial now\n1\n"), ContainsSubstring("aggregates/Site.sql:2: "));
    CHECK_THAT(mistake(head + "--@ on A\n-- nothing\n"), ContainsSubstring("aggregates/Site.sql:2: "));
    CHECK_THAT(mistake(head + "--@ on A\n\njson_object('a' 1)\n"), ContainsSubstring("aggregates/Site.sql:4: "));
    CHECK_THAT(mistake(head + "--@ on A\n$nonsense\n"), ContainsSubstring("aggregates/Site.sql:3: "));
    CHECK_THAT(mistake(head + "--@ on A\n(SELECT 1 FROM events)\n"), ContainsSubstring("aggregates/Site.sql:3: "));
    CHECK_THAT(mistake(head + "--@ on A\nrandom()\n"), ContainsSubstring("aggregates/Site.sql:3: "));
    CHECK_THAT(mistake(head + "--@ initial\n$data(a)\n"), ContainsSubstring("aggregates/Site.sql:3: "));
    CHECK_THAT(mistake(head + "--@ initial\n$state\n"), ContainsSubstring("aggregates/Site.sql:3: "));
    CHECK_THAT(mistake(head + "--@ initial\nNULL\n"), ContainsSubstring("aggregates/Site.sql:3: expected a state"));
    CHECK_THAT(mistake(head + "--@ initial\n'{'\n"), ContainsSubstring("aggregates/Site.sql:3: expected a state"));
}

TEST_CASE("one aggregate serves folds on several threads", "[replay][aggregate]") {
    const auto aggregate = with("--@ initial\n0\n--@ on *\n$state + $data(by)\n");
    const auto events = history(site, std::vector<test::Happening>(200, {"Counted", {{"by", 3}}}));
    std::vector<json> results(4);
    std::vector<std::thread> threads;
    for (auto& result : results) threads.emplace_back([&] { result = state_after(aggregate, events); });
    for (auto& thread : threads) thread.join();
    for (const auto& result : results) CHECK(result == 600);
}

TEST_CASE("a fold by a file goes on when the object that began it is gone", "[replay][aggregate]") {
    std::unique_ptr<Folding> folding;
    {
        const auto copy = parse(site_sql);
        folding = copy.begin();
    }
    folding->apply(history(site, {{"SiteClosed", {}}}).front());
    CHECK(folding->state().text() == "null");
}

TEST_CASE("a registry knows the files of a folder by the type that stands in them", "[replay][registry]") {
    test::TemporaryFolder folder;
    write(folder / "Site.sql", site_sql);
    write(folder / "something.sql", "--@ aggregate Account version 1\n--@ on *\n'{}'\n");
    write(folder / "README", "not an aggregate");
    std::filesystem::create_directory(folder / "below.sql");

    const auto registry = AggregateRegistry::load(folder.path());
    CHECK(registry.aggregate_types() == std::vector<std::string>{"Account", "Site"});
    CHECK(registry.of("Site").aggregate_type() == "Site");
    CHECK(&registry.of("Order") == &merge_patch());
    CHECK(&registry.of("site") == &merge_patch());
}

TEST_CASE("two files for one type are refused, naming both", "[replay][registry]") {
    test::TemporaryFolder folder;
    write(folder / "a.sql", site_sql);
    write(folder / "b.sql", site_sql);
    CHECK_THROWS_WITH(AggregateRegistry::load(folder.path()),
                      ContainsSubstring("b.sql: expected") && ContainsSubstring("a.sql speaks for"));
}

TEST_CASE("a registry refuses a folder that is not there, and a type twice", "[replay][registry]") {
    CHECK_THROWS_AS(AggregateRegistry::load("no-such-folder"), NotFound);
    AggregateRegistry registry;
    registry.add(std::make_shared<AggregateFile>(parse(site_sql)));
    CHECK_THROWS_AS(registry.add(std::make_shared<AggregateFile>(parse(site_sql))), InvalidInput);
}
