// stele import, again: killed, interrupted, grown, changed, and with events that are there already.
#include "workplace.hpp"

#include <random>
#include <thread>

using namespace stele;
using nlohmann::json;
using test::counting;
using test::event_line;
using test::event_lines;
using test::numbers_in;
using test::Workplace;

namespace {

// A line with an id of its own, which ends in `n`.
std::string line_with_id(int n, const std::string& type = "Counted") {
    const auto digits = std::to_string(n);
    return event_line("1", type,
                      R"(,"id":"0193a1b2-0000-7000-8000-)" + std::string(12 - digits.size(), '0') + digits + "\"");
}

std::string lines_with_ids(int first, int last) {
    std::string text;
    for (int n = first; n <= last; ++n) text += line_with_id(n);
    return text;
}

}  // namespace

TEST_CASE("an import again appends nothing, and a grown file continues", "[e2e][import]") {
    const Workplace at;
    at.write("lines.jsonl", event_lines(50));
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);
    CHECK(at.stele({"import", "lines.jsonl", "--json"}).json().at("lines") == 0);

    at.write("lines.jsonl", event_lines(80));
    const auto grown = at.stele({"import", "lines.jsonl", "--json"});
    CHECK(grown.json().at("lines") == 30);
    CHECK(grown.json().at("appended") == 30);
    CHECK(grown.json().at("skipped_lines") == 50);
    CHECK(numbers_in(at.log()) == counting(1, 80));
}

TEST_CASE("the same lines continue when they have been packed meanwhile", "[e2e][import]") {
    const Workplace at;
    at.write("lines.jsonl", event_lines(50));
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);
    at.write_gzip("lines.jsonl.gz", event_lines(80));
    REQUIRE(at.stele({"import", "lines.jsonl.gz", "--source", "lines.jsonl"}).status == 0);
    CHECK(numbers_in(at.log()) == counting(1, 80));
}

TEST_CASE("a last line that had no line feed continues when it gets one, and not when it is written on",
          "[e2e][import]") {
    const Workplace at;
    auto text = event_lines(10);
    text.pop_back();
    at.write("lines.jsonl", text);
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);
    at.write("lines.jsonl", text + " ");
    const auto written_on = at.stele({"import", "lines.jsonl"});
    CHECK(written_on.status == 3);
    CHECK_THAT(written_on.err, ContainsSubstring("line 10"));
    at.write("lines.jsonl", text + "\r\n" + event_lines(10, 11));
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);
    CHECK(numbers_in(at.log()) == counting(1, 20));
}

TEST_CASE("another file under an old name is refused, with both hashes and what to do", "[e2e][import]") {
    const Workplace at;
    at.write("lines.jsonl", event_lines(50));
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);

    at.write("lines.jsonl", event_lines(50, 2));
    const auto other = at.stele({"import", "lines.jsonl"});
    INFO(other);
    CHECK(other.status == 3);
    CHECK_THAT(other.err, ContainsSubstring("source \"lines.jsonl\""));
    CHECK_THAT(other.err, ContainsSubstring("--source"));
    const auto facts = at.stele({"import", "lines.jsonl", "--json"}).error();
    CHECK(facts.at("code") == "source_changed");
    CHECK(facts.at("expected_sha256").get<std::string>().size() == 64);
    CHECK(facts.at("found_sha256").get<std::string>().size() == 64);
    CHECK(facts.at("expected_sha256") != facts.at("found_sha256"));
    CHECK_THAT(other.err, ContainsSubstring(facts.at("expected_sha256").get<std::string>()));

    at.write("lines.jsonl", event_lines(49));
    const auto shorter = at.stele({"import", "lines.jsonl"});
    CHECK(shorter.status == 3);
    CHECK(at.log().size() == 50);

    CHECK(at.stele({"import", "lines.jsonl", "--source", "second"}).status == 0);
    CHECK(at.log().size() == 99);
}

TEST_CASE("events that are there under their id are passed over, and the others appended in order",
          "[e2e][import]") {
    const Workplace at;
    at.write("first.jsonl", line_with_id(2) + line_with_id(4) + line_with_id(6));
    REQUIRE(at.stele({"import", "first.jsonl"}).status == 0);
    at.write("second.jsonl", lines_with_ids(1, 7) + line_with_id(7));
    const auto ran = at.stele({"import", "second.jsonl", "--json"});
    INFO(ran);
    REQUIRE(ran.status == 0);
    CHECK(ran.json().at("lines") == 8);
    CHECK(ran.json().at("appended") == 4);
    CHECK(ran.json().at("duplicates") == 4);
    std::string order;
    for (const auto& id : at.log("id")) order += id.back();
    CHECK(order == "2461357");
    CHECK(at.stele({"import", "second.jsonl", "--json"}).json().at("lines") == 0);
}

