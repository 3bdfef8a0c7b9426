#include "vocabulary.hpp"

#include <stele/projections/lifecycle.hpp>

#include <algorithm>
#include <map>

namespace stele::test {

Lines expected_payments(const EventStore& store, Position until) {
    struct Payments {
        std::int64_t n = 0;
        std::int64_t amount = 0;
        std::int64_t last = 0;
    };
    std::map<std::string, Payments> model;
    for (const Event& e : store.read(all().until(until))) {
        if (e.type == "Noted") continue;
        auto found = model.find(e.stream.name());
        if (found == model.end()) {
            if (e.type == "Refunded") continue;
            found = model.emplace(e.stream.name(), Payments{}).first;
        }
        auto& [n, amount, last] = found->second;
        const auto value = e.data.value().at("amount").get<std::int64_t>();
        n += e.type == "Paid" ? 1 : 0;
        amount += e.type == "Paid" ? value : -value;
        last = e.position.value();
    }
    Lines lines;
    for (const auto& [stream, p] : model) {
        lines.push_back(stream + " " + std::to_string(p.n) + " " + std::to_string(p.amount) + " " +
                        std::to_string(p.last));
    }
    return lines;
}

void pay(EventStore& store, int count, int each) {
    static constexpr const char* types[] = {"Paid", "Noted", "Paid", "Refunded", "Paid"};
    for (int i = 0; i < count;) {
        Append append;
        for (const int end = std::min(i + each, count); i < end; ++i) {
            append.to(StreamId{"Order", "order-" + std::to_string(i % 11)}, expect::any,
                      {stele::event(types[i % 5], {{"amount", i}})});
        }
        store.append(append);
    }
}

Lines model_files(const EventStore& store) {
    Lines files;
    if (!std::filesystem::exists(store.models_folder())) return files;
    for (const auto& entry : std::filesystem::directory_iterator{store.models_folder()}) {
        const auto name = entry.path().filename().string();
        const bool is_side_file = name.ends_with("-wal") || name.ends_with("-shm") || name.ends_with(".lock");
        if (!is_side_file) files.push_back(name);
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::optional<Generation> unfinished(const EventStore& store, std::string_view name) {
    std::optional<Generation> found;
    bool behind_current = !std::filesystem::exists(store.models_folder() / (std::string{name} + ".db"));
    for (const auto& file : generations(store, name)) {
        if (file.current) {
            behind_current = true;
        } else if (behind_current && !file.generation.kept && file.generation.state != "broken") {
            found = file.generation;
        }
    }
    return found;
}

}  // namespace stele::test
