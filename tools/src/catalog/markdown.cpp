#include "catalog.hpp"

#include "../terminal.hpp"

namespace stele::tool {
namespace {

/// Within a cell of a table or a line: no line breaks, no bars, nothing that Markdown takes for a tag.
std::string inline_text(std::string_view text) {
    std::string out;
    for (const char c : printable(text)) {
        if (c == '|' || c == '<' || c == '*' || c == '_' || c == '`') out += '\\';
        out += c;
    }
    return out;
}

std::string code(const std::string& text) { return '`' + printable(text) + '`'; }

template <class Names>
std::string as_codes(const Names& names) {
    std::string text;
    for (const auto& name : names) (text += text.empty() ? "" : ", ") += code(name);
    return text;
}

void add_line(std::string& out, const char* label, const std::string& text) {
    if (!text.empty()) out += std::string("- ") + label + ": " + text + '\n';
}

void add_entry(std::string& out, const CatalogEntry& entry) {
    out += "\n## " + inline_text(entry.type) + "\n\n";
    if (!entry.title.empty()) out += "**" + inline_text(entry.title) + "**\n\n";
    if (!entry.description.empty()) out += inline_text(entry.description) + "\n\n";
    std::string versions;
    for (const int version : entry.versions) (versions += versions.empty() ? "" : ", ") += std::to_string(version);
    add_line(out, "schema", entry.versions.empty() ? "none declared" : "version " + versions);
    add_line(out, "events",
             entry.events == 0
                 ? std::string("none")
                 : std::to_string(entry.events) + ", positions " + std::to_string(entry.first_position) + " to " +
                       std::to_string(entry.last_position));
    add_line(out, "streams of", as_codes(entry.aggregate_types));
    add_line(out, "appended by", as_codes(entry.actors));
    add_line(out, "projections", as_codes(entry.projections));
    add_line(out, "listeners", as_codes(entry.listeners));
    if (entry.fields.empty()) return;
    out += entry.inferred ? "\nNo schema is declared; the latest events look like this:\n" : "";
    out += "\n| field | type | required | |\n|---|---|---|---|\n";
    for (const auto& field : entry.fields) {
        out += "| " + code(field.path) + " | " + inline_text(field.type) + " | " + (field.required ? "yes" : "") +
               " | " + (field.forbidden ? "**forbidden**" : "") +
               (field.forbidden && !field.description.empty() ? ": " : "") + inline_text(field.description) +
               " |\n";
    }
}

}  // namespace

std::string as_markdown(const Catalog& catalog) {
    std::string out = "# Events of " + inline_text(catalog.name) + '\n';
    if (catalog.entries.empty()) out += "\nThere are none yet.\n";
    for (const auto& entry : catalog.entries) add_entry(out, entry);
    return out;
}

}  // namespace stele::tool
