// Event ids: version 7 UUIDs that grow, and the strict 36-character form.
#include <stele/schema/event_id.hpp>
#include <stele/schema/time.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/random.hpp>
#include <stele/test/refusal.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <cstring>
#include <set>
#include <thread>
#include <unordered_set>

using namespace stele;
using namespace std::chrono_literals;

namespace {

/// The first 48 bits: milliseconds since 1970.
std::chrono::milliseconds milliseconds_of(const EventId& id) {
    std::int64_t value = 0;
    for (std::size_t i = 0; i < 6; ++i) value = value << 8 | id.bytes()[i];
    return std::chrono::milliseconds{value};
}

std::vector<EventId> generate(std::size_t count) {
    std::vector<EventId> ids;
    ids.reserve(count);
    while (ids.size() < count) ids.push_back(EventId::generate());
    return ids;
}

bool strictly_grows(const std::vector<EventId>& ids) {
    return std::adjacent_find(ids.begin(), ids.end(), [](const EventId& a, const EventId& b) { return a >= b; }) ==
           ids.end();
}

}  // namespace

TEST_CASE("a new id is a version 7 UUID of this moment", "[schema][id]") {
    const auto before = std::chrono::floor<std::chrono::milliseconds>(now().time_since_epoch());
    const auto id = EventId::generate();
    CHECK(id.bytes()[6] >> 4 == 7);
    CHECK(id.bytes()[8] >> 6 == 2);
    CHECK(id.uuid().variant() == boost::uuids::uuid::variant_rfc_4122);
    CHECK(milliseconds_of(id) >= before);
    // A burst of ids may run ahead of the clock, by no more than the ids there were of each millisecond.
    CHECK(milliseconds_of(id) < before + 10min);
    CHECK_FALSE(id.is_nil());
}

