// The name that was probably meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace stele::tool {

/// How many letters must be added, left out, changed or swapped with the next to get from `a` to `b`; upper and
/// lower case of ASCII letters count as the same. Cost: the product of the lengths.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The nearest of `names` to `wanted`, if one is near enough to have been meant: a third of its letters, at
/// least 1.
class Nearest {
public:
    explicit Nearest(std::string wanted);
    void consider(std::string_view name);
    [[nodiscard]] const std::optional<std::string>& found() const noexcept { return found_; }

private:
    std::string wanted_;
    std::size_t distance_;
    std::optional<std::string> found_;
};

[[nodiscard]] std::optional<std::string> nearest(std::string_view wanted, std::span<const std::string> names);

}  // namespace stele::tool
