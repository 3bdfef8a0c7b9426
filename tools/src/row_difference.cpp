#include "row_difference.hpp"

#include <algorithm>
#include <cstddef>

namespace stele::tool {

std::vector<std::string> row_difference(const std::vector<std::string>& expected,
                                        const std::vector<std::string>& found) {
    // common[i][j]: the length of the longest common subsequence of what is behind i and behind j.
    std::vector<std::vector<std::size_t>> common(expected.size() + 1, std::vector<std::size_t>(found.size() + 1));
    for (auto i = expected.size(); i-- > 0;) {
        for (auto j = found.size(); j-- > 0;) {
            common[i][j] =
                expected[i] == found[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
        }
    }
    std::vector<std::string> lines;
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < expected.size() || j < found.size()) {
        if (i < expected.size() && j < found.size() && expected[i] == found[j]) {
            lines.push_back("  " + expected[i++]);
            ++j;
        } else if (j == found.size() || (i < expected.size() && common[i + 1][j] >= common[i][j + 1])) {
            lines.push_back("- " + expected[i++]);
        } else {
            lines.push_back("+ " + found[j++]);
        }
    }
    return lines;
}

}  // namespace stele::tool
