#include <stele/schema/causation.hpp>

#include "json_cursor.hpp"

#include <utility>

namespace stele {
namespace {

thread_local CausationScope* innermost = nullptr;

struct Members {
    bool causation = false;
    bool correlation = false;
    std::string correlation_id;  ///< where it is a string
};

Members members_of(std::string_view metadata) {
    Members found;
    detail::JsonCursor cursor{metadata};
    cursor.space();
    cursor.object([&](std::string_view token) {
        const auto name = detail::unescaped(token);
        const auto value = cursor.value();
        found.causation = found.causation || name == "causation_id";
        if (name != "correlation_id") return;
        found.correlation = true;
        // Of a name that is there twice, the last one counts, as it does for JsonText::value().
        found.correlation_id = value.front() == '"' ? detail::unescaped(value) : std::string{};
    });
    return found;
}

}  // namespace

CausationScope::CausationScope(const Event& cause) noexcept
    : cause_(cause), outer_(std::exchange(innermost, this)) {}

CausationScope::~CausationScope() { innermost = outer_; }

CausationScope* CausationScope::current() noexcept { return innermost; }

void CausationScope::complete(NewEvent& event) {
    if (!event.metadata.is_object()) return;
    const auto members = members_of(event.metadata.text());
    if (members.causation && members.correlation) return;
    if (!ids_) {
        auto id = cause_.id.to_string();
        auto correlation = members_of(cause_.metadata.text()).correlation_id;
        if (correlation.empty()) correlation = id;
        ids_ = Ids{std::move(id), std::move(correlation)};
    }
    if (!members.correlation) event.correlation(ids_->correlation);
    if (!members.causation) event.caused_by(ids_->causation);
}

}  // namespace stele
