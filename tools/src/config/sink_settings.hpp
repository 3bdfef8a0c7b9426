// The table `sink` of a listener in stele.toml. docs/sinks.md says what stands in it.
#pragma once

#include "mistakes.hpp"
#include "toml_value.hpp"

#include <stele/sinks/sink.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace stele::tool {

/// A secret that a sink refers to, and where it does.
struct SecretReference {
    sinks::Secret secret;
    Place place;
};

/// A file or folder that is not there. `stele run` wants it; commands that only look and steer do not.
struct MissingFile {
    Place place;
    std::string message;
};

struct DeclaredSink {
    sinks::Sink sink;
    std::vector<SecretReference> secrets;
    std::vector<MissingFile> missing;
    /// What fails together: scheme and host of a webhook, the server of a mail; empty where there is none.
    std::string target;
};

/// Paths in it are relative to `folder`. Notes every mistake; empty where there was one.
[[nodiscard]] std::optional<DeclaredSink> read_sink(const TomlValue& table, const std::string& listener,
                                                    const std::filesystem::path& folder, Mistakes& mistakes);

}  // namespace stele::tool
