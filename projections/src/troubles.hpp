// Troubles: what stands in the way of runners just now, in control.db, for everybody to see who asks how a
// projection is. Written when it begins, or is another, and when it is over; not while it lasts.
#pragma once

#include "control_db.hpp"
#include "leases.hpp"

#include <stele/schema/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stele {

struct Trouble {
    std::int64_t runner = 0;  ///< Member::number(): it is over when that one is gone
    std::string text;
    Timestamp since{};
};

/// The last trouble that somebody has, or had, with that projection.
[[nodiscard]] std::optional<Trouble> trouble_of(ControlDb& control, std::string_view projection);

/// Says what trouble `runner` has, in place of what stands there.
void show_trouble(ControlDb& control, const Member& runner, std::string_view projection, std::string_view text);

/// It is over, if it was this runner's.
void end_trouble(ControlDb& control, const Member& runner, std::string_view projection);

}  // namespace stele
