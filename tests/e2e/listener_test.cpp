// stele listener, dead-letter, explain, debug-event, status --detailed and health, in a program that has listeners.
#include "workplace.hpp"

#include <sqlite3.h>

#include <map>

using namespace stele;
using nlohmann::json;
using test::event_line;
using test::Ran;
using test::Workplace;

namespace {

// The command of the program with listeners.
class Listening {
public:
    // A, B, A, A on Site/1, Site/2, Site/1, Site/2.
    Listening() {
        at.write("lines.jsonl",
                 event_line("1", "A") + event_line("2", "B") + event_line("1", "A") + event_line("2", "A"));
        REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);
    }

    [[nodiscard]] Ran run(std::vector<std::string> words,
                          const std::map<std::string, std::string>& environment = {}) const {
        words.insert(words.begin(), STELE_LISTENER_PROGRAM);
        return at.program(words, {.environment = environment});
    }
    [[nodiscard]] json status_of(const std::string& name) const {
        return run({"listener", "status", name, "--json"}).json();
    }
    // Positions 1 and 4 are dead and hold their keys; 3 waits behind 1.
    void let_mail_fail() const { REQUIRE(run({"deliver"}, {{"MAIL", "down"}}).status == 0); }

    // As if somebody else had written it.
    void write_control(const std::string& sql) const {
        sqlite3* db = nullptr;
        REQUIRE(sqlite3_open(at.path("log.stele/control.db").c_str(), &db) == SQLITE_OK);
        CHECK(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
        sqlite3_close(db);
    }

    Workplace at;
};

}  // namespace

TEST_CASE("listeners are listed, and their status says all there is", "[e2e][listener]") {
    const Listening program;
    CHECK(program.status_of("mail").at("state") == "new");
    REQUIRE(program.run({"deliver"}).status == 0);
    const auto listed = program.run({"listener", "list", "--json"}).json_lines();
    REQUIRE(listed.size() == 2);
    CHECK(listed[0].at("name") == "big");
    CHECK(listed[1].at("name") == "mail");
    CHECK(listed[1].at("state") == "live");
    CHECK(listed[1].at("position") == 4);
    CHECK(listed[1].at("head") == 4);
    CHECK(listed[1].at("lag_events") == 0);
    CHECK(listed[1].at("lag_seconds") == 0);
    CHECK(listed[1].at("parked") == 0);
    CHECK(listed[1].at("dead") == 0);
    CHECK(listed[1].at("owner").is_null());
    CHECK(listed[1].at("error").is_null());
    CHECK(listed[1].at("counts").at("delivered") == 3);
    CHECK_THAT(program.run({"listener", "list"}).out, ContainsSubstring("LISTENER  STATE  POSITION  BEHIND"));

    const auto people = program.run({"listener", "status", "mail"});
    CHECK_THAT(people.out, ContainsSubstring("mail: live since "));
    CHECK_THAT(people.out, ContainsSubstring("so far      3 delivered\n"));
    const auto unknown = program.run({"listener", "status", "mial"});
    CHECK(unknown.status == 4);
    CHECK_THAT(unknown.err, ContainsSubstring("no listener \"mial\"\ntry: stele listener status mail"));

    // The command without the program knows of them by what they have left.
    CHECK(program.at.stele({"listener", "status", "mail", "--json"}).json().at("state") == "retired");
}

TEST_CASE("a listener is paused and resumed from the command line", "[e2e][listener]") {
    const Listening program;
    CHECK(program.run({"listener", "pause", "mail"}).out == "mail: paused, at position 0\n");
    CHECK(program.run({"deliver"}).out.empty());
    CHECK(program.status_of("mail").at("state") == "paused");
    CHECK(program.run({"health", "--max-lag-events", "0"}).status == 0);
    CHECK(program.run({"listener", "resume", "mail"}).out ==
          "mail: goes on, at position 0, as soon as somebody runs it\n");
    CHECK_THAT(program.run({"deliver"}).out, ContainsSubstring("mail 3\n"));
    CHECK(program.run({"listener", "pause", "--all", "--json"}).json_lines().size() == 2);
    for (const std::string word : {"pause", "resume"}) {
        CHECK(program.run({"listener", word}).status == 2);
        const auto misspelt = program.run({"listener", word, "mial"});
        CHECK(misspelt.status == 4);
        CHECK_THAT(misspelt.err, ContainsSubstring("try: stele listener " + word + " mail"));
    }
}

