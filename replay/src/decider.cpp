#include <stele/replay/decider.hpp>

namespace stele::detail {

void require_aggregate_type(const StreamId& stream, std::string_view expected, const std::string& decider) {
    if (stream.aggregate_type() == expected) return;
    throw InvalidInput{"stream of decider " + decider, std::string{expected} + "/…", stream.name()};
}

}  // namespace stele::detail
