// The source of an import: lines, their places, and the hash of what was read.
#include "import/line_reader.hpp"

#include <stele/test/catch.hpp>
#include <stele/test/temporary_folder.hpp>

#include <sys/stat.h>

#include <fstream>
#include <thread>

using namespace stele;
using namespace stele::tool;

namespace {

constexpr const char* sha256_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

// There is one at a time in a process.
const Interrupt& no_interrupt() {
    static const Interrupt one;
    return one;
}

// A file with a LineReader on it.
class Source {
public:
    explicit Source(const std::string& text, std::size_t longest = 1000) {
        std::ofstream{folder_ / "lines", std::ios::binary} << text;
        bytes_.emplace((folder_ / "lines").string(), no_interrupt());
        lines_.emplace(*bytes_, longest);
    }
    LineReader* operator->() { return &*lines_; }

private:
    test::TemporaryFolder folder_;
    std::optional<ByteSource> bytes_;
    std::optional<LineReader> lines_;
};

}  // namespace

TEST_CASE("SHA-256 is that of FIPS 180-2, at any point on the way", "[tools][import]") {
    Sha256 hash;
    CHECK(hash.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hash.update("ab");
    const Sha256 half = hash;
    hash.update("c");
    CHECK(hash.hex() == sha256_of_abc);
    Sha256 other = half;
    other.update("c");
    CHECK(other.hex() == sha256_of_abc);
    CHECK(half.hex() != sha256_of_abc);
}

TEST_CASE("lines come with their numbers and places, the last one with or without a line feed", "[tools][import]") {
    Source source{"one\n\nthree"};
    const auto one = source->next();
    REQUIRE(one);
    CHECK(one->number == 1);
    CHECK(one->byte == 0);
    CHECK(one->text() == "one");
    CHECK(one->raw == "one\n");
    const auto empty = source->next();
    REQUIRE(empty);
    CHECK(empty->text().empty());
    CHECK(empty->complete);
    const auto three = source->next();
    REQUIRE(three);
    CHECK(three->number == 3);
    CHECK(three->byte == 5);
    CHECK(three->text() == "three");
    CHECK_FALSE(three->complete);
    CHECK_FALSE(source->next());
    CHECK(source->point().line == 3);
    CHECK(source->point().bytes == 10);
}

TEST_CASE("the hash at a line is that of all bytes up to its end", "[tools][import]") {
    Source source{"ab\nc\n"};
    REQUIRE(source->next());
    Sha256 expected;
    expected.update("ab\n");
    CHECK(source->point().hash.hex() == expected.hex());
    REQUIRE(source->next());
    expected.update("c\n");
    CHECK(source->point().hash.hex() == expected.hex());
}

TEST_CASE("a line that is too long passes by, whatever stands around it", "[tools][import]") {
    for (const std::size_t length : {11U, 200'000U, 1'000'000U}) {
        CAPTURE(length);
        const std::string text = "ok\n" + std::string(length, 'x') + "\nok again\n" + std::string(length, 'y');
        Source source{text, 10};
        CHECK(source->next()->text() == "ok");
        const auto long_line = source->next();
        REQUIRE(long_line);
        CHECK(long_line->too_long);
        CHECK(long_line->byte == 3);
        CHECK(source->next()->text() == "ok again");
        CHECK(source->next()->too_long);
        CHECK_FALSE(source->next());
        CHECK(source->point().line == 4);
        Sha256 expected;
        expected.update(text);
        CHECK(source->point().hash.hex() == expected.hex());
    }
    Source exact{"0123456789\n", 10};
    CHECK_FALSE(exact->next()->too_long);
}

TEST_CASE("skipping stands behind the bytes that were read before, or says how many there are", "[tools][import]") {
    Sha256 hash;
    hash.update("ab\nc\n");
    Source same{"ab\nc\nd\n"};
    const auto skipped = same->skip(5, 2);
    CHECK(skipped.bytes == 5);
    CHECK(skipped.sha256 == hash.hex());
    CHECK_FALSE(skipped.mid_line);
    const auto next = same->next();
    REQUIRE(next);
    CHECK(next->number == 3);
    CHECK(next->byte == 5);

    Source shorter{"ab\n"};
    CHECK(shorter->skip(5, 2).bytes == 3);
}

TEST_CASE("behind a last line without line feed, only a line feed or the end goes on", "[tools][import]") {
    for (const std::string more : {"", "\n", "\r\n", "\nd\n"}) {
        CAPTURE(more);
        Source source{"ab" + more};
        CHECK_FALSE(source->skip(2, 1).mid_line);
        const auto next = source->next();
        CHECK(next.has_value() == (more == "\nd\n"));
        if (next) CHECK(next->number == 2);
    }
    Source written_on{"abc\n"};
    CHECK(written_on->skip(2, 1).mid_line);
}

TEST_CASE("cancelling ends a read that waits for a pipe", "[tools][import]") {
    const test::TemporaryFolder folder;
    const auto path = (folder / "pipe").string();
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    // Both ends open, so that the read neither fails nor ends by itself.
    std::fstream writer{path, std::ios::in | std::ios::out};
    ByteSource source{path, no_interrupt()};
    bool interrupted = false;
    std::thread reader{[&] {
        char byte = 0;
        try {
            static_cast<void>(source.read(&byte, 1));
        } catch (const ReadInterrupted&) {
            interrupted = true;
        }
    }};
    source.cancel();
    reader.join();
    CHECK(interrupted);
}
