// stele import: what lines are taken, in what order, and what happens to those that are wrong.
#include "workplace.hpp"

using namespace stele;
using nlohmann::json;
using test::counting;
using test::event_line;
using test::event_lines;
using test::numbers_in;
using test::Workplace;

namespace {

// Two good lines, one that is wrong at line 2, and one that is not even JSON at line 4.
std::string lines_with_two_wrong() {
    return event_line("1", "A") + event_line("1", "") + event_line("1", "B") + "{oops\n" + event_line("2", "C");
}

}  // namespace

TEST_CASE("events come in the order of the lines, however streams alternate", "[e2e][import]") {
    const Workplace at;
    at.write("lines.jsonl", event_lines(2500));
    const auto ran = at.stele({"import", "lines.jsonl", "--batch", "100", "--json"});
    INFO(ran);
    REQUIRE(ran.status == 0);
    CHECK(ran.json().at("source") == "lines.jsonl");
    CHECK(ran.json().at("lines") == 2500);
    CHECK(ran.json().at("appended") == 2500);
    CHECK(ran.json().at("duplicates") == 0);
    CHECK(ran.json().at("rejected") == 0);
    CHECK(ran.json().at("seconds").is_number());
    CHECK(ran.err.empty());
    CHECK(numbers_in(at.log()) == counting(1, 2500));
}

TEST_CASE("gzip is unpacked whatever its name, and members behind one another are one text", "[e2e][import]") {
    const Workplace at;
    at.write_gzip("one.gz", event_lines(1000));
    at.write_gzip("two.gz", event_lines(1000, 1001));
    at.write("both", at.text_of("one.gz") + at.text_of("two.gz") + std::string(512, '\0'));
    const auto ran = at.stele({"import", "both", "--json"});
    INFO(ran);
    REQUIRE(ran.status == 0);
    CHECK(ran.json().at("appended") == 2000);
    CHECK(numbers_in(at.log()) == counting(1, 2000));
}

