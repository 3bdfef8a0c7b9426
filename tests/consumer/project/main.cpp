// Appends to a store of its own and reads it back: enough to need every library that stele::store links.
#include <stele/store/event_store.hpp>

#include <iostream>

int main() {
    auto store = stele::EventStore::temporary();
    const stele::StreamId site{"Site", "site-42"};
    store.append(
        site, stele::expect::none,
        {stele::event("SiteCreated", {{"domain", "example.org"}}).by("user-7"), stele::event("SitePublished")});

    for (const stele::Event& event : store.read(site)) {
        std::cout << event.stream << " v" << event.version << ' ' << event.type << '\n';
    }
    return store.head() == stele::Position{2} ? 0 : 1;
}
