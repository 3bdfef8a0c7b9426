// Comparison: two schemas side by side, keyword by keyword, with references followed.
#pragma once

#include <stele/schema/schema_compatibility.hpp>

#include "document.hpp"
#include "program.hpp"

#include <nlohmann/json.hpp>

#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace stele::detail::json_schema {

/// What a change makes of the set of values that fit.
enum class Effect {
    none,      ///< nothing
    narrower,  ///< fewer values fit: old data may be refused
    wider,     ///< more values fit: new data may be refused by old readers
    other,     ///< other values fit
    unclear,   ///< one of these
};

class Comparison {
public:
    Comparison(const nlohmann::json& older, const nlohmann::json& newer);

    [[nodiscard]] std::vector<SchemaChange> run();

private:
    /// A schema with its references followed. Where a keyword is absent, the schema that says the same.
    struct Side {
        Place place;
        bool forbidden = false;
        const nlohmann::json* find(const char* keyword) const;
    };
    struct Sides {
        Side older;
        Side newer;
    };
    /// How a change of a part bears on the whole.
    struct Bearing {
        bool reversed = false;  ///< under "not"
        bool doubtful = false;  ///< some other part may make up for it
        bool opaque = false;  ///< within oneOf, where what fits more or fewer alternatives may fit the whole or not
    };

    void compare(const Place& older, const Place& newer, Bearing bearing);
    void compare_keywords(const Sides& sides, Bearing bearing);

    // Each looks at some keywords, and notes what changed.
    void types(const Sides& sides, Bearing bearing);
    void values(const Sides& sides, Bearing bearing);
    void bounds(const Sides& sides, Bearing bearing);
    void multiples(const Sides& sides, Bearing bearing);
    void patterns(const Sides& sides, Bearing bearing);
    void flags(const Sides& sides, Bearing bearing);
    void required(const Sides& sides, Bearing bearing);
    void members(const Sides& sides, Bearing bearing);
    void dependencies(const Sides& sides, Bearing bearing);
    void items(const Sides& sides, Bearing bearing);
    void single_schemas(const Sides& sides, Bearing bearing);
    void conditions(const Sides& sides, Bearing bearing);
    void lists(const Sides& sides, Bearing bearing);
    void notes(const Sides& sides);

    void list(const Sides& sides, const char* keyword, Bearing bearing);
    void member(const Sides& sides, const std::string& name, Bearing bearing);
    [[nodiscard]] bool may_overlap(Document& document, const Side& side);

    [[nodiscard]] Side resolved(Document& document, Place place);
    [[nodiscard]] Place at(Document& document, const Side& side, const std::string& step);
    [[nodiscard]] Place item_at(Document& document, const Side& side, std::size_t index);

    struct Words {
        std::string narrower;  ///< why old data may be refused
        std::string wider;     ///< why new data may be refused by old readers
    };
    void note(const Sides& sides, const std::string& step, std::string what, Effect effect, Bearing bearing,
              const Words& words = {});

    Document older_;
    Document newer_;
    std::set<std::tuple<const nlohmann::json*, const nlohmann::json*, bool, bool, bool>>
        seen_;  ///< with the bearing
    int depth_ = 0;
    std::vector<SchemaChange> changes_;
};

}  // namespace stele::detail::json_schema
