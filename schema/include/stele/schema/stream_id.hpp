// StreamId: the name of a stream, `[tenant:]Type/id`.
#pragma once

#include <compare>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

namespace stele {

/// Which aggregate a stream belongs to: a type and an id, and a tenant where there are several.
///
/// Tenant and type hold no ':' or '/'; the id is everything after the first '/' and may hold anything.
/// Each part is valid UTF-8 without control characters (U+0000 to U+001F, U+007F); the type and the id are
/// not empty. Lengths are checked by Limits when an event is appended.
///
/// Immutable and cheap to copy (copies share the name). A moved-from StreamId may only be assigned or destroyed.
class StreamId {
public:
    /// Throws InvalidInput naming the part ("tenant", "aggregate_type", "aggregate_id") that breaks a rule.
    StreamId(std::string_view aggregate_type, std::string_view aggregate_id);
    StreamId(std::string_view tenant, std::string_view aggregate_type, std::string_view aggregate_id);

    /// Reads `Site/site-42` or `acme:Site/site-42`. Throws InvalidInput naming the part.
    [[nodiscard]] static StreamId parse(std::string_view name);

    /// Empty where there is no tenant.
    [[nodiscard]] std::string_view tenant() const noexcept;
    [[nodiscard]] std::string_view aggregate_type() const noexcept;
    [[nodiscard]] std::string_view aggregate_id() const noexcept;

    /// `[tenant:]Type/id`. Lives as long as any copy of this StreamId.
    [[nodiscard]] const std::string& name() const noexcept { return name_->full; }

    friend bool operator==(const StreamId& a, const StreamId& b) noexcept {
        return a.name_ == b.name_ || a.name_->full == b.name_->full;
    }
    friend std::strong_ordering operator<=>(const StreamId& a, const StreamId& b) noexcept {
        return a.name_->full <=> b.name_->full;
    }
    friend std::ostream& operator<<(std::ostream& out, const StreamId& id) { return out << id.name(); }

private:
    struct Name {
        std::string full;
        std::size_t type_at;  ///< 0 without a tenant, else behind the ':'
        std::size_t id_at;    ///< behind the first '/'
    };
    std::shared_ptr<const Name> name_;
};

}  // namespace stele

template <>
struct std::hash<stele::StreamId> {
    // Not noexcept: libstdc++'s maps keep the hashes of their keys only where computing one may throw, and a name's
    // hash is dearer than its place in a node.
    std::size_t operator()(const stele::StreamId& id) const { return std::hash<std::string>{}(id.name()); }
};
