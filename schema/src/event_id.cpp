#include <stele/schema/error.hpp>
#include <stele/schema/event_id.hpp>

#include "text.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>

namespace stele {
namespace {

/// Counts the forks that this process came out of, so that parent and child do not share random bits.
std::atomic<std::uint64_t> forks{1};

void count_forks() {
    [[maybe_unused]] static const int registered =
        pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
}

/// Random bits from the system, fetched for many ids at once.
struct RandomBits {
    std::array<std::uint64_t, 32> words{};  // 256 bytes are the most that getentropy() gives
    std::size_t used = std::tuple_size_v<decltype(words)>;
    std::uint64_t fetched_at = 0;  // the value of `forks` then

    std::uint64_t next() {
        if (used == words.size() || fetched_at != forks.load(std::memory_order_relaxed)) fetch();
        return words[used++];
    }

    void fetch() {
        count_forks();
        if (getentropy(words.data(), sizeof words) != 0) {
            throw Error("no_randomness", std::string("getentropy: ") + std::strerror(errno));
        }
        used = 0;
        fetched_at = forks.load(std::memory_order_relaxed);
    }
};

/// Milliseconds since 1970 in the upper 48 bits, and the fraction of the millisecond in 4096ths in the lower 12:
/// what a version 7 UUID begins with by method 3.
std::uint64_t ticks_now() {
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(since_1970).count();
    const auto positive = static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0));
    return (positive / 1'000'000) << 12 | (positive % 1'000'000) * 4096 / 1'000'000;
}

/// The time, or one more than the last answer where the clock has not gone on since (or went back).
std::uint64_t next_ticks() {
    static std::atomic<std::uint64_t> last{0};
    const auto now = ticks_now();
    auto before = last.load(std::memory_order_relaxed);
    for (;;) {
        const auto next = std::max(before + 1, now);
        if (last.compare_exchange_weak(before, next, std::memory_order_relaxed)) return next;
    }
}

void put_big_endian(std::uint64_t value, unsigned char* to) {
    for (int shift = 56; shift >= 0; shift -= 8) *to++ = static_cast<unsigned char>(value >> shift);
}

/// The value of a hexadecimal digit, -1 for any other character.
constexpr int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Whether the byte at `index` stands behind a hyphen: 8-4-4-4-12.
constexpr bool hyphen_before(std::size_t index) { return index == 4 || index == 6 || index == 8 || index == 10; }

}  // namespace

EventId EventId::generate() {
    static constinit thread_local RandomBits random;

    const auto ticks = next_ticks();
    const auto high = (ticks & ~std::uint64_t{0xfff}) << 4 | 0x7000 | (ticks & 0xfff);
    const auto low = std::uint64_t{2} << 62 | random.next() >> 2;

    boost::uuids::uuid uuid;
    put_big_endian(high, uuid.data);
    put_big_endian(low, uuid.data + 8);
    return EventId{uuid};
}

EventId EventId::parse(std::string_view text, std::string_view field) {
    const auto refuse = [&] {
        return InvalidInput(std::string(field), "a UUID such as 01941f29-7c00-7000-8000-000000000001",
                            detail::quoted(text));
    };
    if (text.size() != 36) throw refuse();

    boost::uuids::uuid uuid;
    std::size_t at = 0;
    for (std::size_t i = 0; i < 16; ++i) {
        if (hyphen_before(i) && text[at++] != '-') throw refuse();
        const int high = hex_value(text[at++]);
        const int low = hex_value(text[at++]);
        if (high < 0 || low < 0) throw refuse();
        uuid.data[i] = static_cast<unsigned char>(high << 4 | low);
    }
    return EventId{uuid};
}

EventId EventId::from_bytes(std::span<const unsigned char> bytes) {
    assert(bytes.size() == 16);
    boost::uuids::uuid uuid;
    std::memcpy(uuid.data, bytes.data(), sizeof uuid.data);
    return EventId{uuid};
}

// Of the 62 bits of a version 7 UUID that are random, all may change and nothing else: ids of pieces sort where
// their event does, and are of its version and variant.
EventId EventId::of_piece(int k) const noexcept {
    if (k == 0) return *this;
    // SplitMix64 (Steele, Lea and Flood 2014): neighbouring numbers give unrelated bits.
    auto bits = static_cast<std::uint64_t>(k) * 0x9e3779b97f4a7c15U;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9U;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111ebU;
    bits ^= bits >> 31;
    auto uuid = uuid_;
    for (int i = 0; i < 8; ++i) {
        const auto byte = static_cast<unsigned char>(bits >> (56 - 8 * i));
        uuid.data[8 + i] ^= i == 0 ? byte & 0x3f : byte;
    }
    return EventId{uuid};
}

std::string EventId::to_string() const {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text(36, '-');
    std::size_t at = 0;
    for (std::size_t i = 0; i < 16; ++i) {
        if (hyphen_before(i)) ++at;
        text[at++] = digits[uuid_.data[i] >> 4];
        text[at++] = digits[uuid_.data[i] & 15];
    }
    return text;
}

std::strong_ordering operator<=>(const EventId& a, const EventId& b) noexcept {
    return std::memcmp(a.uuid_.data, b.uuid_.data, sizeof a.uuid_.data) <=> 0;
}

std::ostream& operator<<(std::ostream& out, const EventId& id) { return out << id.to_string(); }

}  // namespace stele

std::size_t std::hash<stele::EventId>::operator()(const stele::EventId& id) const noexcept {
    std::uint64_t half[2];
    std::memcpy(half, id.bytes().data(), sizeof half);
    return static_cast<std::size_t>(half[0] ^ half[1]);
}
