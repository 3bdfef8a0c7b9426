// A program with listeners in C++, and the whole command with them. `deliver` has them deliver until nothing is
// left to do for now; MAIL=down in the environment has `mail` fail for good.
#include <stele/projections/listeners/cpp_listener.hpp>
#include <stele/projections/runner.hpp>
#include <stele/store/event_store.hpp>
#include <stele/tools/tool.hpp>

#include <cstdlib>
#include <iostream>
#include <string_view>

namespace {

using namespace std::chrono_literals;

bool mail_is_down() {
    const char* mail = std::getenv("MAIL");
    return mail != nullptr && std::string_view{mail} == "down";
}

stele::ListenerRegistry listeners() {
    stele::ListenerRegistry registry;
    registry.add(stele::listener(
        "mail", stele::matching(stele::types("A")),
        [](const stele::Event& event, const stele::Delivery&) {
            if (mail_is_down()) throw stele::Permanent{"refused", "no such mailbox"};
            std::cout << "mail " << event.position << '\n';
        },
        {.retry = {.attempts = 3, .delays = {30s, 60s}}, .after_last = stele::AfterLast::hold_key}));
    registry.add(stele::listener("big", {}, [](const stele::Event&, const stele::Delivery&) {},
                                 {.where = "$data(size) > 100"}));
    return registry;
}

int deliver() {
    auto store = stele::EventStore::open(std::getenv("STELE_STORE"));
    stele::Runner runner{store};
    runner.add(listeners());
    while (runner.step() > 0) continue;
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view{argv[1]} == "deliver") return deliver();
    stele::tool::Registry registry;
    registry.listeners = listeners();
    return stele::tool::main(argc, argv, std::move(registry));
}
