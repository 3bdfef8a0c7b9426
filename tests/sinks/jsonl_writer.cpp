// jsonl_writer FILE NAME: appends events by a jsonl sink, without end, and prints the key of each that succeeded.
#include <stele/sinks/sink.hpp>

#include <cstdio>

int main(int argc, char** argv) {
    using namespace stele;
    if (argc != 3) return 2;
    const auto handler = sinks::sink_listener({.name = "writer"}, sinks::Jsonl{argv[1]})->handler();
    Event event{Position{1}, Version{1}, StreamId{"Site", "site-1"}, "SiteCreated"};
    event.data = JsonText::parse("\"" + std::string(3'000, 'x') + "\"");
    const std::string name = "writer";
    for (int n = 0;; ++n) {
        const auto key = std::string{argv[2]} + "-" + std::to_string(n);
        handler->deliver(event, Delivery{name, key, 1, false, {}});
        std::printf("%s\n", key.c_str());
        std::fflush(stdout);
    }
}