TEST_CASE("a rewind says what would be sent, and sends it", "[e2e][listener]") {
    const Listening program;
    CHECK(program.run({"listener", "rewind", "mail", "--to", "0"}).status == 4);
    REQUIRE(program.run({"deliver"}).status == 0);
    CHECK(program.run({"listener", "rewind", "mail"}).status == 2);
    const auto planned = program.run({"listener", "rewind", "mail", "--to", "1", "--dry-run"});
    CHECK(planned.status == 0);
    CHECK_THAT(planned.out,
               ContainsSubstring("mail: would go from position 4 back to 1; 2 events would be sent again, "
                                 "0 of them parked, 0 dead\n"));
    CHECK(program.run({"deliver"}).out.empty());

    const auto done = program.run({"listener", "rewind", "mail", "--to", "1", "--json"}).json();
    CHECK(done.at("events") == 2);
    CHECK(done.at("first").at(0).at("position") == 3);
    CHECK(done.at("dry_run") == false);
    const auto sent = program.run({"deliver"}).out;
    CHECK_THAT(sent, ContainsSubstring("mail 3\n"));
    CHECK_THAT(sent, ContainsSubstring("mail 4\n"));
    const auto beyond = program.run({"listener", "rewind", "mail", "--to", "9"});
    CHECK(beyond.status == 1);
    CHECK_THAT(beyond.err, ContainsSubstring("going forward would skip events"));
}

TEST_CASE("dead letters are listed, shown, counted, tried again and given up", "[e2e][listener][dead-letter]") {
    const Listening program;
    CHECK(program.run({"dead-letter", "list"}).status == 0);
    CHECK_THAT(program.run({"dead-letter", "list"}).err, ContainsSubstring("no dead letters\n"));
    CHECK(program.run({"dead-letter", "show", "1"}).status == 4);
    program.let_mail_fail();

    const auto letters = program.run({"dead-letter", "list", "--json"}).json_lines();
    REQUIRE(letters.size() == 2);
    std::map<int, json> by_position;
    for (const auto& letter : letters) by_position[letter.at("position").get<int>()] = letter;
    const auto first = by_position.at(1);
    const auto id = std::to_string(first.at("id").get<int>());
    CHECK(first.at("listener") == "mail");
    CHECK(first.at("stream") == "Site/1");
    CHECK(first.at("type") == "A");
    CHECK(first.at("attempts") == 1);
    CHECK(first.at("cause") == "refused");
    CHECK(first.at("error") == "no such mailbox");
    CHECK(first.at("holds_key") == true);
    CHECK(program.run({"dead-letter", "list", "--key", "Site/2", "--json"}).json().at("position") == 4);
    CHECK(program.run({"dead-letter", "list", "--listener", "big", "--json"}).out.empty());
    CHECK(program.run({"dead-letter", "list", "--cause", "refused", "--type", "A", "--limit", "1", "--json"})
              .json_lines()
              .size() == 1);
    CHECK(program.run({"dead-letter", "list", "--since", "2100-01-01", "--json"}).out.empty());

    const auto shown = program.run({"dead-letter", "show", id, "--json"}).json();
    CHECK(shown.at("attempts_made").size() == 1);
    CHECK(shown.at("attempts_made").at(0).at("error") == "no such mailbox");
    CHECK(shown.at("event").at("position") == 1);
    const auto text = program.run({"dead-letter", "show", id}).out;
    CHECK_THAT(text, ContainsSubstring("dead letter " + id + " of mail, key Site/1: later events of the key wait"));
    CHECK_THAT(text, ContainsSubstring("no such mailbox"));

    CHECK(program.run({"dead-letter", "stats", "--json"}).json().at("count") == 2);

    CHECK(program.run({"dead-letter", "retry"}).status == 2);
    CHECK(program.run({"dead-letter", "retry", "x"}).status == 2);
    CHECK(program.run({"dead-letter", "retry", "99"}).status == 4);
    const auto planned = program.run({"dead-letter", "retry", "--all", "--dry-run"});
    CHECK_THAT(planned.out, ContainsSubstring("would be tried again"));
    CHECK_THAT(planned.err, ContainsSubstring("2 dead letters, nothing was changed"));
    CHECK(program.run({"deliver"}).out.empty());

    const auto retried = program.run({"dead-letter", "retry", id});
    CHECK(retried.status == 0);
    CHECK(retried.out == id + ": A of Site/1 at position 1 for mail is tried again\n");
    CHECK_THAT(retried.err, ContainsSubstring("mail is run by nobody"));
    CHECK(program.run({"deliver"}).out == "mail 1\nmail 3\n");
    CHECK(program.run({"dead-letter", "list", "--json"}).json().at("position") == 4);

    CHECK(program.run({"dead-letter", "discard"}).status == 2);
    const auto discarded = program.run({"dead-letter", "discard", "--listener", "mail", "--json"});
    CHECK(discarded.json().at("position") == 4);
    CHECK(program.run({"dead-letter", "list", "--json"}).out.empty());
    CHECK(program.run({"deliver"}).out.empty());
    CHECK(program.status_of("mail").at("parked") == 0);
}

