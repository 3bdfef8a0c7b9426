// AggregateFile: an aggregate declared in SQL.
//
//     --@ aggregate Site version 1
//     --@ on SiteCreated
//     json_object('status', 'creating', 'domain', $data(domain))
//     --@ on SiteProvisioned
//     json_set($state, '$.status', 'active')
//
// After the heading, sections in any order:
//
//   --@ initial         one expression without placeholders: the state before the first event. At most once;
//                       without it, `{}`.
//   --@ on A, B         one expression: the state after an event of one of these types.
//   --@ on *            the same for events of every type.
//
// Where several sections take an event, their expressions are computed in the order of the file, each from the
// state that the one before gave. An event that no section takes leaves the state as it is.
//
// An expression may use the placeholders of schema/sql/event_binder.hpp, among them `$state`, the state as JSON
// text, and `$state(path)`. It sees no tables, and nothing that may differ between two runs (see
// schema/sql/compiler.hpp). What it gives is the new state: TEXT that is JSON, or a number. NULL, a blob and text
// that is no JSON are errors; JSON null is written 'null'.
//
// State is kept as the text that the expression gave, so members stay in the order in which it wrote them.
#pragma once

#include <stele/replay/aggregate.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace stele {

/// The aggregate that a file declares. Copies share it.
class AggregateFile final : public Aggregate {
public:
    /// Reads and compiles the file; a mistake shows here and not at the first event that meets it.
    /// Throws sql::DefinitionError naming file and line.
    [[nodiscard]] static AggregateFile load(const std::filesystem::path& path);

    /// The same for a text that stands elsewhere; `file` names it in messages.
    [[nodiscard]] static AggregateFile parse(std::string_view text, std::string file);

    [[nodiscard]] std::string_view aggregate_type() const noexcept override;
    /// The file's text.
    [[nodiscard]] std::string definition() const override;
    [[nodiscard]] int version() const noexcept;
    [[nodiscard]] const std::string& file() const noexcept;

    /// Each Folding has statements of its own, prepared here, once: cost is that of opening an empty database in
    /// memory and compiling the file's expressions, some 200 µs.
    [[nodiscard]] std::unique_ptr<Folding> begin() const override;

private:
    struct Definition;
    explicit AggregateFile(std::shared_ptr<const Definition> definition);
    std::shared_ptr<const Definition> definition_;
};

}  // namespace stele
