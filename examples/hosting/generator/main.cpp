// stele_hosting_events: the events of examples/hosting on standard output, for `stele import`.
#include "generator.hpp"

#include <charconv>
#include <iostream>
#include <string_view>

namespace {

constexpr auto usage = R"(Write the events of a hosting platform, one a line, in the order in which to append them.
usage: stele_hosting_events --events N --seed S [--tenants T]
  --events N    how many
  --seed S      a number; another one gives another history
  --tenants T   how many; by default one for each 500 events, at least 3 and at most 2,000
The same arguments give the same bytes on every machine.
example: stele_hosting_events --events 10000 --seed 1 > events.jsonl
exit status: 0 written · 1 failed · 2 command line
)";

template <class Number>
bool read_number(std::string_view text, Number least, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() && number >= least;
}

int refuse(std::string_view argument, std::string_view found) {
    std::cerr << "stele_hosting_events: " << argument << ": " << found << "\ntry: stele_hosting_events --help\n";
    return 2;
}

}  // namespace

int main(int count, char** arguments) {
    hosting::GeneratorOptions options;
    bool has_events = false;
    bool has_seed = false;
    for (int i = 1; i < count; i += 2) {
        const std::string_view name = arguments[i];
        if (name == "--help") {
            std::cout << usage;
            return 0;
        }
        const std::string_view value = i + 1 < count ? arguments[i + 1] : "";
        bool is_good = false;
        if (name == "--events") {
            has_events = is_good = read_number<std::int64_t>(value, 0, options.events);
        } else if (name == "--seed") {
            has_seed = is_good = read_number<std::uint64_t>(value, 0, options.seed);
        } else if (name == "--tenants") {
            is_good = read_number<std::int64_t>(value, 1, options.tenants);
        } else {
            return refuse(name, "unknown");
        }
        if (!is_good) return refuse(name, "expected a number, found \"" + std::string{value} + "\"");
    }
    if (!has_events || !has_seed) return refuse(has_events ? "--seed" : "--events", "is missing");

    std::ios::sync_with_stdio(false);
    hosting::Generator generator{options};
    while (const auto line = generator.next()) {
        if (!(std::cout << hosting::to_line(*line) << '\n')) break;
    }
    std::cout.flush();
    if (std::cout) return 0;
    std::cerr << "stele_hosting_events: standard output cannot be written to\n";
    return 1;
}
