#include "keywords.hpp"

#include "../text.hpp"
#include "canonical.hpp"
#include "document.hpp"
#include "nlohmann_value.hpp"
#include "subschemas.hpp"

// Without this, valijson ends the process where a document is wrong.
#define VALIJSON_USE_EXCEPTIONS 1
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/constraints/concrete_constraints.hpp>
#include <valijson/constraints/constraint_visitor.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace stele::detail::json_schema {
namespace {

using valijson::Subschema;

// valijson's parser gets one schema at a time, with a stand-in for each schema within: {"id": "17"} is the 17th.
//
// It would walk a whole document by itself, but recursively, through references too, and it takes a property "a/b"
// for the property "b" of "a". Its validator is not used either: it recurses with the value, and has std::regex
// match patterns, which recurses with the string and backtracks without bounds. And where its constraints hold less
// than draft-07 says (bounds as doubles, strings up to the first NUL), the rule is taken from the document.
class StandIns {
public:
    explicit StandIns(const ChildNode& child) : child_(child) {}

    nlohmann::json make(const std::string& step, const nlohmann::json& schema) {
        nodes_.push_back(child_(step, schema));
        return {{"id", std::to_string(nodes_.size() - 1)}};
    }

    /// no_node where valijson has no subschema, or its empty one, which stands for a keyword that is absent.
    [[nodiscard]] NodeId node(const Subschema* subschema) const {
        return subschema && subschema->hasId() ? nodes_.at(std::stoul(subschema->getId())) : no_node;
    }

private:
    const ChildNode& child_;
    std::vector<NodeId> nodes_;
};

/// 2.0 as 2, as valijson wants its counts.
nlohmann::json count_of(const nlohmann::json& number) {
    constexpr Number most = 9223372036854775807.0L;
    const auto value =
        number.is_number_float() ? static_cast<Number>(number.get<double>()) : NlohmannValue{number}.number();
    return static_cast<std::int64_t>(std::min(value, most));
}

// valijson keeps the names of members as C strings: NUL is written ~1 for it, and ~ is ~0.
std::string without_nul(const std::string& name) {
    std::string written;
    for (const char c : name) {
        if (c == '\0' || c == '~') {
            written += c == '~' ? "~0" : "~1";
        } else {
            written += c;
        }
    }
    return written;
}

template <class Text>
std::string with_nul(const Text& written) {
    std::string name;
    for (auto at = written.begin(); at != written.end(); ++at) {
        if (*at == '~') {
            name += *++at == '0' ? '~' : '\0';
        } else {
            name += *at;
        }
    }
    return name;
}

/// The keywords of `schema` that valijson shall see.
nlohmann::json for_valijson(const nlohmann::json& schema, StandIns& stand_ins) {
    constexpr std::array<std::string_view, 11> as_they_are{
        "const",    "enum", "exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf", "pattern",
        "required", "type", "uniqueItems"};
    constexpr std::array<std::string_view, 6> counts{"maxItems", "maxLength", "maxProperties",
                                                     "minItems", "minLength", "minProperties"};
    auto seen = nlohmann::json::object();
    for (const auto keyword : as_they_are) {
        if (const auto at = schema.find(keyword); at != schema.end()) seen[std::string(keyword)] = *at;
    }
    for (const auto keyword : counts) {
        if (const auto at = schema.find(keyword); at != schema.end()) seen[std::string(keyword)] = count_of(*at);
    }
    for (const auto* keyword : {"allOf", "anyOf", "oneOf", "items"}) {
        if (const auto at = schema.find(keyword); at != schema.end() && at->is_array()) {
            seen[keyword] = nlohmann::json::array();
        }
    }
    for (const auto* keyword : {"properties", "patternProperties", "dependencies"}) {
        const auto at = schema.find(keyword);
        if (at == schema.end()) continue;
        seen[keyword] = nlohmann::json::object();
        for (const auto& [name, value] : at->items()) {
            if (value.is_array()) seen[keyword][without_nul(name)] = value;
        }
    }
    for_each_subschema(schema, [&](const std::string& step, const nlohmann::json& child) {
        if (step.starts_with("/definitions/")) return;
        const nlohmann::json::json_pointer at(step);
        const auto keyword = step.substr(1, step.find('/', 1) - 1);
        if ((keyword == "then" || keyword == "else") && !schema.contains("if")) return;
        if (keyword == "additionalItems" && !seen.contains("items")) return;
        auto stand_in = stand_ins.make(step, child);
        if (seen.contains(keyword) && seen[keyword].is_array()) {
            seen[keyword].push_back(std::move(stand_in));
        } else {
            (seen.contains(keyword) ? seen[keyword][without_nul(at.back())] : seen[keyword]) = std::move(stand_in);
        }
    });
    return seen;
}

template <class Rules>
Rules& made(std::unique_ptr<Rules>& rules) {
    if (!rules) rules = std::make_unique<Rules>();
    return *rules;
}

Pattern compiled(const std::string& source, const std::string& pointer) {
    try {
        return Pattern{source};
    } catch (const PatternError& error) {
        throw SchemaFault{pointer, error.expected, error.found + " in " + detail::quoted(source), {}};
    }
}

/// Carries valijson's constraints over into a node.
class Reader final : public valijson::constraints::ConstraintVisitor {
public:
    Reader(const nlohmann::json& schema, Node& node, const StandIns& stand_ins)
        : schema_(schema), node_(node), stand_ins_(stand_ins) {}

