// A webhook: what the receiver gets, and what becomes of the delivery for each thing that a receiver may do.
#include "vocabulary.hpp"

#include <stele/schema/event_json.hpp>
#include <stele/test/http_receiver.hpp>
#include <stele/test/refusal.hpp>

#include <algorithm>
#include <ctime>
#include <iostream>
#include <set>
#include <thread>

namespace stele::sinks {
namespace {

using namespace std::chrono_literals;
using stele::test::HttpReceiver;
using stele::test::HttpReply;
using stele::test::HttpRequest;
using test::attempt;
using test::Sinking;
using test::some_event;

Webhook to(const HttpReceiver& receiver) {
    Webhook webhook{.url = receiver.url()};
    webhook.allow_private = true;
    return webhook;
}

TEST_CASE("a webhook posts the event as its line, with the delivery's key", "[sinks][webhook]") {
    HttpReceiver receiver;
    auto webhook = to(receiver);
    webhook.headers = {{"X-Source", "stele"}, {"X-Empty", ""}};
    webhook.secret_headers.emplace("X-Api-Key", test::secret("k-123"));
    const Sinking sinking{webhook};

    REQUIRE(sinking.attempt().succeeded);

    const auto requests = receiver.requests();
    REQUIRE(requests.size() == 1);
    const auto& request = requests[0];
    CHECK(request.method == "POST");
    CHECK(request.target == "/hook");
    CHECK(request.body == to_event_line(some_event()));
    CHECK(request.header("content-type") == "application/json");
    CHECK(request.header("user-agent") == "stele");
    CHECK(request.header("webhook-id") == test::key);
    CHECK_FALSE(request.headers.contains("webhook-signature"));
    CHECK(request.header("x-source") == "stele");
    CHECK(request.headers.contains("x-empty"));
    CHECK(request.header("x-api-key") == "k-123");
    CHECK(sinking.listener().head().sink == "webhook");
}

TEST_CASE("each retry of a delivery has the same key and a new signature for each secret", "[sinks][webhook]") {
    HttpReceiver receiver;
    receiver.next({{503}});
    auto webhook = to(receiver);
    webhook.secrets = {test::secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
                       test::secret("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX")};
    const Sinking sinking{webhook};

    CHECK_FALSE(sinking.attempt().succeeded);
    CHECK(sinking.attempt({some_event()}, {}, 2).succeeded);

    const auto requests = receiver.requests();
    REQUIRE(requests.size() == 2);
    CHECK(requests[0].header("webhook-id") == requests[1].header("webhook-id"));
    for (const auto& request : requests) {
        const auto signature = request.header("webhook-signature");
        CHECK(std::count(signature.begin(), signature.end(), ' ') == 1);
        CHECK(signature.substr(0, 3) == "v1,");
        CHECK(signature.size() == 2 * (3 + 44) + 1);
    }
}

TEST_CASE("every answer of a receiver has one of three outcomes", "[sinks][webhook]") {
    struct Row {
        int status;
        bool succeeded;
        bool is_permanent;
    };
    const auto row =
        GENERATE(Row{200, true, false}, Row{202, true, false}, Row{204, true, false}, Row{400, false, true},
                 Row{401, false, false}, Row{403, false, false}, Row{404, false, false}, Row{410, false, true},
                 Row{413, false, true}, Row{422, false, true}, Row{451, false, true}, Row{408, false, false},
                 Row{409, false, false}, Row{425, false, false}, Row{429, false, false}, Row{500, false, false},
                 Row{502, false, false}, Row{503, false, false}, Row{504, false, false}, Row{304, false, false});
    CAPTURE(row.status);
    HttpReceiver receiver;
    receiver.next({{row.status, "because"}});

    const auto came_to = Sinking{to(receiver)}.attempt();

    CHECK(came_to.succeeded == row.succeeded);
    CHECK(came_to.is_permanent == row.is_permanent);
    if (!row.succeeded) CHECK(came_to.cause == "http_" + std::to_string(row.status));
}

TEST_CASE("which answers are final is for the settings to say", "[sinks][webhook]") {
    HttpReceiver receiver;
    receiver.next({{404}, {409}});
    auto webhook = to(receiver);
    webhook.permanent = {409};
    const Sinking sinking{webhook};

    CHECK_FALSE(sinking.attempt().is_permanent);
    CHECK(sinking.attempt().is_permanent);
}

TEST_CASE("an error says the address without its secrets, what was expected and found", "[sinks][webhook]") {
    HttpReceiver receiver;
    receiver.next({{500, "out of\x1b[31m order\n" + std::string(3000, 'x')}});
    auto webhook = to(receiver);
    webhook.url = receiver.url("/hook?token=s3cret#here");

    const auto came_to = Sinking{webhook}.attempt();

    CHECK_THAT(came_to.message,
               Catch::Matchers::StartsWith(receiver.url() +
                                           ": expected an answer of 2xx, found 500: out of [31m order xx"));
    CHECK_THAT(came_to.message, !ContainsSubstring("s3cret"));
    CHECK(came_to.message.size() < 650);
    CHECK(receiver.requests()[0].target == "/hook?token=s3cret");
}

TEST_CASE("an address that is itself a secret is named by its host alone", "[sinks][webhook]") {
    HttpReceiver receiver;
    receiver.next({{500}});
    const stele::test::TemporaryFolder folder;
    test::write(folder / "url", receiver.url("/services/T0/B0/s3cret") + "\n");
    auto webhook = to(receiver);
    webhook.url = "file:" + (folder / "url").string();

    const auto came_to = Sinking{webhook}.attempt();

    CHECK(receiver.requests()[0].target == "/services/T0/B0/s3cret");
    CHECK_THAT(came_to.message, Catch::Matchers::StartsWith(receiver.url("") + ": expected an answer"));
    CHECK(target_of(webhook) == webhook.url);
}

TEST_CASE("a Retry-After is handed on: seconds, a date, no more than allowed", "[sinks][webhook]") {
    HttpReceiver receiver;
    const std::time_t soon = std::time(nullptr) + 120;
    char date[64];
    std::tm utc{};
    REQUIRE(std::strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&soon, &utc)) > 0);
    receiver.next({{429, {}, {{"Retry-After", "7"}}},
                   {503, {}, {{"Retry-After", date}}},
                   {503, {}, {{"Retry-After", "99999999999"}}},
                   {503, {}, {{"Retry-After", "Thu, 01 Jan 2004 00:00:00 GMT"}}},
                   {503}});
    const Sinking sinking{to(receiver)};