TEST_CASE("gzip that is cut off or damaged stops the import behind its good lines, and says so", "[e2e][import]") {
    const Workplace at;
    at.write_gzip("whole.gz", event_lines(20'000));
    const auto whole = at.text_of("whole.gz");
    at.write("lines.gz", whole.substr(0, whole.size() / 2));
    const auto cut = at.stele({"import", "lines.gz"});
    CHECK(cut.status == 1);
    CHECK_THAT(cut.err, ContainsSubstring("lines.gz: the gzip data end in the middle"));
    const auto some = numbers_in(at.log());
    REQUIRE_FALSE(some.empty());
    CHECK(some == counting(1, static_cast<int>(some.size())));

    // The rest arrives: the import goes on.
    at.write("lines.gz", whole);
    CHECK(at.stele({"import", "lines.gz"}).status == 0);
    CHECK(numbers_in(at.log()) == counting(1, 20'000));

    auto damaged = whole;
    damaged[whole.size() / 2] = static_cast<char>(damaged[whole.size() / 2] ^ 0x55);
    at.write("damaged.gz", damaged);
    const auto bad = at.stele({"import", "damaged.gz", "--store", "other.stele"});
    INFO(bad);
    CHECK(bad.status == 1);
    at.write("tail.gz", whole + "tail");
    const auto tail = at.stele({"import", "tail.gz", "--store", "third.stele"});
    CHECK(tail.status == 1);
    CHECK_THAT(tail.err, ContainsSubstring("is no gzip"));
}

TEST_CASE("standard input is imported, and remembered only under a name", "[e2e][import]") {
    const Workplace at;
    const auto lines = event_lines(10);
    CHECK(at.stele({"import", "-"}, {.input = lines}).status == 0);
    CHECK(at.stele({"import", "-"}, {.input = lines}).status == 0);
    CHECK(at.log().size() == 20);

    CHECK(at.stele({"import", "-", "--source", "pipe"}, {.input = lines}).status == 0);
    CHECK(at.log().size() == 30);
    const auto again =
        at.stele({"import", "-", "--source", "pipe", "--json"}, {.input = lines + event_lines(1, 11)});
    CHECK(again.json().at("lines") == 1);
    CHECK(again.json().at("appended") == 1);
    CHECK(at.log().size() == 31);
}

TEST_CASE("blank lines, CRLF, a byte order mark and a missing last line feed are no faults", "[e2e][import]") {
    const Workplace at;
    std::string text = "\xEF\xBB\xBF" + event_line("1", "A") + "\n \t\r\n" + event_line("1", "B");
    text.insert(text.size() - 1, "\r");
    text += event_line("1", "C");
    text.pop_back();
    at.write("lines.jsonl", text);
    const auto ran = at.stele({"import", "lines.jsonl", "--json"});
    INFO(ran);
    REQUIRE(ran.status == 0);
    CHECK(ran.json().at("lines") == 5);
    CHECK(at.log("type") == std::vector<std::string>{"A", "B", "C"});
}

TEST_CASE("an empty file imports nothing", "[e2e][import]") {
    const Workplace at;
    at.write("lines.jsonl", "");
    const auto ran = at.stele({"import", "lines.jsonl", "--json"});
    CHECK(ran.status == 0);
    CHECK(ran.json().at("lines") == 0);
    CHECK(at.log().empty());
}

TEST_CASE("a wrong line stops the import: it is named, and what stands before it is in the log", "[e2e][import]") {
    const Workplace at;
    at.write("lines.jsonl", lines_with_two_wrong());
    const auto ran = at.stele({"import", "lines.jsonl"});
    INFO(ran);
    CHECK(ran.status == 1);
    CHECK(ran.out.empty());
    CHECK_THAT(ran.err, ContainsSubstring("lines.jsonl:2: type"));
    CHECK_THAT(ran.err,
               ContainsSubstring("the line starts at byte " + std::to_string(event_line("1", "A").size())));
    CHECK_THAT(ran.err, ContainsSubstring("1 event before it was appended"));
    CHECK_THAT(ran.err, ContainsSubstring("\ntry: "));
    CHECK(at.log("type") == std::vector<std::string>{"A"});

    const auto facts = at.stele({"import", "lines.jsonl", "--json"}).error();
    CHECK(facts.at("code") == "bad_line");
    CHECK(facts.at("line") == 2);
    CHECK(facts.at("byte") == event_line("1", "A").size());
    CHECK(facts.at("appended") == 0);
    CHECK_THAT(facts.at("reason").get<std::string>(), ContainsSubstring("type"));
}

TEST_CASE("a line that was put right lets the import go on behind it", "[e2e][import]") {
    const Workplace at;
    at.write("lines.jsonl", lines_with_two_wrong());
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 1);
    at.write("lines.jsonl", event_line("1", "A") + event_line("1", "Mended") + event_line("1", "B"));
    const auto ran = at.stele({"import", "lines.jsonl", "--json"});
    CHECK(ran.status == 0);
    CHECK(ran.json().at("appended") == 2);
    CHECK(at.log("type") == std::vector<std::string>{"A", "Mended", "B"});
}

TEST_CASE("import --on-error skip passes wrong lines over and names each of them", "[e2e][import]") {
    const Workplace at;
    at.write("lines.jsonl", lines_with_two_wrong());
    const auto ran = at.stele({"import", "lines.jsonl", "--on-error", "skip", "--json"});
    INFO(ran);
    CHECK(ran.status == 0);
    CHECK(ran.json().at("lines") == 5);
    CHECK(ran.json().at("appended") == 3);
    CHECK(ran.json().at("rejected") == 2);
    CHECK(at.log("type") == std::vector<std::string>{"A", "B", "C"});
    std::istringstream said{ran.err};
    std::vector<int> lines;
    for (std::string line; std::getline(said, line);)
        lines.push_back(json::parse(line).at("rejected").at("line").get<int>());
    CHECK(lines == std::vector<int>{2, 4});
}

TEST_CASE("import --on-error quarantine keeps wrong lines byte for byte, and they can be mended and imported",
          "[e2e][import]") {
    const Workplace at;
    at.write("lines.jsonl", lines_with_two_wrong() + "\xFF last, without a line feed");
    const auto ran = at.stele({"import", "lines.jsonl", "--on-error", "quarantine=wrong.jsonl"});
    INFO(ran);
    CHECK(ran.status == 0);
    CHECK_THAT(ran.out, ContainsSubstring("3 lines rejected"));
    CHECK_THAT(ran.err, ContainsSubstring("lines.jsonl:2: type"));
    CHECK(at.text_of("wrong.jsonl") == event_line("1", "") + "{oops\n\xFF last, without a line feed\n");

    at.write("wrong.jsonl", event_line("1", "Mended"));
    CHECK(at.stele({"import", "wrong.jsonl"}).status == 0);
    CHECK(at.log("type") == std::vector<std::string>{"A", "B", "C", "Mended"});
}

TEST_CASE("an unknown field is wrong, and so is --on-error that is none", "[e2e][import]") {
    const Workplace at;
    at.write("lines.jsonl", event_line("1", "A", R"(,"metdata":{})"));
    const auto ran = at.stele({"import", "lines.jsonl"});
    CHECK(ran.status == 1);
    CHECK_THAT(ran.err, ContainsSubstring("metdata"));
    CHECK(at.stele({"import", "lines.jsonl", "--on-error", "ignore"}).status == 2);
    CHECK(at.stele({"import", "lines.jsonl", "--on-error", "quarantine="}).status == 2);
    CHECK(at.stele({"import", "lines.jsonl", "--on-error", "quarantine=./lines.jsonl"}).status == 2);
    CHECK(at.stele({"import", "nothing.jsonl"}).status == 4);
    CHECK(at.stele({"import", "."}).status == 1);
}

TEST_CASE("a line longer than an event may be is an error, and the lines around it are taken", "[e2e][import]") {
    const Workplace at;
    const std::string filler(18U << 20, 'x');
    const std::string too_long =
        R"({"aggregate_type":"Site","aggregate_id":"1","type":"Long","data":")" + filler + "\"}\n";
    at.write("lines.jsonl", event_line("1", "A") + too_long + event_line("1", "B"));

    const auto stopped = at.stele({"import", "lines.jsonl"});
    CHECK(stopped.status == 1);
    CHECK_THAT(stopped.err, ContainsSubstring("lines.jsonl:2: line: expected at most"));
    CHECK(at.log("type") == std::vector<std::string>{"A"});

    // What is not kept cannot be put into quarantine, and must not be lost either.
    CHECK(at.stele({"import", "lines.jsonl", "--on-error", "quarantine=wrong.jsonl"}).status == 1);
    CHECK(at.text_of("wrong.jsonl").empty());
    CHECK(at.log("type") == std::vector<std::string>{"A"});

    const auto skipped = at.stele({"import", "lines.jsonl", "--on-error", "skip", "--json"});
    CHECK(skipped.status == 0);
    CHECK(skipped.json().at("rejected") == 1);
    CHECK(at.log("type") == std::vector<std::string>{"A", "B"});
}

TEST_CASE("CloudEvents are imported, and recognised when they come again from elsewhere", "[e2e][import]") {
    const Workplace at;
    const std::string lines =
        R"({"specversion":"1.0","id":"A1","source":"/shop/orders","subject":"o-1","type":"OrderPlaced","data":{"n":1}})"
        "\n"
        R"({"specversion":"1.0","id":"A2","source":"/shop/orders","subject":"o-1","type":"OrderPaid"})"
        "\n";
    at.write("events.jsonl", lines);
    at.write("copy.jsonl", lines);
    CHECK(at.stele({"import", "events.jsonl", "--format", "cloudevents"}).status == 0);
    const auto again = at.stele({"import", "copy.jsonl", "--format", "cloudevents", "--json"});
    CHECK(again.json().at("duplicates") == 2);
    const auto log = at.log();
    REQUIRE(log.size() == 2);
    CHECK(log.front().at("aggregate_type") == "orders");
    CHECK(log.front().at("aggregate_id") == "o-1");
    CHECK(log.front().at("metadata").at("source_id") == "A1");

    const auto wrong = at.stele({"import", "-", "--format", "cloudevents"}, {.input = event_line("1", "A")});
    CHECK(wrong.status == 1);
    CHECK_THAT(wrong.err, ContainsSubstring("standard input:1: "));
}