    bool visit(const AllOfConstraint& constraint) override { return list(constraint, in_place().all_of); }
    bool visit(const AnyOfConstraint& constraint) override { return list(constraint, in_place().any_of); }
    bool visit(const OneOfConstraint& constraint) override { return list(constraint, in_place().one_of); }

    bool visit(const NotConstraint& constraint) override {
        in_place().negated = stand_ins_.node(constraint.getSubschema());
        return true;
    }

    bool visit(const ConditionalConstraint& constraint) override {
        in_place().condition = stand_ins_.node(constraint.getIfSubschema());
        in_place().consequence = stand_ins_.node(constraint.getThenSubschema());
        in_place().alternative = stand_ins_.node(constraint.getElseSubschema());
        return true;
    }

    bool visit(const TypeConstraint& constraint) override {
        node_.kinds = 0;
        constraint.applyToNamedTypes([&](TypeConstraint::JsonType type) {
            node_.kinds |= kinds_of(type);
            return true;
        });
        return true;
    }

    bool visit(const ConstConstraint&) override {
        const auto& value = schema_.at("const");
        node_.constant = Allowed{{canonical(NlohmannValue{value})}, brief(NlohmannValue{value})};
        return true;
    }

    bool visit(const EnumConstraint&) override {
        constexpr std::size_t few = 8;
        const auto& values = schema_.at("enum");
        Allowed allowed{{}, "one of "};
        for (std::size_t i = 0; i < values.size(); ++i) {
            allowed.texts.insert(canonical(NlohmannValue{values[i]}));
            if (i < few) (allowed.described += i > 0 ? ", " : "") += brief(NlohmannValue{values[i]});
        }
        if (values.size() > few) allowed.described += " and " + std::to_string(values.size() - few) + " others";
        node_.enumerated = std::move(allowed);
        return true;
    }

    // Bounds beyond 2^53 are no doubles: they are taken from the document. One constraint stands for two keywords.
    bool visit(const MinimumConstraint&) override {
        numbers().minimum = number("minimum");
        numbers().exclusive_minimum = number("exclusiveMinimum");
        return true;
    }
    bool visit(const MaximumConstraint&) override {
        numbers().maximum = number("maximum");
        numbers().exclusive_maximum = number("exclusiveMaximum");
        return true;
    }
    bool visit(const MultipleOfDoubleConstraint&) override { return multiple_of(); }
    bool visit(const MultipleOfIntConstraint&) override { return multiple_of(); }

    bool visit(const MinLengthConstraint& constraint) override {
        strings().min_length = constraint.getMinLength();
        return true;
    }
    bool visit(const MaxLengthConstraint& constraint) override {
        strings().max_length = constraint.getMaxLength();
        return true;
    }
    bool visit(const PatternConstraint&) override {
        strings().pattern = compiled(schema_.at("pattern").get_ref<const std::string&>(), "/pattern");
        return true;
    }
    bool visit(const FormatConstraint&) override { return true; }

    bool visit(const MinItemsConstraint& constraint) override {
        arrays().min_items = constraint.getMinItems();
        return true;
    }
    bool visit(const MaxItemsConstraint& constraint) override {
        arrays().max_items = constraint.getMaxItems();
        return true;
    }
    bool visit(const UniqueItemsConstraint&) override {
        arrays().unique = true;
        return true;
    }
    bool visit(const SingularItemsConstraint& constraint) override {
        arrays().others = stand_ins_.node(constraint.getItemsSubschema());
        return true;
    }
    bool visit(const LinearItemsConstraint& constraint) override {
        constraint.applyToItemSubschemas([&](unsigned, const Subschema* item) {
            arrays().tuple.push_back(stand_ins_.node(item));
            return true;
        });
        arrays().others = stand_ins_.node(constraint.getAdditionalItemsSubschema());
        return true;
    }
    bool visit(const ContainsConstraint& constraint) override {
        arrays().contains = stand_ins_.node(constraint.getSubschema());
        return true;
    }

