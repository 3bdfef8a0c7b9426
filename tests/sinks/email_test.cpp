// Mails, taken by a real SMTP server (smtp_server.py), which reads them with Python's email package.
#include "certificate.hpp"
#include "vocabulary.hpp"

#include "mail_message.hpp"

#include <stele/test/mail_server.hpp>
#include <stele/test/refusal.hpp>

namespace stele::sinks {
namespace {

using namespace std::chrono_literals;
using stele::test::MailServer;
using test::Sinking;
using test::some_event;

Email to(const MailServer& server) {
    Email email;
    email.server = server.url();
    email.tls = Email::Tls::none;
    email.from = {"Stele <stele@example.com>", "stele.toml"};
    email.to = {{"ops@example.com", "stele.toml"}};
    email.subject = {"Backup of {{ $data(site) }} failed", "stele.toml"};
    email.body = {"Reason: {{ $data(error) }}\nat {{ $occurred_at }}\n", "stele.toml"};
    return email;
}

TEST_CASE("a mail is made of the event and taken by the server", "[sinks][email]") {
    MailServer server;
    auto email = to(server);
    email.to.push_back({"{{ $data(nothing) }}", "stele.toml"});
    email.cc = {{"Site {{ $data(site) }} <{{ $metadata(actor) }}@example.com>", "stele.toml"}};
    email.bcc = {{"archive@example.com", "stele.toml"}};
    const Sinking sinking{email};

    const auto came_to = sinking.attempt();
    CAPTURE(came_to.message);
    REQUIRE(came_to.succeeded);

    const auto mail = server.mail();
    const auto& headers = mail.at("headers");
    CHECK(mail.at("mail_from") == "stele@example.com");
    CHECK(mail.at("rcpt_tos") == nlohmann::json{"ops@example.com", "user-7@example.com", "archive@example.com"});
    CHECK(headers.at("From") == "Stele <stele@example.com>");
    CHECK(headers.at("To") == "ops@example.com");
    CHECK(headers.at("Cc") == "\"Site example.org\" <user-7@example.com>");
    CHECK_FALSE(headers.contains("Bcc"));
    CHECK(headers.at("Subject") == "Backup of example.org failed");
    CHECK(headers.at("Message-ID") == "<" + test::key + "@example.com>");
    CHECK_THAT(headers.at("Date").get<std::string>(), ContainsSubstring("+0000"));
    CHECK(mail.at("body") == "Reason: no space\nat 2026-01-05T09:59:58.000000Z\n");
    CHECK(mail.at("tls") == false);

    REQUIRE(sinking.attempt(some_event(), {}, 2).succeeded);
    CHECK(server.mail().at("headers").at("Message-ID") == headers.at("Message-ID"));
}

TEST_CASE("texts of every kind arrive as they are", "[sinks][email]") {
    MailServer server;
    auto email = to(server);
    const auto text = GENERATE(as<std::string>{}, "plain", "Überraschung in Zürich: 100 % – 東京 👍",
                               "=?UTF-8?B?bm8=?= is no encoded word", "a . on a line:\n.\n..\n. end",
                               std::string(3'000, 'x'), std::string(400, 'x') + " " + std::string(1'200, 'y'));
    CAPTURE(text);
    email.subject = {"{{ $data(t) }}", "stele.toml"};
    email.body = {"{{ $data(t) }}\n", "stele.toml"};
    const auto event = some_event(nlohmann::json{{"t", text}}.dump());

    email.from = {"Jörg Ü <stele@example.com>", "stele.toml"};
    REQUIRE(Sinking{email}.attempt(event).succeeded);

    const auto mail = server.mail();
    auto one_line = text;
    for (auto& c : one_line) c = c == '\n' ? ' ' : c;
    CHECK(mail.at("headers").at("Subject") == one_line);
    CHECK(mail.at("headers").at("From") == "Jörg Ü <stele@example.com>");
    CHECK(mail.at("body") == text + "\n");
    std::istringstream lines{mail.at("raw").get<std::string>()};
    for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 999);
}

TEST_CASE("an event cannot add headers or recipients", "[sinks][email]") {
    MailServer server;
    auto email = to(server);
    email.subject = {"{{ $data(t) }}", "stele.toml"};
    email.from = {"{{ $data(t) }} <stele@example.com>", "stele.toml"};
    const auto injected = some_event(R"({"t":"a\r\nBcc: victim \r\n\r\nbody"})");

    // A name with a line break is no name.
    CHECK(Sinking{email}.attempt(injected).cause == "address");
    email.from = to(server).from;
    REQUIRE(Sinking{email}.attempt(injected).succeeded);
    const auto mail = server.mail();
    CHECK(mail.at("headers").at("Subject") == "a  Bcc: victim     body");
    CHECK(mail.at("names") == nlohmann::json{"Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted",
                                             "MIME-Version", "Content-Type", "Content-Transfer-Encoding"});
    CHECK(mail.at("rcpt_tos") == nlohmann::json{"ops@example.com"});

    const auto address = GENERATE(
        as<std::string>{}, "a@example.com, b@example.com", "a@example.com>,<b@example.com",
        "a@example.com\r\nRCPT TO:<b@example.com>", "a@example.com b@example.com", "nobody", "@example.com", "a@",
        "x <a@example.com> <b@example.com>", "jörg@example.com", "a@b@example.com", "<a@example.com");
    CAPTURE(address);
    email.to = {{"{{ $data(a) }}", "stele.toml"}};
    const auto came_to = Sinking{email}.attempt(some_event(nlohmann::json{{"a", address}}.dump()));
    CHECK(came_to.is_permanent);
    CHECK(came_to.cause == "address");
}

TEST_CASE("a mail to nobody is a dead letter", "[sinks][email]") {
    MailServer server;
    auto email = to(server);
    email.to = {{"{{ $data(nothing) }}", "stele.toml"}};
    const auto came_to = Sinking{email}.attempt();
    CHECK((came_to.is_permanent && came_to.cause == "address"));
    CHECK_THAT(came_to.message, ContainsSubstring("found nobody"));
}

TEST_CASE("replies of 4xx are tried again and those of 5xx are final", "[sinks][email]") {
    MailServer server;
    auto email = to(server);
    email.to.push_back({"refuse451@example.com", "stele.toml"});
    const auto later = Sinking{email}.attempt();
    CHECK((later.cause == "smtp_451" && !later.is_permanent));
    CHECK(later.message ==
          server.url() + ": expected the mail to be taken, found: 451 refuse451@example.com is not wanted here");
    email.to.back().text = "refuse550@example.com";
    const auto never = Sinking{email}.attempt();
    CHECK((never.cause == "smtp_550" && never.is_permanent));

    // Nobody got one of those: the next mail that the server took is the next that all recipients may have.
    email.to.back().text = "last@example.com";
    const Sinking sinking{email};
    CHECK(sinking.attempt().succeeded);
    CHECK(server.mail().at("rcpt_tos") == nlohmann::json{"ops@example.com", "last@example.com"});
}

TEST_CASE("a server that hangs or is not there has the mail tried again", "[sinks][email]") {
    auto email = [] {
        MailServer server;
        auto hanging = to(server);
        hanging.to = {{"hang@example.com", "stele.toml"}};
        hanging.timeout = 500ms;
        CHECK(Sinking{hanging}.attempt().cause == "timeout");
        return hanging;
    }();
    email.timeout = 20s;
    CHECK(Sinking{email}.attempt().cause == "connect");
}

TEST_CASE("a login goes over TLS alone, to a server that is known", "[sinks][email]") {
    const test::Certificate certificate;
    MailServer server{{"--certificate", certificate.with_key(), "--user", "stele", "--password", "s3cret"}};
    auto email = to(server);
    email.tls = Email::Tls::required;
    email.user = "stele";
    email.password = test::secret("s3cret");

    CHECK(Sinking{email}.attempt().cause == "tls");  // nobody we know has signed the certificate
    email.ca_file = certificate.certificate();
    const auto came_to = Sinking{email}.attempt();
    CAPTURE(came_to.message);
    REQUIRE(came_to.succeeded);
    const auto mail = server.mail();
    CHECK(mail.at("tls") == true);
    CHECK(mail.at("login") == "stele");

    email.password = test::secret("wr0ng");
    const auto refused = Sinking{email}.attempt();
    CHECK((refused.cause == "smtp_535" && !refused.is_permanent));
    CHECK_THAT(refused.message, !ContainsSubstring("wr0ng"));

    MailServer plain;
    email.server = plain.url();
    CHECK(Sinking{email}.attempt().cause == "tls");
}

TEST_CASE("settings of an email that break a rule are refused by name", "[sinks][email]") {
    const auto refused = [](auto change) {
        Email email;
        email.server = "smtp://mail.example.com:587";
        email.from = {"stele@example.com", "stele.toml"};
        email.to = {{"ops@example.com", "stele.toml"}};
        change(email);
        return stele::test::refused_field([&] { (void)sink_listener({.name = "tell"}, email); });
    };
    const std::string where = " of the email of listener \"tell\"";
    CHECK(refused([](Email& e) { e.server = "https://example.com"; }) == "server" + where);
    CHECK(refused([](Email& e) { e.server = "smtp://a:b@example.com"; }) == "server" + where);
    CHECK(refused([](Email& e) { e.from = {}; }) == "from" + where);
    CHECK(refused([](Email& e) { e.to.clear(); }) == "to" + where);
    CHECK(refused([](Email& e) { e.user = "stele"; }) == "password" + where);
    CHECK(refused([](Email& e) { e.password = test::secret("s"); }) == "user" + where);
    CHECK(refused([](Email& e) {
              e.user = "stele";
              e.password = test::secret("s");
              e.tls = Email::Tls::optional;
          }) == "tls" + where);
}

TEST_CASE("an address is one address", "[sinks][email]") {
    const auto parsed = [](const char* text) {
        const auto address = MailAddress::parse(text);
        return address ? address->name + "|" + address->address : "none";
    };
    CHECK(parsed("a@b.example") == "|a@b.example");
    CHECK(parsed("  A B <a@b.example> ") == "A B|a@b.example");
    CHECK(parsed("\"A, B\" <a@b.example>") == "A, B|a@b.example");
    CHECK(parsed("<a@b.example>") == "|a@b.example");
    CHECK(parsed("a@b.example <c@d.example>") == "none");
}

}  // namespace
}  // namespace stele::sinks