    CHECK(sinking.attempt().wait == 7s);
    const auto by_date = sinking.attempt().wait;
    REQUIRE(by_date);
    CHECK((*by_date > 60s && *by_date <= 120s));
    CHECK(sinking.attempt().wait == 1h);
    CHECK_FALSE(sinking.attempt().wait);
    CHECK_FALSE(sinking.attempt().wait);
}

TEST_CASE("a receiver that hangs, closes or is not there has the delivery tried again", "[sinks][webhook]") {
    HttpReceiver receiver;
    auto webhook = to(receiver);
    webhook.timeout = 200ms;
    const auto cause = [&](const HttpReply& reply) {
        receiver.next({reply});
        const auto came_to = Sinking{webhook}.attempt();
        CHECK_FALSE(came_to.is_permanent);
        return came_to.cause;
    };
    CHECK(cause(stele::test::hang()) == "timeout");
    CHECK(cause(stele::test::close_connection()) == "closed");

    int port = 0;
    { port = HttpReceiver{}.port(); }
    webhook.url = "http://127.0.0.1:" + std::to_string(port) + "/";
    CHECK(Sinking{webhook}.attempt().cause == "connect");
    webhook.url = "http://no-such-host.invalid/";
    webhook.connect_timeout = 20s;
    webhook.timeout = 20s;
    CHECK(Sinking{webhook}.attempt().cause == "dns");
}

TEST_CASE("an answer without an end is cut off, and its status counts", "[sinks][webhook]") {
    HttpReceiver receiver;
    receiver.next({{200, {}, {}, HttpReply::How::endless}, {500, {}, {}, HttpReply::How::endless}});
    const Sinking sinking{to(receiver)};

    CHECK(sinking.attempt().succeeded);
    const auto came_to = sinking.attempt();
    CHECK(came_to.cause == "http_500");
    CHECK(came_to.message.size() < 650);
    CHECK(sinking.attempt().succeeded);
}

TEST_CASE("a stop ends a delivery that is under way at once", "[sinks][webhook]") {
    HttpReceiver receiver;
    receiver.next({stele::test::hang()});
    const Sinking sinking{to(receiver)};  // its time-out is 30 seconds
    std::stop_source stop;
    std::thread stopper{[&] {
        CHECK(receiver.wait_for_requests(1));
        stop.request_stop();
    }};

    const auto began = std::chrono::steady_clock::now();
    const auto came_to = sinking.attempt(some_event(), stop.get_token());
    stopper.join();

    CHECK(came_to.cause == "stopped");
    CHECK(std::chrono::steady_clock::now() - began < 20s);
    CHECK(sinking.attempt(some_event(), stop.get_token()).cause == "stopped");
    CHECK(receiver.requests().size() == 1);
    CHECK(sinking.attempt().succeeded);
}