TEST_CASE("an explanation says what listeners make of an event, and what has become of it", "[e2e][listener]") {
    const Listening program;
    program.let_mail_fail();
    const auto dead = program.run({"explain", "1", "--json"}).json();
    CHECK(dead.at("position") == 1);
    CHECK(dead.at("type") == "A");
    const auto big = dead.at("listeners").at(0);
    CHECK(big.at("listener") == "big");
    CHECK(big.at("selected") == false);
    CHECK(big.at("fate") == "not selected");
    CHECK(big.at("reason") == "its where does not hold: $data(size) > 100");
    const auto mail = dead.at("listeners").at(1);
    CHECK(mail.at("selected") == true);
    CHECK(mail.at("fate") == "dead");
    CHECK(mail.at("key") == "Site/1");
    CHECK(mail.at("delivery_key").get<std::string>().size() == 43);
    CHECK(mail.at("error") == "no such mailbox");

    const auto by_id = program.run({"explain", dead.at("id").get<std::string>(), "--json"}).json();
    CHECK(by_id == dead);
    CHECK_THAT(program.run({"explain", "3"}).out,
               ContainsSubstring("  mail: parked: it waits behind position 1 of the same key\n"));
    CHECK(program.run({"explain", "99"}).status == 4);
    CHECK(program.run({"explain", "0193fbd2-7c1e-7000-8000-000000000001"}).status == 4);
    CHECK(program.run({"explain", "first"}).status == 2);

    const auto history = program.run({"debug-event", "--history", "2", "--json"}).json_lines();
    REQUIRE(history.size() == 2);
    CHECK(history[0].at("position") == 3);
    CHECK(history[1].at("position") == 4);
    CHECK(program.run({"debug-event", "1", "--json"}).json() == dead);
    CHECK(program.run({"debug-event", "--history", "99", "--json"}).json_lines().size() == 4);
    CHECK(program.run({"debug-event"}).status == 2);
    CHECK_THAT(program.at.stele({"explain", "1"}).err, ContainsSubstring("no listeners are defined"));

    const auto of_one = program.run({"listener", "explain", "mail", "1", "--json"}).json();
    REQUIRE(of_one.at("listeners").size() == 1);
    CHECK(of_one.at("listeners").at(0) == mail);
    const auto definition = program.run({"listener", "explain", "mail"}).out;
    CHECK_THAT(definition, ContainsSubstring("selects      events of (type A)"));
    CHECK_THAT(definition, ContainsSubstring("order        by stream"));
    CHECK_THAT(definition, ContainsSubstring("retries      up to 3 attempts, after 30 s, 1 min 00 s"));
    CHECK_THAT(definition, ContainsSubstring("at last      a dead letter; later events of the key wait"));
    CHECK(program.run({"listener", "explain", "big", "--json"}).json().at("selects") ==
          "every event where $data(size) > 100");
    CHECK(program.at.stele({"listener", "explain", "mail"}).status == 4);
}

