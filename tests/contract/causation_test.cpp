// What is appended within a CausationScope names the event that is handled, whichever call appends it.
#include "contract.hpp"

#include <stele/schema/causation.hpp>

using namespace stele;
using nlohmann::json;
using test::Contract;

namespace {

const StreamId order{"Order", "7"};
const StreamId mail{"Mail", "7"};

json metadata(const EventStore& store, std::int64_t position) {
    return store.at(Position{position})->metadata.value();
}

}  // namespace

TEST_CASE_METHOD(Contract, "events appended while another is handled name it as their cause",
                 "[contract][causation]") {
    auto store = open();
    store.append(order, expect::any, {event("Paid").correlation("request-1").by("user-7")});
    const auto cause = *store.at(Position{1});
    {
        const CausationScope scope{cause};
        store.append(mail, expect::any, {event("Requested"), event("Queued").caused_by("other")});
        store.append(Append{}.to(mail, expect::any, {event("Sent")}).to(order, expect::any, {event("Told")}));
        store.append_async(Append{}.to(mail, expect::any, {event("Read")}).tracking("feed", 3, "a note")).get();
    }
    store.append(mail, expect::any, {event("Archived")});

    const json by_cause{{"causation_id", cause.id.to_string()}, {"correlation_id", "request-1"}};
    CHECK(metadata(store, 2) == by_cause);
    CHECK(metadata(store, 3) == json{{"causation_id", "other"}, {"correlation_id", "request-1"}});
    CHECK(metadata(store, 4) == by_cause);
    CHECK(metadata(store, 5) == by_cause);
    CHECK(metadata(store, 6) == by_cause);
    CHECK(metadata(store, 7) == json::object());
    CHECK(store.tracked("feed") == Tracking{"feed", 3, "a note"});
}

TEST_CASE_METHOD(Contract, "appended again in the scope of the same event it is a repetition (L6)",
                 "[contract][causation][L6]") {
    auto store = open();
    test::seed(store, order, {"Paid", "Shipped"});
    const auto paid = *store.at(Position{1});
    const auto shipped = *store.at(Position{2});
    const std::vector<NewEvent> effect{event("Requested")};
    const auto append_for = [&](const Event& cause) {
        const CausationScope scope{cause};
        return store.append(mail, expect::any, effect);
    };
    const auto first = append_for(paid);
    const auto again = append_for(paid);
    CHECK(again.duplicate);
    CHECK(again.first_position == first.first_position);
    CHECK_THROWS_AS(append_for(shipped), IdConflict);
    CHECK_THROWS_AS(store.append(mail, expect::any, effect), IdConflict);
    CHECK(effect.front().metadata.text() == "{}");
    CHECK(store.head() == Position{3});
}
