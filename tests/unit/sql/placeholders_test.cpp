// Placeholders take their values from the event, in the types that the header promises.
#include "database.hpp"

#include <stele/schema/sql/compiler.hpp>
#include <stele/schema/sql/event_binder.hpp>
#include <stele/test/catch.hpp>

#include <map>

namespace stele {
namespace {

using sql::DefinitionError;

// What `SELECT <columns>` gives for an event, its columns as SQL literals.
std::string select(const std::string& columns, const Event& event) {
    const auto db = test::memory_database();
    sql::Compiler compiler{db.get(), sql::Compiler::Kind::deterministic};
    sql::EventBinder binder;
    auto statement = compiler.statement({"SELECT " + columns, "test.sql", 1}, sql::Allow::handler);
    const auto plan = binder.plan(statement);
    binder.take(event);
    binder.bind(plan, statement);
    return test::quoted(db.get(), statement);
}

std::string select_from(const std::string& columns, std::string data) {
    return select(columns, test::event_with(std::move(data)));
}

DefinitionError error_of(const std::string& statement_text) {
    const auto db = test::memory_database();
    sql::Compiler compiler{db.get(), sql::Compiler::Kind::deterministic};
    auto statement = compiler.statement({statement_text, "test.sql", 10}, sql::Allow::handler);
    try {
        (void)sql::EventBinder{}.plan(statement);
    } catch (const DefinitionError& error) {
        return error;
    }
    throw std::logic_error("no error for " + statement_text);
}

TEST_CASE("every field of the envelope has a placeholder", "[sql][placeholders]") {
    const auto event = test::event_with(R"({"a": 1 })", R"({"actor":"user-7"})");
    CHECK(select("$position, $version, $schema_version", event) == "7 3 2");
    CHECK(select("$stream, $tenant, $aggregate_type, $aggregate_id", event) ==
          "'acme:Site/site/42' 'acme' 'Site' 'site/42'");
    CHECK(select("$type, $event_id", event) == "'SiteCreated' '01936e1a-7c3f-7a1b-8c2d-0123456789ab'");
    CHECK(select("$occurred_at, $recorded_at", event) ==
          "'2026-01-05T10:00:00.500000Z' '2026-01-05T10:00:00.000000Z'");
    CHECK(select("$data, $metadata, $metadata(actor)", event) == R"('{"a": 1 }' '{"actor":"user-7"}' 'user-7')");
    CHECK(select("$tags, json_extract($tags, '$[1]')", event) ==
          R"('["plan:pro","a \"quoted\" one"]' 'a "quoted" one')");
}

TEST_CASE("a stream without a tenant has the tenant NULL, and no tags are an empty array", "[sql][placeholders]") {
    auto event = test::event_with("{}");
    event.stream = StreamId{"Site", "1"};
    event.tags.clear();
    CHECK(select("$tenant, $tags", event) == "NULL '[]'");
}

TEST_CASE("a value of data keeps its kind", "[sql][placeholders]") {
    const auto* const data = R"({"text":"it's \"é\" \u00e9","empty":"","int":-3,"real":2.50,"exp":1e2,"yes":true,
        "no":false,"null":null,"object":{"b" : [1, 2] },"array":[ ] })";
    CHECK(select_from("$data(text), $data(empty)", data) == "'it''s \"é\" é' ''");
    CHECK(select_from("$data(int), $data(real), $data(exp)", data) == "-3 2.5 100.0");
    CHECK(select_from("$data(yes), $data(no), $data(null), $data(missing)", data) == "1 0 NULL NULL");
    CHECK(select_from("$data(object), $data(array)", data) == R"('{"b" : [1, 2] }' '[ ]')");
}

TEST_CASE("a number that 64 bits cannot hold is the nearest real one", "[sql][placeholders]") {
    const auto* const data =
        R"({"max":9223372036854775807,"over":9223372036854775808,"huge":123456789012345678901234567890,
        "least":-9223372036854775808,"inf":1e999,"tiny":1e-999})";
    CHECK(select_from("$data(max), $data(least)", data) == "9223372036854775807 -9223372036854775808");
    CHECK(select_from("$data(over) = 9223372036854775808.0, typeof($data(over))", data) == "1 'real'");
    CHECK(select_from("$data(huge) = 123456789012345678901234567890.0, $data(tiny)", data) == "1 0.0");
    CHECK(select_from("$data(inf) = 9e999", data) == "1");
}

TEST_CASE("a path goes through objects and arrays", "[sql][placeholders]") {
    const auto* const data =
        R"({"a":{"b":{"c":"deep"}},"items":[{"sku":"x"},{"sku":"y","n":[[1],[2,3]]}],"0":"zero"})";
    CHECK(select_from("$data(a.b.c), $data(items[1].sku), $data(items[0].sku)", data) == "'deep' 'y' 'x'");
    CHECK(select_from("$data(items[1].n[1][0]), $data(0)", data) == "2 'zero'");
    CHECK(select_from("$data(items[2].sku), $data(items.sku), $data(a[0]), $data(a.b.c.d)", data) ==
          "NULL NULL NULL NULL");
}

TEST_CASE("a path through an object and the object itself may be asked for together", "[sql][placeholders]") {
    const auto* const data = R"({ "a" : { "b" : { "c" : 1 } , "d" : [ 10 , [ 20 ] ] } , "z" : 5 })";
    CHECK(select_from("$data(a.b.c), $data(a), $data(a.b), $data(a.d[1][0]), $data(a.d), $data(a.d[1]), $data(z)",
                      data) ==
          R"(1 '{ "b" : { "c" : 1 } , "d" : [ 10 , [ 20 ] ] }' '{ "c" : 1 }' 20 '[ 10 , [ 20 ] ]' '[ 20 ]' 5)");
}