TEST_CASE("a batch of nothing but duplicates is remembered as passed", "[e2e][import]") {
    const Workplace at;
    at.write("first.jsonl", lines_with_ids(1, 30));
    at.write("copy.jsonl", lines_with_ids(1, 30));
    REQUIRE(at.stele({"import", "first.jsonl", "--batch", "7"}).status == 0);
    const auto copy = at.stele({"import", "copy.jsonl", "--batch", "10", "--json"});
    CHECK(copy.json().at("duplicates") == 30);
    CHECK(copy.json().at("appended") == 0);
    CHECK(at.stele({"import", "copy.jsonl", "--json"}).json().at("lines") == 0);
    CHECK(at.log().size() == 30);
}

TEST_CASE("a known id with other content is a wrong line", "[e2e][import]") {
    const Workplace at;
    at.write("first.jsonl", lines_with_ids(1, 3));
    REQUIRE(at.stele({"import", "first.jsonl"}).status == 0);
    at.write("second.jsonl",
             line_with_id(4) + line_with_id(2, "Changed") + line_with_id(5) + line_with_id(5, "Twice"));

    const auto stopped = at.stele({"import", "second.jsonl"});
    INFO(stopped);
    CHECK(stopped.status == 1);
    CHECK_THAT(stopped.err, ContainsSubstring("second.jsonl:2: id: 0193a1b2-0000-7000-8000-000000000002"));
    CHECK_THAT(stopped.err, ContainsSubstring("at position 2 already, with another type"));
    CHECK(at.log().size() == 4);

    const auto skipped = at.stele({"import", "second.jsonl", "--on-error", "quarantine=wrong.jsonl", "--json"});
    INFO(skipped);
    CHECK(skipped.status == 0);
    CHECK(skipped.json().at("rejected") == 2);
    CHECK(skipped.json().at("appended") == 1);
    CHECK(at.text_of("wrong.jsonl") == line_with_id(2, "Changed") + line_with_id(5, "Twice"));
    CHECK(at.log().size() == 5);
}

TEST_CASE("a wrong line ends an import while its pipe stays open", "[e2e][import]") {
    const Workplace at;
    auto process = at.start({"import", "-", "--batch", "1"});
    process.write_line("{oops");
    // Nobody closes the pipe: were it read on, this would wait for ever.
    CHECK(process.read_all().empty());
    CHECK(process.wait() == 1);
}

// Goal:   an import that is killed at any moment and started again ends with every line once, in order.
// Method: hand it a random part of the lines through a pipe, which holds few of them, and kill it wherever it is
// when
//         the pipe has taken the last; again and again. Then let it have them all. The seed is printed.
TEST_CASE("an import killed at random moments ends with every line once and in order", "[e2e][import][crash]") {
    const Workplace at;
    constexpr int lines = 30'000;
    constexpr int lines_a_block = 100;
    constexpr int blocks = lines / lines_a_block;
    const auto block = [](int i) { return event_lines(lines_a_block, 1 + i * lines_a_block); };
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random{seed};
    const std::vector<std::string> import{"import", "-", "--source", "lines", "--batch", "200"};
    for (int run = 0; run < 20; ++run) {
        CAPTURE(run);
        auto process = at.start(import);
        for (int i = 0, given = std::uniform_int_distribution{0, blocks}(random); i < given; ++i)
            process.write(block(i));
        process.kill();
        CHECK(process.wait() == 128 + SIGKILL);
    }
    const auto last = at.stele(import, {.input = event_lines(lines)});
    INFO(last);
    REQUIRE(last.status == 0);
    CHECK(numbers_in(at.log()) == counting(1, lines));
}

TEST_CASE("SIGINT and SIGTERM end an import behind a whole line, and the next one goes on", "[e2e][import]") {
    const Workplace at;
    for (const int signal : {SIGINT, SIGTERM}) {
        CAPTURE(signal);
        const std::string name = "pipe-" + std::to_string(signal);
        auto process = at.start({"import", "-", "--source", name, "--batch", "1"});
        std::string line = test::event_line("1", name);
        line.pop_back();
        process.write_line(line);
        // The event is in the log: the import waits for more.
        while (!at.exists("log.stele/events.db") || at.stele({"events", "--type", name, "--json"}).out.empty())
            std::this_thread::yield();
        process.kill(signal);
        // Its input stays open: what ends it is the signal.
        const auto out = process.read_all();
        CHECK_THAT(out, ContainsSubstring("1 event appended"));
        CHECK(process.wait() == 1);
        const auto again = at.stele({"import", "-", "--source", name, "--json"},
                                    {.input = test::event_line("1", name) + test::event_line("2", name)});
        INFO(again);
        CHECK(again.json().at("skipped_lines") == 1);
        CHECK(again.json().at("appended") == 1);
    }
}
