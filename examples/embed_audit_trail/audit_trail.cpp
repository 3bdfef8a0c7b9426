// An audit trail inside a program: each change says who made it, from where and in which request, and a change that
// was decided on an outdated view is refused.
//
// usage: audit_trail [STORE]
#include <stele/store/event_store.hpp>

#include <iostream>

using namespace stele;

struct Request {
    std::string user, ip, id;
};

NewEvent change(std::string type, const nlohmann::json& data, const Request& request) {
    // Metadata is what is kept; a tag is what can be searched for, by an index, in the whole log.
    return event(std::move(type), data)
        .by(request.user)
        .with_metadata("ip", request.ip)
        .correlation(request.id)
        .tag("by:" + request.user);
}

void print(const Event& e) {
    const auto metadata = e.metadata.value();
    std::cout << "  " << e.stream << " version " << e.version << ": " << e.type << ' ' << e.data << " by "
              << metadata.value("actor", "nobody") << " from " << metadata.value("ip", "nowhere") << '\n';
}

int main(int count, char** arguments) try {
    auto store = EventStore::open(count > 1 ? arguments[1] : "audit.stele");
    const StreamId acme{"Account", "acme"};
    const Request ada{"ada", "203.0.113.7", "req-1"};
    const Request ben{"ben", "198.51.100.4", "req-2"};

    const auto opened = store.append(acme, expect::none, {change("AccountOpened", {{"limit", 1000}}, ada)});
    // Both of them look at version 1, and both decide to raise the limit. Ada is quicker.
    store.append(acme, expect::exactly(opened.version), {change("LimitChanged", {{"limit", 5000}}, ada)});
    const auto result =
        store.try_append(acme, expect::exactly(opened.version), {change("LimitChanged", {{"limit", 2000}}, ben)});
    if (const auto* conflict = std::get_if<VersionConflict>(&result)) {
        std::cout << "ben's change is refused: he saw version " << opened.version << ", and " << conflict->stream
                  << " is at " << *conflict->actual << ". In between:\n";
        for (const Event& e : store.read(stream(acme).from(opened.version.next()))) print(e);
        store.append(acme, expect::exactly(*conflict->actual), {change("LimitReviewed", {{"limit", 5000}}, ben)});
    }

    std::cout << "Who changed the limit of acme?\n";
    for (const Event& e : store.read(stream(acme).types({"LimitChanged"}))) print(e);
    std::cout << "What has ben done?\n";
    for (const Event& e : store.read(all().tag("by:ben"))) print(e);
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
