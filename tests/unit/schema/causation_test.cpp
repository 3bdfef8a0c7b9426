// CausationScope: what is written while an event is being handled names it as its cause.
#include <stele/schema/causation.hpp>
#include <stele/test/catch.hpp>

#include <thread>

using namespace stele;
using nlohmann::json;

namespace {

Event handled(const std::string& metadata = "{}") {
    Event event{.stream = StreamId{"Question", "1"}};
    event.id = EventId::generate();
    event.type = "Asked";
    event.metadata = JsonText::parse_object(metadata);
    return event;
}

json completed(const Event& cause, NewEvent effect) {
    CausationScope scope{cause};
    scope.complete(effect);
    return effect.metadata.value();
}

}  // namespace

TEST_CASE("an effect names its cause, and belongs with what the cause belongs to", "[schema][causation]") {
    const auto cause = handled(R"({"actor":"user-7","correlation_id":"request-1","causation_id":"e-1"})");
    CHECK(completed(cause, event("Answered")) ==
          json{{"causation_id", cause.id.to_string()}, {"correlation_id", "request-1"}});
}

TEST_CASE("an effect of a cause without correlation_id belongs to the cause itself", "[schema][causation]") {
    for (const char* metadata : {"{}", R"({"correlation_id":null})", R"({"correlation_id":7})"}) {
        const auto cause = handled(metadata);
        CHECK(completed(cause, event("Answered")).at("correlation_id") == cause.id.to_string());
    }
}

TEST_CASE("what an effect says by itself stays", "[schema][causation]") {
    const auto cause = handled(R"({"correlation_id":"request-1"})");
    CHECK(completed(cause, event("Answered").correlation("other")) ==
          json{{"correlation_id", "other"}, {"causation_id", cause.id.to_string()}});
    CHECK(completed(cause, event("Answered").caused_by("e-9")) ==
          json{{"correlation_id", "request-1"}, {"causation_id", "e-9"}});
    auto said = event("Answered");
    said.metadata = JsonText::parse(R"({ "\u0063ausation_id": null, "correlation_id": "x" })");
    CHECK(completed(cause, said) == json{{"causation_id", nullptr}, {"correlation_id", "x"}});
    said.metadata = JsonText::parse("[1]");
    CHECK(completed(cause, said) == json::array({1}));
}

TEST_CASE("ids that JSON has to escape come through", "[schema][causation]") {
    const auto cause = handled(R"({"correlation_id":"a\"b\\c\u00fc"})");
    CHECK(completed(cause, event("Answered")).at("correlation_id") == "a\"b\\c\u00fc");
}

TEST_CASE("the innermost scope counts, and the one around it counts again behind it", "[schema][causation]") {
    const auto outer_cause = handled();
    const auto inner_cause = handled();
    CHECK(CausationScope::current() == nullptr);
    {
        CausationScope outer{outer_cause};
        CHECK(CausationScope::current() == &outer);
        {
            CausationScope inner{inner_cause};
            CHECK(CausationScope::current() == &inner);
        }
        CHECK(CausationScope::current() == &outer);
    }
    CHECK(CausationScope::current() == nullptr);
}

TEST_CASE("a scope is of its thread alone", "[schema][causation]") {
    const auto cause = handled();
    const CausationScope scope{cause};
    bool elsewhere = true;
    std::thread{[&] { elsewhere = CausationScope::current() != nullptr; }}.join();
    CHECK_FALSE(elsewhere);
}
