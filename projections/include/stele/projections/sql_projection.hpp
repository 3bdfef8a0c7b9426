// SqlProjection: a projection declared in a file of SQL.
//
//     --@ projection tenant_stats version 1
//     --@ create
//     CREATE TABLE tenant_stats (tenant TEXT PRIMARY KEY, sites INTEGER NOT NULL DEFAULT 0);
//     --@ on SiteCreated
//     INSERT INTO tenant_stats (tenant, sites) VALUES ($tenant, 1)
//         ON CONFLICT (tenant) DO UPDATE SET sites = sites + 1;
//     --@ on *
//     …
//
// The heading may go on with `mode sync` or `mode async` (the default), and `on-error stop` (the default) or
// `on-error skip`. Behind it:
//
//   --@ create   statements that make tables, indexes, views and triggers, and rows that are there from the start.
//                At least once; all of them run before any event, in the order of the file.
//   --@ on A, B  statements for events of these types, run one after another.
//   --@ on *     statements for events of every type.
//
// An event may meet several handlers: they run in the order of the file. The placeholders are those of
// schema/sql/event_binder.hpp; what the SQL must not do is said in schema/sql/compiler.hpp.
#pragma once

#include <stele/projections/projection.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace stele {

namespace sql {
class DirectiveFile;
}

class SqlProjection final : public Projection {
public:
    /// Reads the file and checks all of it: its tables are made in a database in memory, and its handlers compiled
    /// against them. So a mistake shows here, and not at the first event that meets it.
    /// Throws sql::DefinitionError naming file and line.
    [[nodiscard]] static std::shared_ptr<const SqlProjection> load(const std::filesystem::path& path);

    /// The same for a text that stands elsewhere; `file` names it in messages.
    [[nodiscard]] static std::shared_ptr<const SqlProjection> parse(std::string_view text, std::string file);

    void setup(Model& model) const override;
    [[nodiscard]] std::unique_ptr<ProjectionHandler> handler(Model& model) const override;

    /// The file, as messages name it.
    [[nodiscard]] const std::string& file() const noexcept;

    ~SqlProjection() override;

private:
    struct Definition;
    static std::shared_ptr<const SqlProjection> from(sql::DirectiveFile file);
    SqlProjection(Head head, std::unique_ptr<const Definition> definition);
    std::unique_ptr<const Definition> definition_;
};

}  // namespace stele
