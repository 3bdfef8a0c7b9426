// Rows that were expected and rows that were found, side by side.
#pragma once

#include <string>
#include <vector>

namespace stele::tool {

/// One line for each row: "  ROW" for one that is in both, "- ROW" for one that was expected and is not there,
/// "+ ROW" for one that is there and was not expected. As few of these as there can be, in order.
/// Cost: the product of the sizes.
[[nodiscard]] std::vector<std::string> row_difference(const std::vector<std::string>& expected,
                                                      const std::vector<std::string>& found);

}  // namespace stele::tool
