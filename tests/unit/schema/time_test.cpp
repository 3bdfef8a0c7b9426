// Times: microseconds since 1970, written and read as RFC 3339.
#include <stele/schema/time.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/random.hpp>
#include <stele/test/refusal.hpp>

using namespace stele;
using namespace std::chrono_literals;

namespace {

/// Microseconds since 1970.
std::int64_t parsed(const std::string& text) { return parse_rfc3339(text).time_since_epoch().count(); }

Timestamp at(std::int64_t microseconds) { return Timestamp{std::chrono::microseconds{microseconds}}; }

}  // namespace

TEST_CASE("a moment is written in UTC with six digits", "[schema][time]") {
    CHECK(to_rfc3339(at(0)) == "1970-01-01T00:00:00.000000Z");
    CHECK(to_rfc3339(at(-1)) == "1969-12-31T23:59:59.999999Z");
    CHECK(to_rfc3339(at(1'767'607'200'000'001)) == "2026-01-05T10:00:00.000001Z");
    CHECK(to_rfc3339(first_moment) == "0000-01-01T00:00:00.000000Z");
    CHECK(to_rfc3339(last_moment) == "9999-12-31T23:59:59.999999Z");
}

TEST_CASE("a moment that has no four-digit year is not written", "[schema][time]") {
    CHECK(test::refused_field([] { (void)to_rfc3339(first_moment - 1us); }) == "time");
    CHECK(test::refused_field([] { (void)to_rfc3339(last_moment + 1us); }) == "time");
    CHECK(test::refused_field([] { (void)to_rfc3339(Timestamp::min()); }) == "time");
    CHECK(test::refused_field([] { (void)to_rfc3339(Timestamp::max()); }) == "time");
}

TEST_CASE("random moments survive being written and read", "[schema][time]") {
    test::Random random;
    CAPTURE(random.seed());
    std::string before = to_rfc3339(first_moment);
    Timestamp moment_before = first_moment;
    for (int round = 0; round < 5000; ++round) {
        const auto moment = random.moment();
        const auto text = to_rfc3339(moment);
        CAPTURE(text);
        REQUIRE(text.size() == 27);
        REQUIRE(parse_rfc3339(text) == moment);
        REQUIRE((text < before) == (moment < moment_before));  // the text is ordered as time is
        before = text;
        moment_before = moment;
    }
}

TEST_CASE("random moments with a random offset are the same moment", "[schema][time]") {
    test::Random random;
    CAPTURE(random.seed());
    for (int round = 0; round < 2000; ++round) {
        const auto moment = random.moment();
        const auto ahead = random.between(-23 * 60 - 59, 23 * 60 + 59);
        const auto local = moment + std::chrono::minutes{ahead};
        if (local < first_moment || local > last_moment) continue;
        auto text = to_rfc3339(local);
        text.pop_back();
        const auto distance = ahead < 0 ? -ahead : ahead;
        const auto two_digits = [](std::int64_t n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); };
        text += (ahead < 0 ? "-" : "+") + two_digits(distance / 60) + ":" + two_digits(distance % 60);
        CAPTURE(text);
        REQUIRE(parse_rfc3339(text) == moment);
    }
}

TEST_CASE("every form that RFC 3339 allows is read", "[schema][time]") {
    CHECK(parsed("1970-01-01T00:00:00Z") == 0);
    CHECK(parsed("1970-01-01t00:00:01z") == 1'000'000);
    CHECK(parsed("1970-01-01 00:00:01Z") == 1'000'000);
    CHECK(parsed("1970-01-01T00:00:00.5Z") == 500'000);
    CHECK(parsed("1970-01-01T00:00:00.000001Z") == 1);
    CHECK(parsed("1970-01-01T01:00:00+01:00") == 0);
    CHECK(parsed("1969-12-31T18:30:00-05:30") == 0);
    CHECK(parsed("1970-01-01T00:00:00-00:00") == 0);
    CHECK(parsed("2000-02-29T00:00:00Z") == 951'782'400'000'000);
    CHECK(parse_rfc3339("0000-01-01T00:00:00Z") == first_moment);
    CHECK(parse_rfc3339("9999-12-31T23:59:59.999999Z") == last_moment);
}

TEST_CASE("digits past the sixth are cut off towards the past", "[schema][time]") {
    CHECK(parsed("1970-01-01T00:00:00.0000009999999999999999999999Z") == 0);
    CHECK(parsed("1970-01-01T00:00:00.1234569Z") == 123'456);
    CHECK(parsed("1969-12-31T23:59:59.9999991Z") == -1);
    CHECK(parsed("1969-12-31T23:59:59.9999999999Z") == -1);
    CHECK(parsed("1969-12-31T23:59:58.0000001Z") == -2'000'000);
    CHECK(parse_rfc3339("9999-12-31T23:59:59.9999999Z") == last_moment);
}

TEST_CASE("a leap second is the second after it", "[schema][time]") {
    CHECK(to_rfc3339(parse_rfc3339("1990-12-31T23:59:60Z")) == "1991-01-01T00:00:00.000000Z");
    CHECK(to_rfc3339(parse_rfc3339("1990-12-31T15:59:60.25-08:00")) == "1991-01-01T00:00:00.250000Z");
    CHECK(to_rfc3339(parse_rfc3339("2016-06-30T23:59:60Z")) == "2016-07-01T00:00:00.000000Z");
    CHECK_THROWS_AS(parse_rfc3339("1990-12-30T23:59:60Z"), InvalidInput);
    CHECK_THROWS_AS(parse_rfc3339("1990-12-31T22:59:60Z"), InvalidInput);
    CHECK_THROWS_AS(parse_rfc3339("1990-12-31T23:59:60+01:00"), InvalidInput);
    CHECK_THROWS_AS(parse_rfc3339("1990-12-31T23:59:61Z"), InvalidInput);
}

TEST_CASE("what is not an RFC 3339 time is refused with what was expected", "[schema][time]") {
    struct Case {
        std::string text, expected;
    };
    const auto given = GENERATE(values<Case>({{"", "a year from 0000 to 9999"},
                                              {"yesterday", "a year"},
                                              {"2026", "'-' behind the year"},
                                              {"2026-1-05T10:00:00Z", "a month from 01 to 12"},
                                              {"2026-13-05T10:00:00Z", "a month from 01 to 12"},
                                              {"2026-00-05T10:00:00Z", "a month from 01 to 12"},
                                              {"2026-01-00T10:00:00Z", "a day from 01 to 31"},
                                              {"2026-04-31T10:00:00Z", "a day from 01 to 30"},
                                              {"2026-02-29T10:00:00Z", "a day from 01 to 28"},
                                              {"2024-02-30T10:00:00Z", "a day from 01 to 29"},
                                              {"1900-02-29T10:00:00Z", "a day from 01 to 28"},
                                              {"2026-01-05", "'T' between date and time"},
                                              {"2026-01-05_10:00:00Z", "'T' between date and time"},
                                              {"2026-01-05T24:00:00Z", "hours from 00 to 23"},
                                              {"2026-01-05T10:60:00Z", "minutes from 00 to 59"},
                                              {"2026-01-05T10:00Z", "':' behind the minutes"},
                                              {"2026-01-05T10:00:61Z", "seconds from 00 to 60"},
                                              {"2026-01-05T10:00:00", "'Z' or an offset"},
                                              {"2026-01-05T10:00:00.Z", "a digit behind the '.'"},
                                              {"2026-01-05T10:00:00,5Z", "'Z' or an offset"},
                                              {"2026-01-05T10:00:00+0100", "':' in the offset"},
                                              {"2026-01-05T10:00:00+24:00", "hours of the offset from 00 to 23"},
                                              {"2026-01-05T10:00:00+01:60", "minutes of the offset from 00 to 59"},
                                              {"2026-01-05T10:00:00Z ", "nothing behind the offset"},
                                              {" 2026-01-05T10:00:00Z", "a year"},
                                              {"+026-01-05T10:00:00Z", "a year"},
                                              {"0000-01-01T00:00:00+00:01", "years 0000 to 9999 in UTC"},
                                              {"9999-12-31T23:59:59-00:01", "years 0000 to 9999 in UTC"},
                                              {"9999-12-31T23:59:60Z", "years 0000 to 9999 in UTC"},
                                              {"\u0662026-01-05T10:00:00Z", "a year"}}));
    CAPTURE(given.text);
    const auto refused = test::refusal([&] { (void)parse_rfc3339(given.text, "occurred_at"); });
    CHECK(refused.field() == "occurred_at");
    CHECK_THAT(refused.what(), ContainsSubstring(given.expected));
}

TEST_CASE("the clock tells a moment that can be written", "[schema][time]") {
    const auto first = now();
    CHECK(first > parse_rfc3339("2020-01-01T00:00:00Z"));
    CHECK(parse_rfc3339(to_rfc3339(first)) == first);
}
