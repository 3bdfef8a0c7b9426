// An order's history in a store, to ask about versions, positions and times.
#pragma once

#include "history.hpp"

#include <stele/store/event_store.hpp>

#include <memory>
#include <utility>

namespace stele::test {

inline const StreamId order{"order", "10248"};

/// Versions 1 to 4 of `order` at positions 1, 3, 4, 5; position p is recorded at minute p. Version 4, which is
/// `last`, happened before versions 2 and 3 did.
[[nodiscard]] inline EventStore store_with_an_order(NewEvent last) {
    const auto time = std::make_shared<Timestamp>();
    Options options;
    options.clock = [time] { return *time; };
    auto store = EventStore::temporary(options);
    int minutes = 0;
    const auto append = [&](const StreamId& stream, NewEvent e) {
        *time = minute(++minutes);
        store.append(stream, expect::any, {std::move(e)});
    };
    append(order, stele::event("Placed", {{"customer", "VINET"}, {"lines", 0}}).at(minute(-100)));
    append({"order", "10249"}, stele::event("Placed", {{"customer", "TOMSP"}}));
    append(order, stele::event("LineAdded", {{"lines", 1}}).at(minute(-90)));
    append(order, stele::event("Shipped", {{"shipped", true}}).at(minute(-80)));
    append(order, std::move(last.at(minute(-95))));
    return store;
}

}  // namespace stele::test
