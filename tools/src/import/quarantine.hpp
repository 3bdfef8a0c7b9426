// Quarantine: where lines go that are wrong, byte for byte, so that they can be put right and imported.
#pragma once

#include "../file.hpp"

#include <string>
#include <string_view>

namespace stele::tool {

/// A file that lines are added to. sync() is called before the import remembers that it has passed them, so none is
/// lost; after a crash in between, a line stands there twice.
///
/// Throws Failure (failed) where the disk fails.
class Quarantine {
public:
    explicit Quarantine(std::string path);

    /// Adds one line, and the line feed where it has none.
    void add(std::string_view line);
    /// What was added survives a power cut.
    void sync();

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
    File file_;
    std::string pending_;
};

}  // namespace stele::tool
