// Program: a schema, compiled. Its subschemas are nodes that name one another by number, so that references are
// plain edges, and circles of them no trouble.
#pragma once

#include "number.hpp"
#include "pattern.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace stele::detail::json_schema {

using NodeId = std::uint32_t;
inline constexpr NodeId no_node = std::numeric_limits<NodeId>::max();
inline constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

/// What a value is. `integer`: a number without a fraction; `other`: nothing that JSON can say.
enum class Kind : std::uint8_t { null, boolean, integer, number, string, array, object, other };

using Kinds = std::uint8_t;  ///< one bit a kind
inline constexpr Kinds bit(Kind kind) { return static_cast<Kinds>(1U << static_cast<unsigned>(kind)); }
inline constexpr Kinds all_kinds = 0xff;

/// enum and const: a value is compared by its canonical text (canonical.hpp).
struct Allowed {
    std::unordered_set<std::string> texts;
    std::string described;  ///< for messages
};

struct NumberRules {
    std::optional<Number> minimum, exclusive_minimum, maximum, exclusive_maximum, multiple_of;
};

struct StringRules {
    std::uint64_t min_length = 0;
    std::uint64_t max_length = unlimited;
    std::optional<Pattern> pattern;
};

struct ArrayRules {
    std::uint64_t min_items = 0;
    std::uint64_t max_items = unlimited;
    bool unique = false;
    std::vector<NodeId> tuple;  ///< one for each of the first items
    NodeId others = no_node;    ///< for the items behind them
    NodeId contains = no_node;

    [[nodiscard]] bool has_children() const { return !tuple.empty() || others != no_node || contains != no_node; }
};

struct Property {
    std::string name;
    NodeId node;
};

struct PatternProperty {
    Pattern pattern;
    NodeId node;
};

/// What must hold where the member `name` is there.
struct Dependency {
    std::string name;
    std::vector<std::string> required;
    NodeId node = no_node;
};

struct ObjectRules {
    std::uint64_t min_properties = 0;
    std::uint64_t max_properties = unlimited;
    std::vector<std::string> required;
    std::vector<Property> properties;  ///< by name, ascending
    std::vector<PatternProperty> patterns;
    NodeId additional = no_node;
    NodeId names = no_node;
    std::vector<Dependency> dependencies;

    [[nodiscard]] const Property* find(std::string_view name) const;
    [[nodiscard]] bool has_members() const {
        return !properties.empty() || !patterns.empty() || additional != no_node;
    }
    [[nodiscard]] bool has_children() const { return has_members() || names != no_node || has_schema_dependency(); }
    [[nodiscard]] bool has_schema_dependency() const;
};

/// Subschemas that are asked about the very same value.
struct InPlaceRules {
    std::vector<NodeId> all_of, any_of, one_of;
    NodeId negated = no_node;
    NodeId condition = no_node, consequence = no_node, alternative = no_node;
};

struct Node {
    std::string pointer;       ///< where it stands in the document
    bool refuses_all = false;  ///< the schema `false`
    bool forbidden = false;    ///< "x-stele": "forbidden"
    Kinds kinds = all_kinds;
    std::optional<Allowed> constant, enumerated;
    std::unique_ptr<NumberRules> numbers;
    std::unique_ptr<StringRules> strings;
    std::unique_ptr<ArrayRules> arrays;
    std::unique_ptr<ObjectRules> objects;
    std::unique_ptr<InPlaceRules> in_place;
    bool leaf = true;  ///< asks no other node
};

struct Program {
    std::vector<Node> nodes;
    NodeId root = 0;
    bool forbids = false;  ///< some node is forbidden

    [[nodiscard]] const Node& at(NodeId id) const { return nodes[id]; }
};

/// Calls `visit(NodeId)` for each node that `node` asks about the same value.
template <class Visit>
void for_each_in_place(const Node& node, Visit visit) {
    const auto one = [&](NodeId id) {
        if (id != no_node) visit(id);
    };
    if (node.objects) {
        for (const auto& dependency : node.objects->dependencies) one(dependency.node);
    }
    if (!node.in_place) return;
    for (const auto* list : {&node.in_place->all_of, &node.in_place->any_of, &node.in_place->one_of}) {
        for (const NodeId id : *list) visit(id);
    }
    one(node.in_place->negated);
    one(node.in_place->condition);
    one(node.in_place->consequence);
    one(node.in_place->alternative);
}

/// `integer or null`.
[[nodiscard]] std::string describe(Kinds kinds);

}  // namespace stele::detail::json_schema
