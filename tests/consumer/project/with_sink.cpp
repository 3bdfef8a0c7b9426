// A listener with a sink: enough to need every library that stele::sinks links.
#include <stele/sinks/sink.hpp>

#include <iostream>

int main() {
    const stele::sinks::Webhook webhook{.url = "https://example.com/hook?token=secret"};
    const auto listener = stele::sinks::sink_listener({.name = "billing"}, webhook);
    std::cout << listener->head().sink << ' ' << stele::sinks::target_of(webhook) << '\n';
    return listener->handler() != nullptr ? 0 : 1;
}