TEST_CASE("a handler uses its connection again", "[sinks][webhook]") {
    HttpReceiver receiver;
    const Sinking sinking{to(receiver)};

    for (int i = 0; i < 5; ++i) REQUIRE(sinking.attempt().succeeded);

    for (const auto& request : receiver.requests()) CHECK(request.connection == 1);
}

TEST_CASE("addresses that are not public are refused, whatever they are called", "[sinks][webhook]") {
    HttpReceiver receiver;
    const auto port = std::to_string(receiver.port());
    const auto host = GENERATE("127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]",
                               "[::ffff:7f00:1]", "0.0.0.0", "10.0.0.1", "169.254.169.254", "192.168.1.1",
                               "[fe80::1]", "[fd00::1]", "[64:ff9b::7f00:1]");
    CAPTURE(host);
    Webhook webhook{.url = "http://" + std::string{host} + ":" + port + "/hook"};

    const auto came_to = Sinking{webhook}.attempt();

    CHECK(came_to.cause == "address_refused");
    CHECK_FALSE(came_to.is_permanent);
    CHECK_THAT(came_to.message, ContainsSubstring("expected a public address, found "));
    CHECK(receiver.requests().empty());
}

TEST_CASE("redirects are refused unless allowed, and lead to the same host alone", "[sinks][webhook]") {
    HttpReceiver elsewhere;
    HttpReceiver receiver{[&](const HttpRequest& request) -> HttpReply {
        if (request.target == "/hook") return {307, {}, {{"Location", "/moved"}}};
        if (request.target == "/away") return {307, {}, {{"Location", elsewhere.url()}}};
        if (request.target == "/round") return {302, {}, {{"Location", "/round"}}};
        return {200};
    }};
    auto webhook = to(receiver);

    const auto refused = Sinking{webhook}.attempt();
    CHECK(refused.cause == "redirect");
    CHECK_FALSE(refused.is_permanent);
    CHECK(receiver.requests().size() == 1);

    webhook.redirects = 3;
    CHECK(Sinking{webhook}.attempt().succeeded);
    const auto moved = receiver.requests().back();
    CHECK((moved.method == "POST" && moved.target == "/moved" && moved.body == to_event_line(some_event())));

    webhook.url = receiver.url("/away");
    CHECK(Sinking{webhook}.attempt().cause == "redirect");
    CHECK(elsewhere.requests().empty());

    const auto before = receiver.requests().size();
    webhook.url = receiver.url("/round");
    CHECK(Sinking{webhook}.attempt().cause == "redirect");
    CHECK(receiver.requests().size() == before + 4);
}

TEST_CASE("a signing secret that is missing or no secret fails the delivery without being shown",
          "[sinks][webhook]") {
    HttpReceiver receiver;
    auto webhook = to(receiver);

    webhook.secrets = {Secret::parse("env:STELE_TEST_NO_SUCH_VARIABLE")};
    const auto missing = Sinking{webhook}.attempt();
    CHECK(missing.cause == "secret_missing");
    CHECK_THAT(missing.message, ContainsSubstring("env:STELE_TEST_NO_SUCH_VARIABLE"));
    CHECK(missing_secrets(webhook).size() == 1);

    const auto value = GENERATE("s3cret", "whsec_s3cret!!", "whsec_c2hvcnQ=");
    webhook.secrets = {test::secret(value)};
    const auto invalid = Sinking{webhook}.attempt();
    CHECK(invalid.cause == "secret_invalid");
    CHECK_FALSE(invalid.is_permanent);
    CHECK_THAT(invalid.message, !ContainsSubstring("s3cret") && !ContainsSubstring("c2hv"));
    CHECK(receiver.requests().empty());
}

TEST_CASE("settings of a webhook that break a rule are refused by name", "[sinks][webhook]") {
    const auto refused = [](auto change) {
        Webhook webhook{.url = "https://example.com/hook"};
        change(webhook);
        return stele::test::refused_field([&] { (void)sink_listener({.name = "tell"}, webhook); });
    };
    const std::string where = " of the webhook of listener \"tell\"";
    CHECK(refused([](Webhook& w) { w.url = "ftp://example.com/"; }) == "url" + where);
    CHECK(refused([](Webhook& w) { w.url = "no address"; }) == "url" + where);
    CHECK(refused([](Webhook& w) { w.url = "https://user:password@example.com/"; }) == "url" + where);
    CHECK(refused([](Webhook& w) { w.headers["webhook-ID"] = "mine"; }) == "headers" + where);
    CHECK(refused([](Webhook& w) { w.headers["X-A"] = "a\r\nX-B: b"; }) == "headers" + where);
    CHECK(refused([](Webhook& w) { w.headers["X A"] = "a"; }) == "headers" + where);
    CHECK(refused([](Webhook& w) { w.headers["authorization"] = "Bearer t"; }) == "headers" + where);
    CHECK(refused([](Webhook& w) { w.timeout = 0ms; }) == "timeout" + where);
    CHECK(refused([](Webhook& w) { w.redirects = -1; }) == "redirects" + where);
    CHECK(refused([](Webhook& w) { w.permanent = {200}; }) == "permanent" + where);
}

