#include <stele/replay/json_diff.hpp>

#include "pointer.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stele {
namespace {

using nlohmann::json;

// A parsed 5 is unsigned and json(5) is signed: for JSON they are one number.
bool same_integer(const json& a, const json& b) {
    const bool negative_a = !a.is_number_unsigned() && a.get<std::int64_t>() < 0;
    const bool negative_b = !b.is_number_unsigned() && b.get<std::int64_t>() < 0;
    return negative_a == negative_b && a.get<std::uint64_t>() == b.get<std::uint64_t>();
}

bool same_real(double a, double b) { return a == b && std::signbit(a) == std::signbit(b); }

bool same_object(const json& a, const json& b) {
    auto y = b.begin();
    for (auto x = a.begin(); x != a.end(); ++x, ++y)
        if (x.key() != y.key() || !json_same(*x, *y)) return false;
    return true;
}

// Some elements of an array, one behind the other.
struct Run {
    const json& array;
    std::size_t first;
    std::size_t end;

    [[nodiscard]] int size() const noexcept { return static_cast<int>(end - first); }
    [[nodiscard]] const json& operator[](int i) const { return array[first + static_cast<std::size_t>(i)]; }
};

using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;

// Above so many elements that came or went in one array, places are compared one by one.
constexpr int most_edits = 100;

// The elements that are in both runs, in the same order, as pairs of their indices: as many as there can be. Empty
// where more than `most_edits` have come or gone. After E. W. Myers, "An O(ND) Difference Algorithm and Its
// Variations": `reached` holds, for each diagonal x - y, how far into `before` so many edits lead at most.
Pairs kept_elements(const Run& before, const Run& after) {
    const int n = before.size();
    const int m = after.size();
    if (n == 0 || m == 0 || (n == 1 && m == 1)) return {};

    const int most = std::min(n + m, most_edits);
    const auto at = [&](int diagonal) { return static_cast<std::size_t>(diagonal + most + 1); };
    std::vector<int> reached(static_cast<std::size_t>(2 * most + 3), 0);
    const auto came_down = [&](const std::vector<int>& row, int edits, int diagonal) {
        return diagonal == -edits || (diagonal != edits && row[at(diagonal - 1)] < row[at(diagonal + 1)]);
    };

    std::vector<std::vector<int>> rows;  // `reached` before each number of edits
    int edits = 0;
    for (bool done = false; !done; ++edits) {
        if (edits > most) return {};
        rows.push_back(reached);
        for (int diagonal = -edits; diagonal <= edits && !done; diagonal += 2) {
            int x = came_down(reached, edits, diagonal) ? reached[at(diagonal + 1)] : reached[at(diagonal - 1)] + 1;
            int y = x - diagonal;
            while (x < n && y < m && json_same(before[x], after[y])) ++x, ++y;
            reached[at(diagonal)] = x;
            done = x >= n && y >= m;
        }
    }

    Pairs pairs;  // from the last to the first
    int x = n;
    int y = m;
    while (--edits >= 0) {
        const auto& row = rows[static_cast<std::size_t>(edits)];
        const int diagonal = x - y;
        const int from = came_down(row, edits, diagonal) ? diagonal + 1 : diagonal - 1;
        const int from_x = edits == 0 ? 0 : row[at(from)];
        const int from_y = edits == 0 ? 0 : from_x - from;
        for (; x > from_x && y > from_y; --x, --y) {
            pairs.emplace_back(before.first + static_cast<std::size_t>(x - 1),
                               after.first + static_cast<std::size_t>(y - 1));
        }
        x = from_x;
        y = from_y;
    }
    std::reverse(pairs.begin(), pairs.end());
    return pairs;
}

// Writes the operations of one comparison; `path_` is the JSON Pointer of the place that is being compared.
class Differ {
public:
    void compare(const json& before, const json& after) {
        if (before.is_object() && after.is_object())
            compare_objects(before, after);
        else if (before.is_array() && after.is_array())
            compare_arrays(before, after);
        else if (!json_same(before, after))
            put("replace", &after);
    }

    json take() { return std::move(operations_); }

private:
    void compare_objects(const json& before, const json& after) {
        auto old = before.begin();
        auto now = after.begin();
        const auto old_end = before.end();
        const auto now_end = after.end();
        // Both are sorted by key, so one walk along the two sees each key once.
        while (old != old_end || now != now_end) {
            if (now == now_end || (old != old_end && old.key() < now.key())) {
                at(old.key(), [&] { put("remove", nullptr); });
                ++old;
            } else if (old == old_end || now.key() < old.key()) {
                at(now.key(), [&] { put("add", &now.value()); });
                ++now;
            } else {
                at(old.key(), [&] { compare(old.value(), now.value()); });
                ++old;
                ++now;
            }
        }
    }

    void compare_arrays(const json& before, const json& after) {
        const auto common = std::min(before.size(), after.size());
        std::size_t head = 0;
        while (head < common && json_same(before[head], after[head])) ++head;
        std::size_t tail = 0;
        while (tail < common - head && json_same(before[before.size() - 1 - tail], after[after.size() - 1 - tail]))
            ++tail;

        const auto old_end = before.size() - tail;
        const auto now_end = after.size() - tail;
        auto old = head;
        auto now = head;
        for (const auto& [kept_old, kept_now] : kept_elements({before, old, old_end}, {after, now, now_end})) {
            change_run(before, old, kept_old, after, now, kept_now);
            old = kept_old + 1;
            now = kept_now + 1;
        }
        change_run(before, old, old_end, after, now, now_end);
    }

    // Elements between two that stay. What stands before them is as in `after` by now, so that indices of `after`
    // are true.
    void change_run(const json& before, std::size_t old, std::size_t old_end, const json& after, std::size_t now,
                    std::size_t now_end) {
        const auto olds = old_end - old;
        const auto nows = now_end - now;
        const auto both = std::min(olds, nows);
        for (std::size_t i = 0; i < both; ++i) at(now + i, [&] { compare(before[old + i], after[now + i]); });
        // The last first: indices of what is still to be removed stay true.
        for (auto i = olds; i > both; --i) at(now + i - 1, [&] { put("remove", nullptr); });
        for (auto i = both; i < nows; ++i) at(now + i, [&] { put("add", &after[now + i]); });
    }

    template <class Then>
    void at(std::string_view key, Then then) {
        const auto length = path_.size();
        append_name(path_, key);
        then();
        path_.resize(length);
    }

    template <class Then>
    void at(std::size_t index, Then then) {
        at(std::string_view{std::to_string(index)}, then);
    }

    void put(const char* operation, const json* value) {
        auto entry = json{{"op", operation}, {"path", path_}};
        if (value != nullptr) entry["value"] = *value;
        operations_.push_back(std::move(entry));
    }

    std::string path_;
    json operations_ = json::array();
};

}  // namespace

bool json_same(const json& a, const json& b) {
    if (a.is_number_integer() && b.is_number_integer()) return same_integer(a, b);
    if (a.type() != b.type() || a.size() != b.size()) return false;
    if (a.is_number_float()) return same_real(a.get<double>(), b.get<double>());
    if (a.is_object()) return same_object(a, b);
    if (a.is_array()) return std::equal(a.begin(), a.end(), b.begin(), json_same);
    return a == b;
}

json json_diff(const json& before, const json& after) {
    Differ differ;
    differ.compare(before, after);
    return differ.take();
}

}  // namespace stele