    bool visit(const MinPropertiesConstraint& constraint) override {
        objects().min_properties = constraint.getMinProperties();
        return true;
    }
    bool visit(const MaxPropertiesConstraint& constraint) override {
        objects().max_properties = constraint.getMaxProperties();
        return true;
    }
    bool visit(const RequiredConstraint&) override {
        objects().required = schema_.at("required").get<std::vector<std::string>>();
        return true;
    }
    bool visit(const PropertiesConstraint& constraint) override {
        constraint.applyToProperties([&](const auto& name, const Subschema* property) {
            objects().properties.push_back({with_nul(name), stand_ins_.node(property)});
            return true;
        });
        constraint.applyToPatternProperties([&](const auto& name, const Subschema* property) {
            const auto source = with_nul(name);
            objects().patterns.push_back(
                {compiled(source, "/patternProperties" + pointer_step(source)), stand_ins_.node(property)});
            return true;
        });
        objects().additional = stand_ins_.node(constraint.getAdditionalPropertiesSubschema());
        std::sort(objects().properties.begin(), objects().properties.end(),
                  [](const Property& a, const Property& b) { return a.name < b.name; });
        return true;
    }
    bool visit(const PropertyNamesConstraint& constraint) override {
        objects().names = stand_ins_.node(constraint.getSubschema());
        return true;
    }
    bool visit(const DependenciesConstraint& constraint) override {
        constraint.applyToPropertyDependencies([&](const auto& name, const auto&) {
            const auto known = with_nul(name);
            const auto& others = schema_.at("dependencies").at(known);
            objects().dependencies.push_back({known, others.template get<std::vector<std::string>>(), no_node});
            return true;
        });
        constraint.applyToSchemaDependencies([&](const auto& name, const Subschema* schema) {
            objects().dependencies.push_back({with_nul(name), {}, stand_ins_.node(schema)});
            return true;
        });
        return true;
    }
    bool visit(const PolyConstraint&) override { return true; }

private:
    static Kinds kinds_of(TypeConstraint::JsonType type) {
        switch (type) {
            case TypeConstraint::kArray:
                return bit(Kind::array);
            case TypeConstraint::kBoolean:
                return bit(Kind::boolean);
            case TypeConstraint::kInteger:
                return bit(Kind::integer);
            case TypeConstraint::kNull:
                return bit(Kind::null);
            case TypeConstraint::kNumber:
                return bit(Kind::number) | bit(Kind::integer);
            case TypeConstraint::kObject:
                return bit(Kind::object);
            case TypeConstraint::kString:
                return bit(Kind::string);
            case TypeConstraint::kAny:
                break;
        }
        return all_kinds;
    }

    template <class Constraint>
    bool list(const Constraint& constraint, std::vector<NodeId>& nodes) {
        constraint.applyToSubschemas([&](unsigned, const Subschema* subschema) {
            nodes.push_back(stand_ins_.node(subschema));
            return true;
        });
        return true;
    }

    std::optional<Number> number(const char* keyword) const {
        const auto at = schema_.find(keyword);
        if (at == schema_.end()) return std::nullopt;
        return NlohmannValue{*at}.number();
    }

    bool multiple_of() {
        numbers().multiple_of = number("multipleOf");
        return true;
    }

    NumberRules& numbers() { return made(node_.numbers); }
    StringRules& strings() { return made(node_.strings); }
    ArrayRules& arrays() { return made(node_.arrays); }
    ObjectRules& objects() { return made(node_.objects); }
    InPlaceRules& in_place() { return made(node_.in_place); }

    const nlohmann::json& schema_;
    Node& node_;
    const StandIns& stand_ins_;
};

}  // namespace

void read_keywords(const nlohmann::json& schema, Node& node, const ChildNode& child) {
    StandIns stand_ins{child};
    const auto seen = for_valijson(schema, stand_ins);
    valijson::Schema parsed;
    try {
        valijson::SchemaParser{valijson::SchemaParser::kDraft7}.populateSchema(
            valijson::adapters::NlohmannJsonAdapter{seen}, parsed);
    } catch (const std::exception& error) {  // std::runtime_error and std::logic_error, by valijson
        throw SchemaFault{"", "a schema of draft-07", error.what(), {}};
    }

    Reader reader{schema, node, stand_ins};
    Subschema::ApplyFunction visit = [&](const valijson::constraints::Constraint& constraint) {
        return constraint.accept(reader);
    };
    parsed.root()->apply(visit);
    node.leaf = !node.in_place && !(node.arrays && node.arrays->has_children()) &&
                !(node.objects && node.objects->has_children());
}

}  // namespace stele::detail::json_schema
