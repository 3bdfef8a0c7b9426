// That no schema and no value takes more stack or time than there is.
#include <stele/schema/json_schema.hpp>
#include <stele/test/catch.hpp>

#include <nlohmann/json.hpp>

#include <pthread.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace stele;

/// Runs `work` on a thread with a stack of 256 KB.
void with_little_stack(const std::function<void()>& work) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    pthread_t thread{};
    const auto run = [](void* given) -> void* {
        (*static_cast<const std::function<void()>*>(given))();
        return nullptr;
    };
    auto copy = work;
    if (pthread_create(&thread, &attributes, run, &copy) != 0) throw std::runtime_error("no thread");
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
}

std::string repeated(int times, const std::string& text) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

JsonSchema schema_of(const std::string& text) { return JsonSchema::compile(JsonText::parse(text)); }

}  // namespace

TEST_CASE("values nested 1000 deep are checked on a small stack", "[schema][bounds]") {
    const auto nested = [](const std::string& inner) {
        return JsonText::parse(repeated(999, R"({"child":)") + inner + repeated(999, "}"));
    };
    for (const auto* tree :
         {R"({"properties":{"child":{"$ref":"#"}},"type":"object"})",
          R"({"anyOf":[{"type":"null"},{"properties":{"child":{"$ref":"#"}},"type":"object"}]})",
          R"({"oneOf":[{"type":"null"},{"properties":{"child":{"$ref":"#"}},"type":"object"}]})",
          R"({"not":{"not":{"properties":{"child":{"$ref":"#"}},"type":"object"}}})",
          R"({"if":{"type":"object"},"then":{"properties":{"child":{"$ref":"#"}}},"else":false})",
          R"({"allOf":[{"additionalProperties":{"$ref":"#"}},{"type":"object"}]})"}) {
        CAPTURE(tree);
        bool deep_fits = false;
        bool deep_violates = false;
        with_little_stack([&] {
            const auto schema = schema_of(tree);
            deep_fits = !schema.check(nested("{}"));
            deep_violates = schema.check(nested("7")).has_value();
        });
        CHECK(deep_fits);
        CHECK(deep_violates);
    }
    const auto arrays = JsonText::parse(repeated(1000, "[") + repeated(1000, "]"));
    bool again = false;
    with_little_stack([&] {
        again = schema_of(R"({"uniqueItems":true,"enum":[1]})").check(arrays).has_value() &&
                schema_of(R"({"items":{"const":[]}})").check(arrays).has_value() &&
                schema_of(R"({"const":1})").check(arrays.value()).has_value();
    });
    CHECK(again);
}

TEST_CASE("schemas are refused beyond a depth, and compiled up to it on a small stack", "[schema][bounds]") {
    const auto nested = [](int times) { return repeated(times, R"({"not":)") + "{}" + repeated(times, "}"); };
    bool compiled = false;
    with_little_stack([&] { compiled = !schema_of(nested(JsonSchema::max_depth - 1)).fingerprint().empty(); });
    CHECK(compiled);
    CHECK_THROWS_AS(schema_of(nested(JsonSchema::max_depth)), SchemaError);
    CHECK_THROWS_AS(schema_of(nested(998)), SchemaError);

    // A chain of references is as long as one likes.
    auto chain = nlohmann::json{{"$ref", "#/definitions/0"}};
    for (int i = 0; i < 20'000; ++i) {
        chain["definitions"][std::to_string(i)] = {
            {"allOf", {{{"$ref", "#/definitions/" + std::to_string(i + 1)}}}}};
    }
    chain["definitions"]["20000"] = {{"type", "string"}};
    const JsonText text{chain};
    std::string found;
    with_little_stack([&] { found = to_string(*JsonSchema::compile(text).check(JsonText::parse("1"))); });
    CHECK(found == "expected string, found 1");
}

TEST_CASE("a pattern that backtracks without end refuses the value in words", "[schema][bounds]") {
    const auto schema = schema_of(R"({"properties":{"a":{"pattern":"^(a+)+$"}}})");
    CHECK_FALSE(schema.check(nlohmann::json{{"a", std::string(1000, 'a')}}));
    const auto violation = schema.check(nlohmann::json{{"a", std::string(1000, 'a') + "!"}});
    REQUIRE(violation);
    CHECK(violation->pointer == "/a");
    CHECK(violation->expected.find("bounded time") != std::string::npos);

    // Where failing is what is asked for, giving up is no success.
    CHECK(schema_of(R"({"not":{"pattern":"^(a+)+$"}})").check(nlohmann::json(std::string(1000, 'a') + "!")));

    // A long string does not overflow the stack either.
    bool long_fits = false;
    with_little_stack([&] {
        long_fits = !schema_of(R"({"pattern":"^(?:a|b)*$"})").check(nlohmann::json(std::string(5'000, 'b')));
    });
    CHECK(long_fits);
}

TEST_CASE("a schema that asks the same over and over is given up in words", "[schema][bounds]") {
    nlohmann::json schema{{"$ref", "#/definitions/0"}};
    for (int i = 0; i < 64; ++i) {
        const nlohmann::json next{{"$ref", "#/definitions/" + std::to_string(i + 1)}};
        schema["definitions"][std::to_string(i)] = {{"allOf", {next, next}}};
    }
    schema["definitions"]["64"] = {{"items", {{"type", "string"}}}};
    const auto violation = JsonSchema::compile(JsonText{schema}).check(nlohmann::json::array({"a"}));
    REQUIRE(violation);
    CHECK(violation->expected == "a value that is checked in bounded time");
}

TEST_CASE("what a question costs counts and not only how often it is asked", "[schema][bounds]") {
    // 17 small definitions that ask the last one 65,536 times.
    const auto asking_over_and_over = [](const nlohmann::json& question) {
        nlohmann::json schema{{"$ref", "#/definitions/0"}};
        for (int i = 0; i < 16; ++i) {
            const nlohmann::json next{{"$ref", "#/definitions/" + std::to_string(i + 1)}};
            schema["definitions"][std::to_string(i)] = {{"allOf", {next, next}}};
        }
        schema["definitions"]["16"] = question;
        return JsonSchema::compile(JsonText{schema});
    };
    const auto numbers = [](int count) {
        auto array = nlohmann::json::array();
        for (int i = 0; i < count; ++i) array.push_back(i);
        return array;
    };
    const auto members = [](int count) {
        auto object = nlohmann::json::object();
        for (int i = 0; i < count; ++i) object["m" + std::to_string(i)] = i;
        return object;
    };
    auto names = nlohmann::json::array();
    for (int i = 0; i < 200; ++i) names.push_back("m" + std::to_string(i));

    struct Costly {
        nlohmann::json question;
        nlohmann::json value;
    };
    for (const auto& [question, value] :
         {Costly{{{"uniqueItems", true}}, numbers(1'000)}, Costly{{{"enum", {numbers(1'000)}}}, numbers(1'000)},
          Costly{{{"items", {{"type", "integer"}}}}, numbers(1'000)}, Costly{{{"required", names}}, members(1'000)},
          Costly{{{"pattern", "^(?:a|b)*$"}}, std::string(2'000, 'b')},
          Costly{{{"additionalProperties", {{"type", "integer"}}}}, members(1'000)}}) {
        CAPTURE(question.dump().substr(0, 60));
        const auto alone = JsonSchema::compile(JsonText{question});
        CHECK_FALSE(alone.check(value));
        const auto schema = asking_over_and_over(question);
        for (const auto& violation : {schema.check(value), schema.check(JsonText{value})}) {
            REQUIRE(violation);
            CHECK(violation->expected == "a value that is checked in bounded time");
        }
    }
    CHECK_FALSE(asking_over_and_over({{"uniqueItems", true}}).check(numbers(10)));
    CHECK_FALSE(JsonSchema::compile(JsonText::parse(R"({"uniqueItems":true})")).check(numbers(100'000)));
}

TEST_CASE("one schema serves many threads", "[schema][bounds]") {
    const auto schema = schema_of(
        R"({"properties":{"a":{"pattern":"^[a-z]+$"},"b":{"items":{"enum":[1,"x",null]}}},"required":["a"]})");
    const auto good = JsonText::parse(R"({"a":"abc","b":[1,"x",null]})");
    const auto bad = JsonText::parse(R"({"a":"abc","b":[1,"y",null]})");
    std::vector<int> right(4);
    std::vector<std::thread> threads;
    for (auto& count : right) {
        threads.emplace_back([&] {
            for (int i = 0; i < 2'000; ++i) {
                const auto violation = schema.check(bad);
                count += !schema.check(good) && violation && violation->pointer == "/b/1";
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(right == std::vector<int>(4, 2'000));
}
