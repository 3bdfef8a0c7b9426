// LiveModel: a read model for those who go on reading it, whatever becomes of it meanwhile.
//
//   const LiveModel sites = runner.model("tenant_stats");
//   for (const Row& row : sites.query("SELECT sites FROM tenant_stats WHERE tenant = ?1", "acme")) …
//
// Each query reads the generation that is current when it is asked: after a switch, the next query reads the new
// one, and the rows of a query that is under way come from the old one to their end.
#pragma once

#include <stele/projections/model.hpp>
#include <stele/projections/read_model.hpp>
#include <stele/projections/rows.hpp>

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace stele {

/// Threads  any number may ask at once; the Rows of one answer are for one thread at a time. Copies are the same.
/// Cost     a query reads one link of the file system more than on a ReadModel. Connections are kept, as many as
///          there were queries at once, and so are compiled statements.
class LiveModel {
public:
    /// The projection of that name, built or not. InvalidInput for a name that cannot be one. (The store, or its
    /// folder: nothing of it is kept.)
    LiveModel(const EventStore& store, std::string_view name);
    LiveModel(const std::filesystem::path& models, std::string_view name, const std::string& sqlite_vfs = {});

    /// The rows of one query, its parameters ?1, ?2, … bound to `arguments` by their type, as in Model::query().
    /// The Rows keep the generation that they come from, also when this goes.
    ///
    /// Throws NotFound               the projection was never built, or was dropped.
    ///        sql::DefinitionError   SQLite cannot compile the query, or it does anything but read.
    ///        ProjectionError        "projection_file".
    template <class... A>
    [[nodiscard]] Rows query(std::string_view sql, const A&... arguments) const {
        return select(sql, std::array<detail::Argument, sizeof...(A)>{detail::Argument{arguments}...});
    }

    /// What the current generation says of itself now. Throws as query() does.
    [[nodiscard]] Generation generation() const;

private:
    struct State;
    [[nodiscard]] Rows select(std::string_view sql, std::span<const detail::Argument> arguments) const;
    std::shared_ptr<State> state_;
};

}  // namespace stele
