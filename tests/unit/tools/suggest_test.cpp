// The name that was probably meant.
#include "suggest.hpp"

#include <stele/test/catch.hpp>

using namespace stele::tool;

TEST_CASE("distance counts letters added, left out, changed and swapped", "[tools][suggest]") {
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("events", "events") == 0);
    CHECK(edit_distance("events", "evnts") == 1);
    CHECK(edit_distance("events", "evetns") == 1);
    CHECK(edit_distance("events", "Events") == 0);
    CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("only a name that is near is suggested, the nearest first", "[tools][suggest]") {
    const std::vector<std::string> names{"append", "events", "export"};
    CHECK(nearest("evnets", names) == "events");
    CHECK(nearest("exprot", names) == "export");
    CHECK(nearest("restore", names) == std::nullopt);
    CHECK(nearest("", names) == std::nullopt);
    CHECK(nearest("evens", std::vector<std::string>{"evening", "event", "events"}) == "event");
}