// ---- OAuth 2 client credentials ----

struct TokenServer {
    std::atomic<int> given{0};
    std::string expires_in = "3600";
    HttpReceiver http{[this](const HttpRequest&) -> HttpReply {
        const auto number = std::to_string(++given);
        return {200,
                R"({"access_token":"t-)" + number + R"(","token_type":"Bearer","expires_in":)" + expires_in + "}"};
    }};
    [[nodiscard]] OAuth oauth() const {
        return {.token_url = http.url("/token"), .client_id = "stele", .client_secret = test::secret("s3cret&=")};
    }
};

TEST_CASE("a token is asked for once and used by all workers of a listener", "[sinks][webhook][oauth]") {
    TokenServer tokens;
    HttpReceiver receiver;
    auto webhook = to(receiver);
    webhook.oauth = tokens.oauth();
    webhook.oauth->scope = "hooks write";
    webhook.oauth->parameters = {{"audience", "a&b"}};
    const Sinking sinking{webhook};

    std::vector<std::thread> workers;
    for (int i = 0; i < 4; ++i) {
        workers.emplace_back([&] { CHECK(attempt(*sinking.make()).succeeded); });
    }
    for (auto& worker : workers) worker.join();

    const auto asked = tokens.http.requests();
    REQUIRE(asked.size() == 1);
    CHECK(asked[0].body == "grant_type=client_credentials&scope=hooks%20write&audience=a%26b");
    CHECK(asked[0].header("authorization") == "Basic c3RlbGU6czNjcmV0JTI2JTNE");  // stele:s3cret%26%3D
    CHECK(receiver.requests().size() == 4);
    for (const auto& request : receiver.requests()) CHECK(request.header("authorization") == "Bearer t-1");
}

TEST_CASE("a token that has expired, or that a receiver refuses, is replaced once", "[sinks][webhook][oauth]") {
    TokenServer tokens;
    HttpReceiver receiver;
    auto webhook = to(receiver);
    webhook.oauth = tokens.oauth();
    webhook.oauth->credentials_in_body = true;

    const Sinking sinking{webhook};
    CHECK(sinking.attempt().succeeded);
    CHECK(tokens.http.requests()[0].body ==
          "grant_type=client_credentials&client_id=stele&client_secret=s3cret%26%3D");
    receiver.next({{401}});
    CHECK(sinking.attempt().succeeded);
    CHECK(receiver.requests().back().header("authorization") == "Bearer t-2");
    receiver.next({{401}, {401}});
    const auto refused_twice = sinking.attempt();
    CHECK((!refused_twice.is_permanent && refused_twice.cause == "http_401"));
    CHECK(tokens.given == 3);

    TokenServer brief;
    brief.expires_in = "0";
    webhook.oauth = brief.oauth();
    const Sinking with_brief_tokens{webhook};
    CHECK((with_brief_tokens.attempt().succeeded && with_brief_tokens.attempt().succeeded));
    CHECK(brief.given == 2);
}

TEST_CASE("no token to be had is no reason to give up, and shows no secret", "[sinks][webhook][oauth]") {
    HttpReceiver tokens;
    tokens.next({{401, R"({"error":"invalid_client"})"},
                 {400, R"({"error":"you sent s3cret"})"},
                 {503, {}, {{"Retry-After", "9"}}},
                 {200, "no JSON"},
                 {200, R"({"access_token":"a\r\nb"})"}});
    HttpReceiver receiver;
    auto webhook = to(receiver);
    webhook.oauth =
        OAuth{.token_url = tokens.url("/token"), .client_id = "stele", .client_secret = test::secret("s3cret")};
    const Sinking sinking{webhook};

    const auto first = sinking.attempt();
    CHECK((first.cause == "oauth" && !first.is_permanent));
    CHECK(first.message == tokens.url("/token") + ": expected an access token, found status 401: invalid_client");
    CHECK_THAT(sinking.attempt().message, !ContainsSubstring("s3cret"));
    CHECK(sinking.attempt().wait == 9s);
    CHECK(sinking.attempt().cause == "oauth");
    CHECK(sinking.attempt().cause == "oauth");
    CHECK(receiver.requests().empty());
}

}  // namespace
}  // namespace stele::sinks
