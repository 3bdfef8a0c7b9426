#include "bench.hpp"

#include "measure.hpp"
#include "workload.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iomanip>
#include <ostream>
#include <sstream>

namespace stele::bench {
namespace {

// The medians of a figure over all runs.
struct Result {
    double stele = 0;
    std::optional<double> other;
    std::optional<double> ratio;  // the median of the runs' ratios: what disturbs one run disturbs both sides of it
    std::size_t runs = 0;

    [[nodiscard]] std::optional<bool> reached(const Figure& figure) const {
        if (!figure.goal) return std::nullopt;
        return figure.goal->reached_by(figure.goal->of == Goal::Of::ratio ? ratio.value() : stele);
    }
};

Result medians(const std::vector<std::vector<Measurement>>& runs, std::size_t figure) {
    std::vector<double> stele;
    std::vector<double> other;
    std::vector<double> ratio;
    for (const auto& run : runs) {
        stele.push_back(run.at(figure).stele);
        if (run[figure].other) other.push_back(*run[figure].other);
        if (run[figure].ratio()) ratio.push_back(*run[figure].ratio());
    }
    Result result{.stele = median(stele), .other = {}, .ratio = {}, .runs = runs.size()};
    if (!other.empty()) result.other = median(other);
    if (!ratio.empty()) result.ratio = median(ratio);
    return result;
}

// Three significant digits or more: 0.123, 12.3, 12345.
std::string number(double value) {
    std::ostringstream out;
    const int decimals = value >= 1'000 ? 0 : value >= 100 ? 1 : value >= 10 ? 2 : 3;
    out << std::fixed << std::setprecision(decimals) << value;
    return out.str();
}
std::string number(std::optional<double> value) { return value ? number(*value) : "-"; }

std::string goal_text(const Figure& figure) {
    const auto& goal = figure.goal.value();
    std::ostringstream out;
    out << (goal.sense == Goal::Sense::at_least ? "at least " : "under ") << goal.value << ' '
        << (goal.of == Goal::Of::ratio ? "x " + figure.against : figure.unit);
    return out.str();
}

// The widths of the table's columns; a figure's name comes first, what it is compared with last.
std::string table_line(const std::string& name, const std::string& unit, const std::string& stele,
                       const std::string& other, const std::string& ratio, const std::string& remark) {
    std::ostringstream out;
    out << std::left << std::setw(28) << name << std::setw(12) << unit << std::right << std::setw(11) << stele
        << std::setw(11) << other << std::setw(8) << ratio << "  " << remark;
    return out.str();
}

std::string as_text(const Figure& figure, const Result& result) {
    std::string remark;
    if (const auto reached = result.reached(figure))
        remark = (*reached ? "reached: " : "missed: ") + goal_text(figure);
    else if (!figure.against.empty())
        remark = "against " + figure.against;
    return table_line(figure.name, figure.unit, number(result.stele), number(result.other), number(result.ratio),
                      remark);
}

template <class T>
nlohmann::json or_null(const std::optional<T>& value) {
    return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

std::string as_json(const Figure& figure, const Result& result) {
    const bool against_sqlite = figure.against.starts_with(bare_sqlite);
    return nlohmann::json{
        {"workload", figure.name},
        {"unit", figure.unit},
        {"stele", result.stele},
        {"sqlite", against_sqlite ? or_null(result.other) : nlohmann::json(nullptr)},
        {"other", or_null(result.other)},
        {"against", figure.against.empty() ? nlohmann::json(nullptr) : nlohmann::json(figure.against)},
        {"ratio", or_null(result.ratio)},
        {"goal", figure.goal ? nlohmann::json(goal_text(figure)) : nlohmann::json(nullptr)},
        {"reached", or_null(result.reached(figure))},
        {"runs", result.runs}}
        .dump();
}

std::vector<Workload> chosen(const BenchOptions& options) {
    auto all = workloads();
    if (options.only.empty()) return all;
    std::vector<Workload> some;
    for (const auto& name : options.only) {
        const auto found = std::find_if(all.begin(), all.end(), [&](const Workload& w) { return w.name == name; });
        if (found == all.end()) {
            std::string names;
            for (const auto& workload : all) names += (names.empty() ? "" : ", ") + workload.name;
            throw NotFound("bench: no workload \"" + name + "\"; there are " + names, {{"workload", name}});
        }
        some.push_back(*found);
    }
    return some;
}

// A folder for everything that the benchmark writes, deleted with it.
class Workplace {
public:
    explicit Workplace(const std::filesystem::path& above) {
        auto name = (std::filesystem::absolute(above) / "stele-bench-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw BenchError("bench: cannot make a folder in " + above.string());
        path_ = name;
    }
    ~Workplace() {
        std::error_code ignored;  // what cannot be deleted does not spoil the figures
        std::filesystem::remove_all(path_, ignored);
    }
    Workplace(const Workplace&) = delete;
    Workplace& operator=(const Workplace&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

std::size_t list(const std::vector<Workload>& some, std::ostream& output) {
    for (const auto& workload : some)
        output << std::left << std::setw(26) << workload.name << workload.about << '\n';
    return 0;
}

}  // namespace

std::size_t run_bench(const BenchOptions& options, std::ostream& output, std::ostream& progress) {
    const auto some = chosen(options);
    if (options.list) return list(some, output);

    auto sizes = options.quick ? Sizes::quick() : Sizes::standard();
    if (options.events) sizes.log_events = std::max<std::size_t>(*options.events, 20);
    const auto runs = std::max<std::size_t>(options.runs.value_or(options.quick ? 3 : 5), 1);

    const Workplace workplace{options.dir.value_or(std::filesystem::temp_directory_path())};
    Context context{workplace.path(), sizes};
    context.history = options.history;
    context.tool = std::filesystem::weakly_canonical(options.tool.value_or("/proc/self/exe"));

    std::size_t missed = 0;
    if (!options.json) output << table_line("workload", "unit", "stele", "other", "ratio", "") << std::endl;
    for (const auto& workload : some) {
        progress << workload.name << ": " << workload.about << std::endl;
        const auto run = workload.prepare(context);
        std::vector<std::vector<Measurement>> measured;
        while (measured.size() < (workload.repeats ? runs : 1)) measured.push_back(run());

        for (std::size_t i = 0; i < workload.figures.size(); ++i) {
            const auto& figure = workload.figures[i];
            const auto result = medians(measured, i);
            output << (options.json ? as_json(figure, result) : as_text(figure, result)) << std::endl;
            if (!result.reached(figure).value_or(true)) ++missed;
        }
    }
    return missed;
}

}  // namespace stele::bench
