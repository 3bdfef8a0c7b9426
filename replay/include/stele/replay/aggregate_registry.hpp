// AggregateRegistry: which Aggregate speaks for which aggregate type.
#pragma once

#include <stele/replay/aggregate.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

/// Aggregates by the type that they speak for; for all other types, merge_patch().
///
/// Threads  any number may read it while none changes it.
class AggregateRegistry {
public:
    /// No type is spoken for.
    AggregateRegistry() = default;

    /// The AggregateFile of each `*.sql` in `folder`, not in folders below it. Files are known by the type that
    /// stands in them, whatever they are called.
    ///
    /// Throws NotFound where there is no such folder, what AggregateFile::load() throws, and InvalidInput where two
    /// files speak for one type.
    [[nodiscard]] static AggregateRegistry load(const std::filesystem::path& folder);

    /// Adds one. Throws InvalidInput when its type is spoken for already, or empty.
    void add(std::shared_ptr<const Aggregate> aggregate);

    /// The one for `aggregate_type`. Stays as long as the registry.
    [[nodiscard]] const Aggregate& of(std::string_view aggregate_type) const;

    /// The types that are spoken for, in byte order.
    [[nodiscard]] std::vector<std::string> aggregate_types() const;

private:
    std::map<std::string, std::shared_ptr<const Aggregate>, std::less<>> by_type_;
};

}  // namespace stele
