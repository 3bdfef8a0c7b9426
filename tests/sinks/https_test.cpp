// Webhooks over TLS, to a receiver of Python's (https_receiver.py).
#include "certificate.hpp"
#include "vocabulary.hpp"

#include <stele/schema/event_json.hpp>
#include <stele/test/process.hpp>

namespace stele::sinks {
namespace {

TEST_CASE("a webhook goes to a receiver whose certificate is trusted and to no other", "[sinks][webhook]") {
    const test::Certificate certificate;
    stele::test::Process receiver{{PYTHON, HTTPS_RECEIVER, certificate.with_key()}};
    const auto line = receiver.read_line();
    REQUIRE(line);
    const auto port = line->substr(std::string_view{"port "}.size());
    Webhook webhook{.url = "https://localhost:" + port + "/hook"};
    webhook.allow_private = true;

    const auto unknown = test::Sinking{webhook}.attempt();
    CHECK(unknown.cause == "tls");
    CHECK_FALSE(unknown.is_permanent);

    webhook.ca_file = certificate.certificate();
    const auto came_to = test::Sinking{webhook}.attempt();
    CAPTURE(came_to.message);
    CHECK(came_to.succeeded);
    CHECK(receiver.read_line() == to_event_line(test::some_event()));
}

}  // namespace
}  // namespace stele::sinks
