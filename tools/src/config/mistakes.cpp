#include "mistakes.hpp"

#include <algorithm>
#include <tuple>

namespace stele::tool {
namespace {

std::vector<Mistake> in_order(std::vector<Mistake> mistakes) {
    std::stable_sort(mistakes.begin(), mistakes.end(), [](const Mistake& a, const Mistake& b) {
        return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
    });
    return mistakes;
}

}  // namespace

std::string Mistake::text() const {
    return file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) + ": " + message;
}

Failure Mistake::failure() const {
    return Failure{
        Exit::failed, "project", text(), {{"file", file}, {"line", place.line}, {"column", place.column}}};
}

std::vector<Mistake> Mistakes::all() const { return in_order(all_); }
std::vector<Mistake> Mistakes::hints() const { return in_order(hints_); }

void Mistakes::throw_first() const {
    if (!all_.empty()) throw all().front().failure();
}

}  // namespace stele::tool
