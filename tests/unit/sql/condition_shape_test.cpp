// What the text of a condition shows of the events that it can be true of.
#include <stele/schema/sql/condition_shape.hpp>
#include <stele/test/catch.hpp>

using namespace stele;
using sql::ConditionShape;

namespace {

std::string text(const sql::Literal& literal) {
    if (const auto* number = std::get_if<std::int64_t>(&literal)) return std::to_string(*number);
    return '\'' + std::get<std::string>(literal) + '\'';
}

// `all($type = 'A', ?)`
std::string text(const ConditionShape& shape) {
    static constexpr const char* comparisons[] = {"=", "<", "<=", ">", ">=", "null", "contains"};
    if (shape.kind == ConditionShape::Kind::other) return "?";
    std::string list;
    const auto add = [&](const std::string& more) { list += (list.empty() ? "" : ", ") + more; };
    if (shape.kind == ConditionShape::Kind::comparison) {
        for (const auto& literal : shape.literals) add(text(literal));
        const std::string comparison = comparisons[static_cast<int>(shape.comparison)];
        return shape.placeholder + ' ' + comparison + (list.empty() ? "" : ' ' + list);
    }
    for (const auto& part : shape.parts) add(text(part));
    return (shape.kind == ConditionShape::Kind::all_of ? "all(" : "any(") + list + ')';
}

std::string shape(const char* condition) { return text(sql::shape_of(condition)); }

}  // namespace

TEST_CASE("comparisons of a placeholder with a literal are read either way round", "[sql][shape]") {
    CHECK(shape("$type = 'A'") == "$type = 'A'");
    CHECK(shape("'A' == $type") == "$type = 'A'");
    CHECK(shape("$type IS 'it''s'") == "$type = 'it's'");
    CHECK(shape("$position<5") == "$position < 5");
    CHECK(shape("5 < $position") == "$position > 5");
    CHECK(shape("5 >= $position;") == "$position <= 5");
    CHECK(shape("$type in ('A', 'B' /* and */ , 'C')") == "$type = 'A', 'B', 'C'");
    CHECK(shape("$position BETWEEN 5 AND 7") == "all($position >= 5, $position <= 7)");
    CHECK(shape("$tenant IS NULL") == "$tenant null");
    CHECK(shape("$tenant isnull -- none") == "$tenant null");
    CHECK(shape("'x' IN (SELECT value FROM json_each($tags))") == "$tags contains 'x'");
}

TEST_CASE("AND binds before OR, and brackets before both", "[sql][shape]") {
    CHECK(shape("$type = 'A' AND $position > 5 OR $type = 'B'") ==
          "any(all($type = 'A', $position > 5), $type = 'B')");
    CHECK(shape("$type = 'A' AND ($position > 5 OR ($type = 'B'))") ==
          "all($type = 'A', any($position > 5, $type = 'B'))");
    CHECK(shape("$position BETWEEN 1 AND 2 AND $type = 'A'") ==
          "all(all($position >= 1, $position <= 2), $type = 'A')");
}

TEST_CASE("whatever else stands there may be true of any event", "[sql][shape]") {
    for (const char* unknown : {"",
                                "$data(x) + 1 > 5",
                                "NOT $type = 'A'",
                                "$type <> 'A'",
                                "$type = 'A' COLLATE NOCASE",
                                "$type LIKE 'A'",
                                "$position = 5 + 1",
                                "$position > -5",
                                "$position > 5.5",
                                "$position >> 5",
                                "$type = $stream",
                                "$type NOT IN ('A')",
                                "$type IS NOT 'A'",
                                "$tenant IS NOT NULL",
                                "NOT ($type = 'A' AND $position > 5)",
                                "$type = x'41'",
                                "$position NOT BETWEEN 1 AND 5",
                                "CASE WHEN $type = 'A' AND $position > 5 THEN 1 END",
                                "$type IN (SELECT 'A')",
                                "$type = 'A') OR ($type = 'B'",
                                "(($type = 'A')",
                                "$type = 'A' = 0",
                                "NOT $position BETWEEN 1 AND 5",
                                "$type IN ('A',)",
                                "$type IN ()",
                                "? = 5",
                                "@type = 'A'",
                                "$position = 99999999999999999999"}) {
        CAPTURE(unknown);
        CHECK(shape(unknown) == "?");
    }
    CHECK(shape("NOT $type = 'A' AND $position > 5") == "all(?, $position > 5)");
    CHECK(shape("CASE WHEN 1 OR 0 THEN 1 END AND $type = 'A'") == "all(?, $type = 'A')");
    CHECK(shape("$data(\"a\\u0020AND\") = 1 AND $type = 'A OR B'") ==
          "all($data(\"a\\u0020AND\") = 1, $type = 'A OR B')");
}

TEST_CASE("brackets as deep as anybody likes do no harm", "[sql][shape]") {
    const std::string deep = std::string(5'000, '(') + "$type = 'A'" + std::string(5'000, ')');
    CHECK(text(sql::shape_of(deep)) == "?");
    CHECK(text(sql::shape_of("((((((((((($type = 'A')))))))))))")) == "$type = 'A'");
}
