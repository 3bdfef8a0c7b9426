#include "status_words.hpp"

#include <array>
#include <cstddef>
#include <cstdio>
#include <ostream>

namespace stele {

std::string with_one_decimal(double value) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.1f", value);
    return text.data();
}

std::string grouped(std::int64_t value) {
    auto digits = std::to_string(value);
    for (auto end = static_cast<std::ptrdiff_t>(digits.size()) - 3; end > (value < 0 ? 1 : 0); end -= 3) {
        digits.insert(static_cast<std::size_t>(end), 1, ',');
    }
    return digits;
}

std::string counted(std::int64_t number, std::string_view singular) {
    return grouped(number) + " " + std::string{singular} + (number == 1 ? "" : "s");
}

std::string lasting(double seconds) {
    if (seconds < 120) return with_one_decimal(seconds) + " s";
    if (seconds < 7'200) return with_one_decimal(seconds / 60) + " min";
    if (seconds < 172'800) return with_one_decimal(seconds / 3'600) + " h";
    return with_one_decimal(seconds / 86'400) + " days";
}

void status_line(std::ostream& out, const char* what, const std::string& value) {
    std::string label = what;
    label.resize(12, ' ');
    out << "  " << label << value << '\n';
}

}  // namespace stele
