// webhook_sender URL SECRET…: delivers one event to URL, signed with the secrets that the references name. For
// receivers in other languages that verify the signature. Exit status 0: it was taken.
#include <stele/sinks/sink.hpp>

#include <iostream>
#include <vector>

int main(int argc, char** argv) try {
    using namespace stele;
    const std::vector<std::string> words{argv + 1, argv + argc};
    sinks::Webhook webhook{.url = words.at(0)};
    webhook.allow_private = true;
    for (std::size_t i = 1; i < words.size(); ++i) webhook.secrets.push_back(sinks::Secret::parse(words[i]));
    const auto listener = sinks::sink_listener({.name = "sender"}, webhook);

    Event event{Position{1}, Version{1}, StreamId{"Site", "site-1"}, "SiteCreated"};
    event.id = EventId::generate();
    event.data = JsonText::parse(R"({"domain":"bücher.example","note":"a \"quoted\" word"})");
    const std::string name = "sender";
    const Delivery delivery{name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP_-", 1, false, {}};
    listener->handler()->deliver(event, delivery);
    return 0;
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
