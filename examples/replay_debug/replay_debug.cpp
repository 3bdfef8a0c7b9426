// Which event broke it? Replays the stock of an article step by step, and stops at the first event behind which
// more is promised than is there, or less than nothing.
//
// usage: replay_debug STORE AGGREGATES ARTICLE
#include <stele/replay/replay.hpp>

#include <iostream>
#include <optional>

using namespace stele;

// What must hold after every event.
static bool is_sound(const nlohmann::json& stock) {
    const auto reserved = stock.at("reserved").get<int>();
    return reserved >= 0 && reserved <= stock.at("on_hand").get<int>();
}

int main(int count, char** arguments) try {
    if (count != 4) {
        std::cerr << "usage: replay_debug STORE AGGREGATES ARTICLE\n";
        return 2;
    }
    const auto store = EventStore::open(arguments[1], {.mode = OpenMode::existing});
    const auto aggregates = AggregateRegistry::load(arguments[2]);
    const StreamId article{"Stock", arguments[3]};

    std::optional<Event> culprit;
    replay_steps(store, article, aggregates, {}, [&](const Step& step) {
        std::cout << "version " << step.event.version << "  " << step.event.type << ' ' << step.event.data
                  << "  gives " << step.after << '\n';
        if (is_sound(step.after.value())) return true;
        std::cout << "which is wrong: it was " << step.before << ", and " << step.changes << " is what changed\n";
        culprit = step.event;
        return false;  // far enough
    });
    if (!culprit) return 0;

    const auto metadata = culprit->metadata.value();
    std::cout << "It happened at " << to_rfc3339(culprit->occurred_at) << ", by " << metadata.at("actor") << ".\n";
    std::cout << "All of the same request, " << metadata.at("correlation_id") << ":\n";
    for (const Event& e : store.read(all().correlation(metadata.at("correlation_id").get<std::string>()))) {
        std::cout << "  position " << e.position << "  " << e.type << ' ' << e.data << " by "
                  << e.metadata.value().at("actor") << '\n';
    }
    return 1;
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
}
