// SQL in stele.toml: read, and compiled at once, so that its mistakes are named with their line like all others.
#pragma once

#include "table_reader.hpp"

namespace stele::tool {

/// SQL over the event. Empty where the key is absent or wrong.
[[nodiscard]] std::optional<sql::SqlText> read_expression(TableReader& reader, const char* key);
/// A text in which `{{ … }}` is SQL over the event.
[[nodiscard]] std::optional<sql::SqlText> read_template(TableReader& reader, const char* key);
/// A list of them, or one.
[[nodiscard]] std::vector<sql::SqlText> read_templates(TableReader& reader, const char* key);

/// Notes an error of a constructor that names the setting in its field: "url of the webhook of …".
void note_invalid(TableReader& reader, const InvalidInput& error);
/// Notes what is wrong with the SQL that `value` holds.
void note_invalid(TableReader& reader, const std::string& key, const TomlValue& value,
                  const sql::DefinitionError& error);

}  // namespace stele::tool
