#include <stele/replay/aggregate_file.hpp>
#include <stele/replay/aggregate_registry.hpp>

#include <algorithm>

namespace stele {

AggregateRegistry AggregateRegistry::load(const std::filesystem::path& folder) {
    namespace fs = std::filesystem;
    if (!fs::is_directory(folder))
        throw NotFound{folder.string() + ": no such folder; aggregate files stand in it, as <type>.sql",
                       {{"folder", folder.string()}}};

    // In order of their names, so that of two files for one type it is always the same that is refused.
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator{folder})
        if (entry.path().extension() == ".sql" && entry.is_regular_file()) files.push_back(entry.path());
    std::sort(files.begin(), files.end());

    AggregateRegistry registry;
    std::map<std::string, fs::path, std::less<>> origin;
    for (const auto& file : files) {
        auto aggregate = std::make_shared<AggregateFile>(AggregateFile::load(file));
        const auto [first, is_new] = origin.try_emplace(std::string{aggregate->aggregate_type()}, file);
        if (!is_new)
            throw InvalidInput{file.string(), "an aggregate that no other file speaks for",
                               "\"" + first->first + "\", which " + first->second.string() + " speaks for"};
        registry.add(std::move(aggregate));
    }
    return registry;
}

void AggregateRegistry::add(std::shared_ptr<const Aggregate> aggregate) {
    std::string type{aggregate->aggregate_type()};
    if (type.empty()) throw InvalidInput{"aggregate_type", "the name of a type", "nothing"};
    if (by_type_.contains(type))
        throw InvalidInput{"aggregate_type", "a type that nothing speaks for", '"' + type + '"'};
    by_type_.emplace(std::move(type), std::move(aggregate));
}

const Aggregate& AggregateRegistry::of(std::string_view aggregate_type) const {
    const auto found = by_type_.find(aggregate_type);
    return found == by_type_.end() ? merge_patch() : *found->second;
}

std::vector<std::string> AggregateRegistry::aggregate_types() const {
    std::vector<std::string> types;
    for (const auto& [type, aggregate] : by_type_) types.push_back(type);
    return types;
}

}  // namespace stele
