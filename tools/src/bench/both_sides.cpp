#include "both_sides.hpp"

namespace stele::bench {

BothSides::BothSides(const Context& context, const Payloads& payloads, Durability durability)
    : folder(context.new_folder()),
      store(EventStore::open(*folder / "log.stele", {.durability = durability})),
      bare(*folder / "bare.db", durability, payloads.streams(), Payloads::types()) {
    const auto first = payloads.one_for_each_stream();
    fill(store, payloads, first);
    fill(bare, first);
}

void BothSides::require_same_rows(Context& context, Order order) const {
    context.compared(require_same(store, *folder / "bare.db", order));
}

}  // namespace stele::bench
