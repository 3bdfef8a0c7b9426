// What holds for every command: help, what is said of mistakes, which store is meant.
#include "workplace.hpp"

#include <sqlite3.h>

using namespace stele;
using test::Workplace;

namespace {

using Words = std::vector<std::string>;

Words with_help(Words words) {
    words.emplace_back("--help");
    return words;
}

const std::vector<Words>& commands() {
    static const std::vector<Words> all{{"init"},
                                        {"append"},
                                        {"import"},
                                        {"export"},
                                        {"read"},
                                        {"events"},
                                        {"streams"},
                                        {"types"},
                                        {"replay"},
                                        {"diff"},
                                        {"blame"},
                                        {"bisect"},
                                        {"trace"},
                                        {"find"},
                                        {"status"},
                                        {"bench"},
                                        {"projection", "list"},
                                        {"projection", "rebuild"},
                                        {"projection", "query"}};
    return all;
}

std::string joined(const Words& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

}  // namespace

TEST_CASE("every command says what it does, its usage, an example and its exit status", "[e2e][help]") {
    const Workplace at;
    const auto overview = at.stele({"--help"}).out;
    for (const auto& words : commands()) {
        const auto ran = at.stele(with_help(words));
        INFO(ran);
        CHECK(ran.status == 0);
        CHECK(ran.err.empty());
        CHECK_THAT(ran.out, ContainsSubstring("\nusage: stele " + joined(words)));
        CHECK_THAT(ran.out, ContainsSubstring("\nexample"));
        CHECK_THAT(ran.out, ContainsSubstring("\nexit status: 0 "));
        CHECK_THAT(ran.out, ContainsSubstring("--json"));
        CHECK_THAT(overview, ContainsSubstring("\n  " + words.front() + " "));
    }
    CHECK_FALSE(at.exists("log.stele"));
}

TEST_CASE("the option --version prints the version", "[e2e][help]") {
    const auto ran = Workplace{}.stele({"--version"});
    CHECK(ran.status == 0);
    CHECK_THAT(ran.out, ContainsSubstring("stele 0."));
}

TEST_CASE("a mistake on the command line exits with 2 and says what may have been meant", "[e2e][help]") {
    const Workplace at;
    const auto refused = [&](const Words& words, const std::string& message, const std::string& next) {
        const auto ran = at.stele(words);
        INFO(ran);
        CHECK(ran.status == 2);
        CHECK(ran.out.empty());
        CHECK_THAT(ran.err, ContainsSubstring(message));
        CHECK_THAT(ran.err, ContainsSubstring("try: " + next));
    };
    refused({}, "stele: which command?", "stele --help");
    refused({"projection"}, "stele projection: which command?", "stele projection --help");
    refused({"evnts"}, "no command \"evnts\"", "stele events");
    refused({"projection", "rebiuld"}, "no command \"rebiuld\"", "stele projection rebuild");
    refused({"events", "--typ", "T"}, "no option --typ", "stele events --type");
    refused({"types", "more"}, "one argument too many: \"more\"", "stele types --help");
    refused({"read"}, "STREAM is required", "stele read --help");
    refused({"events", "--limit", "many"}, "--limit: expected a whole number, found \"many\"",
            "stele events --help");
    refused({"events", "--since", "lately"}, "--since: expected a time", "stele events --help");
    refused({"events", "--follow", "--backward"}, "--follow", "stele events --help");
}

TEST_CASE("with --json an error is one object, whatever it is about", "[e2e][help]") {
    const Workplace at;
    const auto usage = at.stele({"events", "--limit", "many", "--json"});
    CHECK(usage.status == 2);
    CHECK(usage.error().at("code") == "command_line");
    CHECK(usage.error().at("try") == "stele events --help");

    const auto missing = at.stele({"--json", "events"});
    CHECK(missing.status == 4);
    CHECK(missing.error().at("code") == "not_found");
    CHECK(missing.error().at("store") == "log.stele");
    CHECK(missing.out.empty());
}

TEST_CASE("a command that reads makes no store, and says so", "[e2e][store]") {
    const Workplace at;
    for (const Words& words : {Words{"events"},
                               {"read", "Site/1"},
                               {"streams"},
                               {"types"},
                               {"status"},
                               {"export"},
                               {"replay", "Site/1"},
                               {"projection", "list"},
                               {"projection", "query", "p"}}) {
        const auto ran = at.stele(words);
        INFO(ran);
        CHECK(ran.status == 4);
        CHECK_THAT(ran.err, ContainsSubstring("log.stele: there is no store here"));
    }
    CHECK_FALSE(at.exists("log.stele"));
}

TEST_CASE("a store whose name is misspelt is found by its neighbours", "[e2e][store]") {
    const Workplace at;
    REQUIRE(at.stele({"append", "Site/1", "T", "--store", "audit.stele"}).status == 0);
    const auto ran = at.stele({"events", "--store", "audti.stele"});
    CHECK(ran.status == 4);
    CHECK_THAT(ran.err, ContainsSubstring("try: --store audit.stele"));
}

TEST_CASE("a folder that is no store, and a file, are not taken for one", "[e2e][store]") {
    const Workplace at;
    at.write("file", "text");
    CHECK(at.stele({"events", "--store", "file"}).status == 1);
    at.write("folder/events.db",
             "no database, and longer than the heading of one would be, so that it is looked at: "
             "a hundred bytes are needed for that");
    const auto ran = at.stele({"events", "--store", "folder"});
    INFO(ran);
    CHECK(ran.status == 1);
    CHECK_THAT(ran.err, ContainsSubstring("expected a Stele store"));
}

// Goal:   a damaged log is told from every other failure, by exit status 5.
// Method: move all of the log out of the WAL, whose frames SQLite drops where they are damaged; overwrite the
// middle of the file, page by page, leaving the headings; then read all of it.
TEST_CASE("a log that is damaged ends a read with exit status 5", "[e2e][store]") {
    const Workplace at;
    at.write("lines.jsonl", test::event_lines(3000));
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(at.path("log.stele/events.db").c_str(), &db) == SQLITE_OK);
    REQUIRE(sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", nullptr, nullptr, nullptr) == SQLITE_OK);
    REQUIRE(sqlite3_close(db) == SQLITE_OK);
    auto bytes = at.text_of("log.stele/events.db");
    constexpr std::size_t page = 4096;
    REQUIRE(bytes.size() > 40 * page);
    for (std::size_t at_page = 20; at_page < 30; ++at_page) bytes.replace(at_page * page, page, page, '\x5a');
    at.write("log.stele/events.db", bytes);
    const auto ran = at.stele({"events", "--json"});
    CHECK(ran.status == 5);
    CHECK_THAT(ran.err, ContainsSubstring("corrupt"));
}

TEST_CASE("the store is that of --store, else of STELE_STORE, else of stele.toml here or above", "[e2e][store]") {
    const Workplace at;
    at.write("stele.toml", "store = \"of-toml.stele\"\n");
    at.write("below/deep/file", "");
    const auto append_in = [&](const std::string& folder, const Words& more, const std::string& variable) {
        Words words{"append", "Site/1", "T"};
        words.insert(words.end(), more.begin(), more.end());
        const auto ran =
            at.stele(words, {.input = {}, .environment = {{"STELE_STORE", variable}}, .folder = folder});
        INFO(ran);
        CHECK(ran.status == 0);
    };
    append_in("", {"--store", "of-option.stele"}, "of-variable.stele");
    CHECK(at.exists("of-option.stele/events.db"));
    CHECK_FALSE(at.exists("of-variable.stele"));
    append_in("", {}, "of-variable.stele");
    CHECK(at.exists("of-variable.stele/events.db"));
    CHECK_FALSE(at.exists("of-toml.stele"));
    append_in("below/deep", {}, "");
    CHECK(at.exists("of-toml.stele/events.db"));
    at.write("other/stele.toml", "store = \"s.stele\"\n");
    append_in("below", {"--project", "../other"}, "of-variable.stele");
    CHECK(at.exists("other/s.stele/events.db"));
}

TEST_CASE("without a store anywhere, the message says how to name one", "[e2e][store]") {
    const Workplace at;
    const auto ran = at.stele({"events"}, {.input = {}, .environment = {{"STELE_STORE", ""}}});
    CHECK(ran.status == 2);
    CHECK_THAT(ran.err, ContainsSubstring("--store"));
    CHECK_THAT(ran.err, ContainsSubstring("stele.toml"));
}

TEST_CASE("a mistake in stele.toml is named by line", "[e2e][store]") {
    const Workplace at;
    const auto said = [&](const std::string& text) {
        at.write("stele.toml", text);
        const auto ran = at.stele({"events"}, {.input = {}, .environment = {{"STELE_STORE", ""}}});
        INFO(ran);
        CHECK(ran.status == 1);
        return ran.err;
    };
    CHECK_THAT(said("# first\nstoer = \"a.stele\"\n"),
               ContainsSubstring("stele.toml:2:1: unknown key \"stoer\"; did you mean \"store\"?"));
    CHECK_THAT(said("store = 7\n"), ContainsSubstring("stele.toml:1:9: store: expected a path in quotes"));
    CHECK_THAT(said("store = \n"), ContainsSubstring("stele.toml:1:"));
}
