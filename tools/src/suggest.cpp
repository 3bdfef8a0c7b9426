#include "suggest.hpp"

#include <algorithm>
#include <vector>

namespace stele::tool {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
    // Three rows of the table of optimal string alignment: the row before last is for swapped neighbours.
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = lower(a[i - 1]) == lower(b[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0U : 1U)});
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

Nearest::Nearest(std::string wanted)
    : wanted_(std::move(wanted)), distance_(std::max<std::size_t>(1, wanted_.size() / 3) + 1) {}

void Nearest::consider(std::string_view name) {
    // The difference in length is a lower bound, and saves the table for most names of a large store.
    const auto apart = name.size() > wanted_.size() ? name.size() - wanted_.size() : wanted_.size() - name.size();
    if (apart >= distance_) return;
    if (const auto distance = edit_distance(wanted_, name); distance < distance_) {
        distance_ = distance;
        found_ = name;
    }
}

std::optional<std::string> nearest(std::string_view wanted, std::span<const std::string> names) {
    Nearest result{std::string(wanted)};
    for (const auto& name : names) result.consider(name);
    return result.found();
}

}  // namespace stele::tool
