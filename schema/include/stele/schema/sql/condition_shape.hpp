// ConditionShape: what a condition asks of the event's own columns, as far as its text shows it.
//
// An SQL condition can only be computed event by event. But most begin with what an index knows: `$type =
// 'OrderPaid' AND $data(total) > 1000`. This reads the AND, OR and brackets of a condition, and the comparisons of
// a placeholder with literals between them; whatever else stands there is `other`, of which nothing is known. So
// each event for which the condition holds also fits its shape, and who looks for such events may leave out those
// that do not fit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stele::sql {

/// A literal: a whole number, or a text. (Other literals make a comparison `other`.)
using Literal = std::variant<std::int64_t, std::string>;

struct ConditionShape {
    enum class Kind {
        all_of,      ///< `parts`, joined by AND
        any_of,      ///< `parts`, joined by OR
        comparison,  ///< of `placeholder` with `literals`
        other,       ///< may be true of any event
    };
    enum class Comparison {
        equal,  ///< =, ==, IS, IN: with any of the literals
        less,
        less_or_equal,
        greater,
        greater_or_equal,
        is_null,   ///< no literals
        contains,  ///< 'x' IN (SELECT value FROM json_each($tags)): the JSON array holds the one literal
    };

    Kind kind = Kind::other;
    std::vector<ConditionShape> parts{};
    Comparison comparison = Comparison::equal;
    std::string placeholder{};  ///< with its $
    std::vector<Literal> literals{};
};

/// Reads `condition`, which SQLite can compile as one expression. Cost: its length, times the depth of its
/// brackets.
[[nodiscard]] ConditionShape shape_of(std::string_view condition);

}  // namespace stele::sql
