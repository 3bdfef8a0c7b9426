#include <stele/replay/json_diff.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

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
        const auto both_end = std::min(old_end, now_end);
        for (auto i = head; i < both_end; ++i) at(i, [&] { compare(before[i], after[i]); });
        // The last first: indices of what is still to be removed stay true.
        for (auto i = old_end; i > both_end; --i) at(i - 1, [&] { put("remove", nullptr); });
        for (auto i = both_end; i < now_end; ++i) at(i, [&] { put("add", &after[i]); });
    }

    template <class Then>
    void at(std::string_view key, Then then) {
        const auto length = path_.size();
        path_ += '/';
        for (const char c : key) {
            if (c == '~')
                path_ += "~0";
            else if (c == '/')
                path_ += "~1";
            else
                path_ += c;
        }
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
