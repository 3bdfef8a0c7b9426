// A .sql file is cut into its sections, and every mistake in it is named by file and line.
#include <stele/schema/sql/directive_file.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/temporary_folder.hpp>

#include <fstream>

namespace stele {
namespace {

using sql::DefinitionError;
using sql::DirectiveFile;
using Names = std::vector<std::string>;

DirectiveFile parse(const std::string& text) { return DirectiveFile::parse(text, "p.sql"); }

// The message of the error that `use` throws.
template <class Use>
std::string message_of(const Use& use) {
    try {
        use();
    } catch (const DefinitionError& error) {
        return error.what();
    }
    return "no error";
}

std::string heading_error(const std::string& line) {
    return message_of([&] {
        (void)parse(line).heading("projection", {{"mode", {"sync", "async"}}, {"on-error", {"stop", "skip"}}});
    });
}

std::string types_error(const std::string& line) {
    return message_of([&] { (void)parse(line).sections().front().event_types(); });
}

TEST_CASE("a file is its directives, each with the text behind it", "[sql][directives]") {
    const auto file = parse(
        "-- what it is for\n"
        "\n"
        "--@ projection tenant_stats version 2 mode sync\n"
        "--@ create\n"
        "CREATE TABLE t (x);\n"
        "-- done\n"
        "  --@on A, \"B, \"\"c\"\"\"\n"
        "DELETE FROM t;");

    const auto& sections = file.sections();
    REQUIRE(sections.size() == 3);
    CHECK(sections[0].keyword == "projection");
    CHECK(sections[0].line == 3);
    CHECK(sections[0].has_empty_body());
    CHECK(sections[1].keyword == "create");
    CHECK(sections[1].body.text == "CREATE TABLE t (x);\n-- done\n");
    CHECK(sections[1].body.line == 5);
    CHECK(sections[1].body.line_at(20) == 6);
    CHECK(sections[2].keyword == "on");
    CHECK(sections[2].line == 7);
    CHECK(sections[2].event_types() == Names{"A", "B, \"c\""});
    CHECK(sections[2].body.text == "DELETE FROM t;");
    CHECK(sections[2].body.file == "p.sql");
}

TEST_CASE("a heading has a name, a version and options", "[sql][directives]") {
    const auto heading =
        parse("--@ projection tenant_stats version 12 on-error skip mode async\n-- said\n--@ create")
            .heading("projection", {{"mode", {"sync", "async"}}, {"on-error", {"stop", "skip"}}});
    CHECK(heading.name == "tenant_stats");
    CHECK(heading.version == 12);
    CHECK(heading.options.at("mode") == "async");
    CHECK(heading.options.at("on-error") == "skip");
}

TEST_CASE("line ends of Windows and a byte order mark do no harm", "[sql][directives]") {
    const auto file = parse("\xEF\xBB\xBF--@ projection p version 1\r\n--@ on A\r\nDELETE FROM t;\r\n");
    CHECK(file.heading("projection").name == "p");
    CHECK(file.sections()[1].event_types() == Names{"A"});
    CHECK(file.sections()[1].body.line == 3);
}

TEST_CASE("a star stands for any type, and in quotes it is a name", "[sql][directives]") {
    CHECK(parse("--@ on *").sections()[0].event_types().empty());
    CHECK(parse("--@ on \"*\"").sections()[0].event_types() == Names{"*"});
}

TEST_CASE("a file without a directive, or with SQL before it, is refused", "[sql][directives]") {
    CHECK_THAT(message_of([] { parse("-- nothing\n/* at\nall */\n"); }),
               ContainsSubstring("p.sql:1: expected a directive (a line that starts with --@), found none"));
    CHECK_THAT(message_of([] { parse(""); }), ContainsSubstring("p.sql:1: expected a directive"));
    CHECK_THAT(message_of([] { parse("-- x\n\nSELECT 1;\n--@ create"); }),
               ContainsSubstring("p.sql:3: expected a directive (a line that starts with --@), found SQL before"));
}

TEST_CASE("a directive that cannot be read is named by its line", "[sql][directives]") {
    CHECK_THAT(message_of([] { parse("\n--@\n"); }), ContainsSubstring("p.sql:2: expected a keyword behind --@"));
    CHECK_THAT(message_of([] { parse("--@ on \"A\n"); }),
               ContainsSubstring("p.sql:1: expected a closing double quote, found the end of the line"));
}

TEST_CASE("a heading that breaks a rule says which", "[sql][directives]") {
    CHECK_THAT(heading_error("--@ aggregate A version 1"),
               ContainsSubstring("p.sql:1: expected --@ projection NAME version N, found --@ aggregate"));
    CHECK_THAT(heading_error("--@ projection"), ContainsSubstring("expected a name"));
    CHECK_THAT(heading_error("--@ projection p"), ContainsSubstring("expected version, as in"));
    CHECK_THAT(heading_error("--@ projection p 2"), ContainsSubstring("found \"2\""));
    CHECK_THAT(heading_error("--@ projection p version"), ContainsSubstring("expected a version: 1, 2, 3"));
    for (const auto* const version : {"0", "-1", "1.5", "x", "99999999999", "\"1\""}) {
        CAPTURE(version);
        CHECK_THAT(heading_error(std::string{"--@ projection p version "} + version),
                   ContainsSubstring("expected a version: 1, 2, 3"));
    }
    CHECK_THAT(heading_error("--@ projection p version 1 fast yes"),
               ContainsSubstring("expected an option: mode or on-error, found \"fast\""));
    CHECK_THAT(heading_error("--@ projection p version 1 mode quick"),
               ContainsSubstring("expected mode sync or async, found \"quick\""));
    CHECK_THAT(heading_error("--@ projection p version 1 mode"), ContainsSubstring("found the end of the line"));
    CHECK_THAT(heading_error("--@ projection p version 1 mode sync mode async"),
               ContainsSubstring("expected each option once, found \"mode\" twice"));
    CHECK_THAT(heading_error("--@ projection p version 1\n\n  CREATE TABLE t (x);"),
               ContainsSubstring("p.sql:3: expected another directive behind the heading, found SQL"));
}

TEST_CASE("a list of event types that breaks a rule says which", "[sql][directives]") {
    CHECK_THAT(types_error("--@ on"), ContainsSubstring("expected an event type, found the end of the line"));
    CHECK_THAT(types_error("--@ on A,"), ContainsSubstring("expected an event type, found the end of the line"));
    CHECK_THAT(types_error("--@ on ,A"), ContainsSubstring("expected an event type, found \",\""));
    CHECK_THAT(types_error("--@ on A B"), ContainsSubstring("expected a comma between event types, found \"B\""));
    CHECK_THAT(types_error("--@ on A, *"), ContainsSubstring("expected event types, or * alone"));
    CHECK_THAT(types_error("--@ on *, A"), ContainsSubstring("expected event types, or * alone"));
    CHECK_THAT(types_error("--@ on A, B, A"),
               ContainsSubstring("expected each event type once, found \"A\" twice"));
    CHECK_THAT(types_error("--@ on \"\""), ContainsSubstring("expected an event type, found \"\""));
}

TEST_CASE("a file is read from disk, and one that cannot be is named", "[sql][directives]") {
    const test::TemporaryFolder folder;
    const auto path = folder.path() / "p.sql";
    std::ofstream{path} << "--@ projection p version 1\n";
    CHECK(DirectiveFile::load(path).heading("projection").name == "p");
    CHECK(DirectiveFile::load(path).text() == "--@ projection p version 1\n");

    CHECK_THAT(message_of([&] { (void)DirectiveFile::load(folder.path() / "absent.sql"); }),
               ContainsSubstring("absent.sql: expected a file that can be read, found No such file"));
    CHECK_THAT(message_of([&] { (void)DirectiveFile::load(folder.path()); }), ContainsSubstring("found a folder"));
}

}  // namespace
}  // namespace stele