TEST_CASE("data that is an array or a single value has paths as well, or none", "[sql][placeholders]") {
    CHECK(select_from("$data([1].x), $data", R"([0, {"x":8}])") == R"(8 '[0, {"x":8}]')");
    for (const auto* const single : {"12", "\"text\"", "true", "null"}) {
        CAPTURE(single);
        CHECK(select_from("$data(x), $data([0])", single) == "NULL NULL");
    }
}

TEST_CASE("odd names are written as JSON strings", "[sql][placeholders]") {
    const auto* const data = R"~({"a.b":1,"with space":2,"paren)":3,"quo\"te":4,"é":5,"":6,"[0]":7})~";
    CHECK(select_from(R"~($data("a.b"), $data("with\u0020space"), $data("paren\u0029"))~", data) == "1 2 3");
    CHECK(select_from(R"~($data("quo\"te"), $data(é), $data("\u00e9"), $data(""), $data("[0]"))~", data) ==
          "4 5 5 6 7");
}

TEST_CASE("a name that is written with escapes in data is found", "[sql][placeholders]") {
    CHECK(select_from("$data(name)", R"({"n\u0061me":"x"})") == "'x'");
}

TEST_CASE("of a name that is there twice the first counts, as in json_extract", "[sql][placeholders]") {
    CHECK(select_from("$data(a), json_extract($data, '$.a')", R"({"a":1,"a":2})") == "1 1");
    CHECK(select_from("$data(a), $data(b), $data(a.x)", R"({"a":1,"a":{"x":5},"b":3})") == "1 3 NULL");
}

TEST_CASE("a text is never read as SQL", "[sql][placeholders]") {
    CHECK(select_from("$data(x)", R"({"x":"'); DROP TABLE t; --"})") == "'''); DROP TABLE t; --'");
}

TEST_CASE("one binder serves many statements, event after event", "[sql][placeholders]") {
    const auto db = test::memory_database();
    sql::Compiler compiler{db.get(), sql::Compiler::Kind::deterministic};
    sql::EventBinder binder;
    auto first = compiler.statement({"SELECT $data(a), $position, $metadata(actor)", "f", 1}, sql::Allow::handler);
    auto second = compiler.statement({"SELECT $data(b), $data(a)", "f", 2}, sql::Allow::handler);
    const auto first_plan = binder.plan(first);
    const auto second_plan = binder.plan(second);

    const auto rows = [&](const Event& event) {
        binder.take(event);
        binder.bind(first_plan, first);
        binder.bind(second_plan, second);
        return test::quoted(db.get(), first) + " | " + test::quoted(db.get(), second);
    };
    CHECK(rows(test::event_with(R"({"a":"x","b":1})", R"({"actor":"u"})")) == "'x' 7 'u' | 1 'x'");
    CHECK(rows(test::event_with(R"({"b":2})")) == "NULL 7 NULL | 2 NULL");
    CHECK(rows(test::event_with(R"~({"a":")~" + std::string(100'000, 'y') + R"~("})~")).size() > 200'000);
    CHECK(rows(test::event_with("[]")) == "NULL 7 NULL | NULL NULL");
}

TEST_CASE("parameters of the caller's own are left to it", "[sql][placeholders]") {
    const auto db = test::memory_database();
    sql::Compiler compiler{db.get(), sql::Compiler::Kind::deterministic};
    sql::EventBinder binder{{"$state"}};
    auto expression = compiler.expression({"json_set($state, '$.status', $data(status))", "f", 1});
    const auto plan = binder.plan(expression);
    const auto event = test::event_with(R"({"status":"active"})");

    binder.take(event);
    binder.bind(plan, expression);
    expression.bind(expression.parameter("$state"), R"({"status":"new","n":1})");

    CHECK(test::quoted(db.get(), expression) == R"('{"status":"active","n":1}')");
}

TEST_CASE("an unknown placeholder is named with its line and what is known", "[sql][placeholders]") {
    const auto error = error_of("SELECT $position,\n  -- $tennant in a comment\n  $tennant");
    CHECK(error.file() == "test.sql");
    CHECK(error.line() == 12);
    CHECK(error.found() == "$tennant");
    CHECK_THAT(error.what(), ContainsSubstring("did you mean $tenant?"));
    CHECK_THAT(error.what(), ContainsSubstring("$recorded_at"));
}

TEST_CASE("a placeholder that cannot be read says what is wrong with it", "[sql][placeholders]") {
    const std::map<std::string, std::string> wrong{
        {"$data()", "expected a name, found the end of the path"},
        {"$data(a.)", "expected a name, found the end of the path \"a.\""},
        {"$data(.a)", "expected a name, found \".a\" in the path \".a\""},
        {"$data(a[x])", "expected an array index such as [0], found \"[x]\""},
        {"$data(a[-1])", "expected an array index such as [0]"},
        {"$data(a[0]b)", "expected a dot or [ between the names, found \"b\""},
        {"$data(\"a)", "expected a closing double quote"},
        {"$data(a(b)", "expected a dot or [ between the names, found \"(b\""},
        {"$type(a)", "expected $type without a path: only $data and $metadata have one"},
        {"?", "found ?"},
        {"?1", "found ?1"},
        {":data", "found :data"},
        {"$Data", "did you mean $data?"},
    };
    for (const auto& [placeholder, message] : wrong) {
        CAPTURE(placeholder);
        CHECK_THAT(error_of("SELECT\n" + placeholder).what(), ContainsSubstring(message));
        CHECK(error_of("SELECT\n" + placeholder).line() == 11);
    }
}

}  // namespace
}  // namespace stele
