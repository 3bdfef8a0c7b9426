// Secrets, templates, addresses, the log and the stream.
#include "vocabulary.hpp"

#include "address.hpp"
#include "event_template.hpp"
#include "text.hpp"

#include <stele/schema/event_json.hpp>
#include <stele/test/refusal.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include <cstring>

namespace stele::sinks {
namespace {

using stele::test::refused_field;
using stele::test::TemporaryFolder;
using test::Sinking;
using test::some_event;

// ---- secrets ----

std::string why_missing(const Secret& secret) {
    try {
        return "read: " + secret.read();
    } catch (const DeliveryFailed& error) {
        CHECK(error.cause() == "secret_missing");
        return error.what();
    }
}

TEST_CASE("a secret is read anew each time from where it is kept", "[sinks][secret]") {
    const TemporaryFolder folder;
    const auto secret = Secret::parse("file:" + (folder / "secret").string());
    test::write(folder / "secret", "one\n");
    CHECK(secret.read() == "one");
    test::write(folder / "secret", "two\r\n\n");
    CHECK(secret.read() == "two");

    ::setenv("STELE_TEST_SECRET", "three", 1);
    CHECK(Secret::parse("env:STELE_TEST_SECRET").read() == "three");
    ::setenv("STELE_TEST_SECRET", "", 1);
    CHECK(why_missing(Secret::parse("env:STELE_TEST_SECRET")) ==
          "secret env:STELE_TEST_SECRET: expected a value, found an empty variable");
    ::unsetenv("STELE_TEST_SECRET");
    CHECK(why_missing(Secret::parse("env:STELE_TEST_SECRET")) ==
          "secret env:STELE_TEST_SECRET: expected a value, found no variable STELE_TEST_SECRET in the environment");
}

TEST_CASE("a secret that is not there says where it was looked for", "[sinks][secret]") {
    const TemporaryFolder folder;
    const auto path = (folder / "secret").string();
    const auto secret = Secret::parse("file:" + path);
    CHECK_THAT(why_missing(secret), Catch::Matchers::StartsWith("secret file:" + path + ": ") &&
                                        ContainsSubstring("No such file or directory"));
    test::write(folder / "secret", "\n");
    CHECK_THAT(why_missing(secret), ContainsSubstring("found an empty file"));
    test::write(folder / "secret", std::string(65 * 1024, 's'));
    CHECK_THAT(why_missing(secret), ContainsSubstring("found more than 64 KiB"));
    CHECK_THAT(why_missing(Secret::parse("file:" + folder.path().string())), ContainsSubstring("Is a directory"));
}

TEST_CASE("a secret that stands where its reference should is refused without being shown", "[sinks][secret]") {
    const auto text = GENERATE(as<std::string>{}, "hunter2", "", "env:", "env:A B", "file:", "ENV:NAME");
    CAPTURE(text);
    const auto refusal = stele::test::refusal([&] { (void)Secret::parse(text, "password"); });
    CHECK(refusal.field() == "password");
    CHECK_THAT(refusal.what(), !ContainsSubstring("hunter2"));
    std::ostringstream printed;
    printed << test::secret("hunter2");
    CHECK(printed.str() == "the secret");
}

// ---- templates ----

std::string filled(const std::string& text, const Event& event = some_event()) {
    EventTexts texts;
    const auto which = texts.add_template({text, "stele.toml", 7});
    texts.take(event);
    return texts.text(which);
}

TEST_CASE("placeholders of a template are SQL over the event", "[sinks][template]") {
    CHECK(filled("no placeholder") == "no placeholder");
    CHECK(filled("{{ $data(error) }}") == "no space");
    CHECK(filled("{{$tenant}}/{{ upper($data(site)) }}!") == "acme/EXAMPLE.ORG!");
    CHECK(filled("[{{ $data(nothing) }}]") == "[]");
    CHECK(filled("{{ 1 + 1 }}{{ '}}' }}{{ '{{' }}") == "2}}{{");
    CHECK(filled("{{ $data(a) }}", some_event(R"({"a":"{{ $tenant }}"})")) == "{{ $tenant }}");
}

TEST_CASE("a template that cannot be compiled is refused at its line", "[sinks][template]") {
    const auto message = [](const std::string& text) -> std::string {
        try {
            return filled(text);
        } catch (const sql::DefinitionError& error) {
            return error.what();
        }
    };
    CHECK_THAT(message("a\nb {{ $data(error) "), Catch::Matchers::StartsWith("stele.toml:8: expected }}"));
    CHECK_THAT(message("a\n\n{{ $dat }}"), Catch::Matchers::StartsWith("stele.toml:9: "));
    CHECK_THAT(message("{{ (SELECT 1 FROM sqlite_master) }}"), Catch::Matchers::StartsWith("stele.toml:7: "));
    CHECK_THAT(message("{{ random() }}"), Catch::Matchers::StartsWith("stele.toml:7: "));
    CHECK_THAT(message("{{ }}"), Catch::Matchers::StartsWith("stele.toml:7: "));
}

TEST_CASE("SQL that fails for an event makes its delivery permanent", "[sinks][template]") {
    try {
        (void)filled("{{ json_extract($data(error), '$.a') }}");
        FAIL("it did not throw");
    } catch (const Permanent& error) {
        CHECK(error.cause() == "template");
        CHECK_THAT(error.what(), ContainsSubstring("position 42") && ContainsSubstring("malformed JSON"));
    }
}

// ---- addresses ----

bool is_public(const std::string& text) {
    sockaddr_storage storage{};
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        std::memcpy(&storage, &v4, sizeof v4);
    } else {
        REQUIRE(::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1);
        v6.sin6_family = AF_INET6;
        std::memcpy(&storage, &v6, sizeof v6);
    }
    return sinks::is_public(*address);
}

TEST_CASE("addresses that everybody can reach are public and no others", "[sinks][address]") {
    for (const auto* text :
         {"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
          "128.0.0.0", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
          "223.255.255.255", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"}) {
        CAPTURE(text);
        CHECK(is_public(text));
    }
    for (const auto* text : {"0.0.0.0",
                             "10.0.0.0",
                             "10.255.255.255",
                             "100.64.0.0",
                             "100.127.255.255",
                             "127.0.0.1",
                             "127.255.255.255",
                             "169.254.169.254",
                             "172.16.0.0",
                             "172.31.255.255",
                             "192.0.0.1",
                             "192.0.2.1",
                             "192.168.0.0",
                             "198.18.0.1",
                             "198.19.255.255",
                             "198.51.100.1",
                             "203.0.113.1",
                             "224.0.0.1",
                             "240.0.0.1",
                             "255.255.255.255",
                             "::",
                             "::1",
                             "::ffff:127.0.0.1",
                             "::ffff:10.0.0.1",
                             "::127.0.0.1",
                             "64:ff9b::7f00:1",
                             "64:ff9b:1::1",
                             "2002:7f00:1::",
                             "2001::1",
                             "2001:db8::1",
                             "fc00::1",
                             "fd12::1",
                             "fe80::1",
                             "fec0::1",
                             "ff02::1"}) {
        CAPTURE(text);
        CHECK_FALSE(is_public(text));
    }
}

// ---- texts ----

TEST_CASE("what goes into a message is one line of valid UTF-8 that obeys nobody", "[sinks][text]") {
    CHECK(printable(" a\r\nb\tc\x1b[2J\x7f ") == "a  b c [2J");
    CHECK(printable("gr\xc3\xbc\xc3\x9f") == "gr\xc3\xbc\xc3\x9f");
    CHECK(printable("a\xff\xc3(\xe2\x82") ==
          "a?"
          "?(?"
          "?");
    CHECK(printable("\xc2\x9b"
                    "31m") == " 31m");
    CHECK(printable("\xed\xa0\x80") == "???");
    CHECK(printable(std::string(600, 'x')).size() == 503);
}

TEST_CASE("base64 is read as it is written", "[sinks][text]") {
    for (const auto& [bytes, text] : std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                                                      {"f", "Zg=="},
                                                                                      {"fo", "Zm8="},
                                                                                      {"foo", "Zm9v"},
                                                                                      {"foob", "Zm9vYg=="},
                                                                                      {"\xff\xfe", "//4="}}) {
        CHECK(base64(bytes) == text);
        CHECK(from_base64(text) == bytes);
    }
    CHECK(from_base64("Zg") == "f");
    for (const auto* text : {"Z", "Zg=", "Zg===", "Z=g=", "Zm9v====", "Zm 9v", "Zm-_"}) {
        CAPTURE(text);
        CHECK_FALSE(from_base64(text));
    }
}

// ---- log ----

TEST_CASE("the log has a line for each event, for people or for programs", "[sinks][log]") {
    std::vector<std::string> lines;
    const auto write = [&](std::string_view line) { lines.emplace_back(line); };
    const auto event = some_event("{\"error\":\"no \xc2\x9bspace\"}");
    CHECK(Sinking{Log{Log::Format::text, write}}.attempt(event).succeeded);
    CHECK(Sinking{Log{Log::Format::json, write}}.attempt(event).succeeded);

    REQUIRE(lines.size() == 2);
    CHECK(lines[0] ==
          "2026-01-05T10:00:00.000000Z tell: 42 acme:Site/site-42 v3 BackupFailed {\"error\":\"no  space\"}");
    auto expected = to_event_line(event);
    expected.pop_back();
    CHECK(lines[1] == expected + ",\"listener\":\"tell\",\"delivery_key\":\"" + test::key + "\"}");

    const auto failing = [](std::string_view) { throw std::runtime_error{"nobody listens"}; };
    CHECK(Sinking{Log{Log::Format::text, failing}}.attempt().message == "nobody listens");
}

// ---- stream ----

struct Composed {
    bool is_permanent = false;
    std::string message;
    std::optional<AppendPart> part;
};
Composed compose(const Stream& stream, const Event& event = some_event()) {
    const std::string name = "audit";
    const Delivery delivery{name, test::key, 1, false, {}};
    const auto listener = sink_listener({.name = name}, stream);
    CHECK(listener->head().appends);
    Append append;
    try {
        listener->handler()->compose(event, delivery, append);
    } catch (const Permanent& error) {
        return {true, error.what(), {}};
    }
    if (append.parts().empty()) return {};
    REQUIRE(append.parts().size() == 1);
    return {false, {}, append.parts().front()};
}

TEST_CASE("a stream sink appends what follows from the event, and says what caused it", "[sinks][stream]") {
    Stream stream{.stream = {"{{ $tenant }}:AuditLog/{{ $data(site) }}", "stele.toml"}};
    const auto plain = compose(stream);
    REQUIRE(plain.part);
    CHECK(plain.part->stream == StreamId{"acme", "AuditLog", "example.org"});
    CHECK(plain.part->expected == expect::any);
    const auto& copied = plain.part->events.at(0);
    CHECK(copied.type == "BackupFailed");
    CHECK(copied.data == some_event().data);
    CHECK(copied.occurred_at == some_event().occurred_at);
    CHECK(copied.metadata.value() ==
          nlohmann::json{{"causation_id", some_event().id.to_string()}, {"correlation_id", "c-1"}});

    stream.type = {"{{ $type }}Recorded", "stele.toml"};
    stream.data = {"json_object('who', $metadata(actor))", "stele.toml"};
    stream.schema_version = 2;
    stream.tags = {{"site:{{ $data(site) }}", ""}, {"{{ $data(nothing) }}", ""}, {"site:example.org", ""}};
    const auto made = compose(stream, some_event(R"({"site":"a/b"})", R"({"actor":"user-7"})"));
    REQUIRE(made.part);
    CHECK(made.part->stream.aggregate_id() == "a/b");
    const auto& event = made.part->events.at(0);
    CHECK(event.type == "BackupFailedRecorded");
    CHECK(event.data.text() == R"({"who":"user-7"})");
    CHECK(event.schema_version == 2);
    CHECK(event.tags == std::vector<std::string>{"site:a/b", "site:example.org"});
    CHECK_FALSE(event.metadata.value().contains("correlation_id"));
}

TEST_CASE("an event of the target stream is passed over", "[sinks][stream]") {
    const auto composed = compose({.stream = {"{{ $stream }}", "stele.toml"}});
    CHECK_FALSE(composed.is_permanent);
    CHECK_FALSE(composed.part);
}

TEST_CASE("an event that gives no stream, type or JSON is a dead letter", "[sinks][stream]") {
    Stream stream{.stream = {"{{ $data(nothing) }}", "stele.toml"}};
    CHECK_THAT(compose(stream).message, ContainsSubstring("position 42: "));
    stream.stream.text = "AuditLog/1";
    stream.data = {"$data(nothing)", "stele.toml"};
    CHECK(compose(stream).message == "position 42: data: expected SQL that gives JSON, found NULL");
    stream.data = {"$data(error)", "stele.toml"};
    CHECK(compose(stream).is_permanent);
    stream.data = {};
    stream.type = {"{{ $data(nothing) }}", "stele.toml"};
    CHECK(compose(stream).is_permanent);

    CHECK(refused_field([] { (void)sink_listener({.name = "audit"}, Stream{}); }) ==
          "stream of the stream of listener \"audit\"");
    CHECK_THROWS_AS(sink_listener({.name = "audit"}, Stream{.stream = {"A/{{ $dat }}", "stele.toml"}}),
                    sql::DefinitionError);
}

}  // namespace
}  // namespace stele::sinks
