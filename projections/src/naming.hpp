// naming(): errors of SQLite and of the file system, as errors that name the projection.
#pragma once

#include <stele/projections/projection_error.hpp>
#include <stele/schema/sql/statement.hpp>

#include <filesystem>
#include <string>

namespace stele {

/// Calls `work`; what SQLite or the file system throws becomes ProjectionError "projection_file".
template <class Work>
auto naming(const std::string& projection, const Work& work) {
    try {
        return work();
    } catch (const sql::SqlError& error) {
        throw ProjectionError{"projection_file", projection, error.what(), error.facts()};
    } catch (const std::filesystem::filesystem_error& error) {
        throw ProjectionError{"projection_file", projection, error.what()};
    }
}

/// What is said of a projection that has no read model.
[[nodiscard]] inline NotFound never_built(const std::string& projection) {
    return NotFound{"projection \"" + projection + "\" was never built; rebuild it", {{"projection", projection}}};
}

}  // namespace stele