TEST_CASE("ids of one thread grow strictly", "[schema][id]") { CHECK(strictly_grows(generate(100'000))); }

// Goal:   the order of ids is the order in which they were made, across threads.
// Method: all threads make ids, meet at a barrier, and make ids again, in several rounds: each id made before the
//         barrier must be less than each one made behind it, and no two are equal.
TEST_CASE("ids of several threads are distinct and grow across a barrier", "[schema][id]") {
    constexpr std::size_t threads = 8;
    constexpr std::size_t rounds = 20;
    constexpr std::size_t ids_a_round = 500;
    std::vector<std::vector<std::vector<EventId>>> made(threads, std::vector<std::vector<EventId>>(rounds));
    std::barrier barrier{static_cast<std::ptrdiff_t>(threads)};
    {
        std::vector<std::jthread> running;
        for (auto& mine : made) {
            running.emplace_back([&mine, &barrier] {
                for (auto& round : mine) {
                    barrier.arrive_and_wait();
                    round = generate(ids_a_round);
                }
            });
        }
    }

    std::unordered_set<EventId> all;
    EventId highest;
    for (std::size_t round = 0; round < rounds; ++round) {
        CAPTURE(round);
        EventId highest_here;
        for (const auto& mine : made) {
            REQUIRE(strictly_grows(mine[round]));
            REQUIRE(mine[round].front() > highest);
            highest_here = std::max(highest_here, mine[round].back());
            all.insert(mine[round].begin(), mine[round].end());
        }
        highest = highest_here;
    }
    CHECK(all.size() == threads * rounds * ids_a_round);
}

// Goal:   parent and child do not go on with the same random bits.
// Method: fork in the middle of a batch of random bits; compare the random parts of what both make next.
TEST_CASE("a forked child makes ids of its own", "[schema][id]") {
    (void)EventId::generate();
    constexpr std::size_t count = 64;
    int pipe_ends[2];
    REQUIRE(pipe(pipe_ends) == 0);
    const auto child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        for (std::size_t i = 0; i < count; ++i) {
            const auto id = EventId::generate();
            if (write(pipe_ends[1], id.bytes().data(), 16) != 16) _exit(1);
        }
        _exit(0);
    }
    const auto parents = generate(count);
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);
    close(pipe_ends[1]);

    const auto random_part = [](std::span<const unsigned char> bytes) {
        return std::string(bytes.begin() + 8, bytes.end());
    };
    std::unordered_set<std::string> seen;
    for (const auto& id : parents) seen.insert(random_part(id.bytes()));
    unsigned char bytes[16];
    std::size_t read_back = 0;
    for (; read(pipe_ends[0], bytes, 16) == 16; ++read_back) {
        CHECK(seen.insert(random_part(EventId::from_bytes(bytes).bytes())).second);
    }
    close(pipe_ends[0]);
    CHECK(read_back == count);
    CHECK(seen.size() == 2 * count);
}

TEST_CASE("an id survives being written and read, as text and as bytes", "[schema][id]") {
    test::Random random;
    CAPTURE(random.seed());
    for (int round = 0; round < 1000; ++round) {
        unsigned char bytes[16];
        for (auto& byte : bytes) byte = static_cast<unsigned char>(random.below(256));
        const auto id = EventId::from_bytes(bytes);
        CAPTURE(id);
        REQUIRE(std::memcmp(id.bytes().data(), bytes, 16) == 0);
        REQUIRE(EventId::parse(id.to_string()) == id);
        auto upper = id.to_string();
        for (char& c : upper) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c;
        REQUIRE(EventId::parse(upper) == id);
    }
}

TEST_CASE("the text of an id is lower case in groups of 8-4-4-4-12", "[schema][id]") {
    const std::string text = "0123abcd-4567-789a-8bcd-ef0123456789";
    CHECK(EventId::parse("0123ABCD-4567-789A-8BCD-EF0123456789").to_string() == text);
    CHECK(EventId{}.to_string() == "00000000-0000-0000-0000-000000000000");
    CHECK(EventId::parse("00000000-0000-0000-0000-000000000000").is_nil());
}

TEST_CASE("ids are ordered as their bytes and as their text", "[schema][id]") {
    const auto low = EventId::parse("00000000-0000-7000-8000-0000000000ff");
    const auto high = EventId::parse("ff000000-0000-7000-8000-000000000000");
    CHECK(low < high);
    CHECK((low <=> low) == std::strong_ordering::equal);
    CHECK(low.to_string() < high.to_string());
    CHECK(std::hash<EventId>{}(low) != std::hash<EventId>{}(high));
}

TEST_CASE("what is not 36 characters of a UUID is refused", "[schema][id]") {
    const auto text = GENERATE(as<std::string>{}, "", "0123abcd", "{0123abcd-4567-789a-8bcd-ef0123456789}",
                               "0123abcd4567789a8bcdef0123456789", "0123abcd-4567-789a-8bcd-ef012345678",
                               "0123abcd-4567-789a-8bcd-ef01234567890", "0123abcd-4567-789a-8bcdef-0123456789",
                               "0123abcd-4567-789a-8bcd_ef0123456789", "0123abcg-4567-789a-8bcd-ef0123456789",
                               " 123abcd-4567-789a-8bcd-ef0123456789", "0123abcd-4567-789a-8bcd-ef01234567 9",
                               "0x23abcd-4567-789a-8bcd-ef0123456789");
    CAPTURE(text);
    const auto refused = test::refusal([&] { (void)EventId::parse(text, "causation"); });
    CHECK(refused.field() == "causation");
    CHECK_THAT(refused.what(), ContainsSubstring("expected a UUID such as"));
    CHECK_THAT(refused.what(), ContainsSubstring('"' + text + '"'));
}

TEST_CASE("the ids of an event's pieces differ and lead back to it", "[schema][id]") {
    const auto id = EventId::generate();
    std::set<EventId> ids;
    for (int piece = 0; piece < 1000; ++piece) {
        const auto derived = id.of_piece(piece);
        CHECK(derived.of_piece(piece) == id);
        CHECK(derived.to_string().substr(0, 19).find(id.to_string().substr(0, 18)) == 0);  // time, version
        CHECK((derived.bytes()[8] & 0xc0) == (id.bytes()[8] & 0xc0));                      // variant
        ids.insert(derived);
    }
    CHECK(ids.size() == 1000);
    CHECK(id.of_piece(0) == id);
    CHECK(id.of_piece(7) == EventId::parse(id.to_string()).of_piece(7));
}