TEST_CASE("status has listeners too, and with --detailed whether each is healthy", "[e2e][listener][status]") {
    const Listening program;
    program.let_mail_fail();
    const auto brief = program.run({"status", "--json"}).json();
    REQUIRE(brief.at("listeners").size() == 2);
    CHECK_FALSE(brief.at("listeners").at(0).contains("healthy"));
    CHECK_THAT(program.run({"status"}).out, ContainsSubstring("LISTENER  STATE"));

    program.write_control(
        "UPDATE listeners SET state = 'failed', failed_position = 2, error = 'gone' WHERE name = "
        "'big'");
    const auto detailed = program.run({"status", "--detailed", "--json"}).json().at("listeners");
    CHECK(detailed.at(0).at("healthy") == false);
    CHECK(detailed.at(0).at("reasons").at(0) == "has stopped at position 2: gone");
    CHECK(detailed.at(1).at("healthy") == true);
    CHECK(detailed.at(1).at("queue_depth") == 3);
    CHECK(detailed.at(1).at("held_keys") == 2);
    CHECK(detailed.at(1).at("breaker").is_null());
    const auto text = program.run({"status", "--detailed"}).out;
    CHECK_THAT(text, ContainsSubstring("  healthy     no\n              has stopped at position 2: gone\n"));
    CHECK_THAT(text, ContainsSubstring("3 events of 2 keys, 2 held"));
}

TEST_CASE("health is green or red, and says each reason", "[e2e][listener][health]") {
    const Listening program;
    REQUIRE(program.run({"deliver"}).status == 0);
    const auto green = program.run({"health"});
    CHECK(green.status == 0);
    CHECK(green.out == "healthy: 0 projections, 2 listeners\n");
    CHECK(program.run({"health", "--json"}).json().at("healthy") == true);

    REQUIRE(program.at.stele({"append", "Site/1", "A"}).status == 0);
    CHECK(program.run({"health"}).status == 0);
    const auto behind = program.run({"health", "--max-lag-events", "0", "--json"});
    CHECK(behind.status == 1);
    CHECK(behind.json().at("reasons").size() == 2);
    CHECK(behind.json().at("reasons").at(0).at("kind") == "listener");

    program.let_mail_fail();
    CHECK(program.run({"health"}).status == 0);
    const auto dead = program.run({"health", "--max-dead", "0"});
    CHECK(dead.status == 1);
    CHECK(dead.out == "listener mail has 1 dead letter, the limit is 0\n");

    program.write_control("UPDATE listeners SET state = 'failed', failed_position = 2, error = 'gone'");
    const auto stopped = program.run({"health"});
    CHECK(stopped.status == 1);
    CHECK(stopped.out ==
          "listener big has stopped at position 2: gone\nlistener mail has stopped at position 2: gone\n");
}

TEST_CASE("health is red where the head moves and a position does not, of listeners and projections",
          "[e2e][listener][health]") {
    const Listening program;
    program.at.write("stele.toml", "store = \"log.stele\"\n");
    program.at.write(
        "projections/all.sql",
        "--@ projection everything version 1\n--@ create\nCREATE TABLE t (p INTEGER);\n--@ on *\nINSERT "
        "INTO t VALUES ($position);\n");
    REQUIRE(program.at.stele({"projection", "rebuild", "everything"}).status == 0);
    REQUIRE(program.run({"deliver"}).status == 0);
    CHECK(program.at.stele({"health", "--stalled-after", "0"}).status == 0);

    // Nobody runs anything.
    REQUIRE(program.at.stele({"append", "Site/1", "A"}).status == 0);
    CHECK(program.at.stele({"health"}).status == 0);
    const auto red = program.at.stele({"health", "--stalled-after", "0"});
    CHECK(red.status == 1);
    CHECK_THAT(red.out, ContainsSubstring("projection everything 1 event waits, the first for "));
    CHECK_THAT(red.out, ContainsSubstring("and nobody advances it\n"));
    CHECK_THAT(program.run({"health", "--stalled-after", "0"}).out,
               ContainsSubstring("listener mail 1 event waits, the first for "));

    program.at.write("projections/broken.sql", "--@ projection");
    const auto broken = program.at.stele({"health"});
    CHECK(broken.status == 1);
    CHECK_THAT(broken.out, ContainsSubstring("broken.sql"));
}
