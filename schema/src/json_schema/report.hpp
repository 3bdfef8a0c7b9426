// Report: violations as they are found, with their places, and without what is forbidden to tell.
#pragma once

#include <stele/schema/json_schema.hpp>

#include "program.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stele::detail::json_schema {

/// One step from a value to a part of it.
struct PointerStep {
    enum class Kind : std::uint8_t { none, member, item };
    Kind kind = Kind::none;
    std::string_view name;  ///< of the member
    std::size_t index = 0;  ///< of the item
};
using Path = std::vector<PointerStep>;

class Report {
public:
    /// Keeps `limit` violations of a value that stands at `prefix`.
    explicit Report(const Program& program, std::size_t limit, Path prefix = {})
        : program_(program), limit_(limit), prefix_(std::move(prefix)) {}

    [[nodiscard]] bool wants_more() const noexcept { return violations_.size() < limit_; }
    [[nodiscard]] const std::vector<SchemaViolation>& violations() const noexcept { return violations_; }

    /// What a violation says, apart from its place.
    struct Statement {
        std::string expected;
        std::string found;
        std::string schema_pointer;
    };

    /// At the value that the machine's frames lead to.
    template <class Frames>
    void add(const Frames& frames, Statement statement) {
        if (wants_more()) add_at(path(frames), std::move(statement));
    }
    void add(SchemaViolation violation) { violations_.push_back(std::move(violation)); }

    template <class Frames>
    [[nodiscard]] Path path(const Frames& frames) const {
        auto steps = prefix_;
        for (const auto& frame : frames) {
            if (frame.at.kind != PointerStep::Kind::none) steps.push_back(frame.at);
        }
        return steps;
    }

    template <class Frames>
    [[nodiscard]] std::string pointer(const Frames& frames) const {
        return pointer_of(path(frames));
    }

private:
    static std::string pointer_of(const Path& path);
    void add_at(const Path& path, Statement statement);

    const Program& program_;
    std::size_t limit_;
    Path prefix_;
    std::vector<SchemaViolation> violations_;
};

/// Whether some subschema that may speak of the value at `path`, or of what it stands in, is marked as forbidden.
/// Says yes too often where alternatives and conditions decide, never too seldom.
[[nodiscard]] bool may_be_forbidden(const Program& program, const Path& path);

}  // namespace stele::detail::json_schema
