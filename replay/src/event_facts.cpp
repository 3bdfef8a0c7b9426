#include <stele/replay/event_facts.hpp>

namespace stele {
namespace {

// Metadata may hold a number that no value can, such as 1e999; then nobody can say what else it holds.
std::optional<std::string> text_member(const JsonText& metadata, const char* name) {
    // Most that lack it need not be parsed. (Where there is an escape, the name may be written with one.)
    if (metadata.text().find(name) == std::string::npos && metadata.text().find('\\') == std::string::npos)
        return std::nullopt;
    try {
        const auto value = metadata.value();
        const auto member = value.find(name);
        if (member == value.end() || !member->is_string()) return std::nullopt;
        return member->get<std::string>();
    } catch (const InvalidInput&) {
        return std::nullopt;
    }
}

}  // namespace

EventFacts::EventFacts(const Event& event)
    : position(event.position),
      version(event.version),
      stream(event.stream),
      type(event.type),
      schema_version(event.schema_version),
      id(event.id),
      occurred_at(event.occurred_at),
      recorded_at(event.recorded_at),
      metadata(event.metadata) {}

std::optional<std::string> EventFacts::actor() const { return text_member(metadata, "actor"); }
std::optional<std::string> EventFacts::correlation_id() const { return text_member(metadata, "correlation_id"); }
std::optional<std::string> EventFacts::causation_id() const { return text_member(metadata, "causation_id"); }

}  // namespace stele
