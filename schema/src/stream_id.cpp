#include <stele/schema/error.hpp>
#include <stele/schema/stream_id.hpp>

#include "text.hpp"

namespace stele {
namespace {

void require_no_separator(std::string_view part, std::string_view field) {
    if (part.find_first_of(":/") == std::string_view::npos) return;
    throw InvalidInput(std::string(field), "text without ':' and '/'", detail::quoted(part));
}

}  // namespace

StreamId::StreamId(std::string_view aggregate_type, std::string_view aggregate_id)
    : StreamId({}, aggregate_type, aggregate_id) {}

StreamId::StreamId(std::string_view tenant, std::string_view aggregate_type, std::string_view aggregate_id) {
    if (!tenant.empty()) {
        detail::require_name(tenant, "tenant");
        require_no_separator(tenant, "tenant");
    }
    detail::require_name(aggregate_type, "aggregate_type");
    require_no_separator(aggregate_type, "aggregate_type");
    detail::require_name(aggregate_id, "aggregate_id");

    const auto name = std::make_shared<Name>();
    name->full.reserve(tenant.size() + aggregate_type.size() + aggregate_id.size() + 2);
    if (!tenant.empty()) name->full.append(tenant).append(1, ':');
    name->type_at = name->full.size();
    name->full.append(aggregate_type).append(1, '/');
    name->id_at = name->full.size();
    name->full.append(aggregate_id);
    name_ = name;
}

StreamId StreamId::parse(std::string_view name) {
    const auto slash = name.find('/');
    if (slash == std::string_view::npos) {
        throw InvalidInput("aggregate_id", "an id behind a '/', as in Site/site-42", detail::quoted(name));
    }
    const auto id = name.substr(slash + 1);
    const auto front = name.substr(0, slash);
    const auto colon = front.find(':');
    if (colon == std::string_view::npos) return StreamId{front, id};
    if (colon == 0) throw InvalidInput("tenant", "a tenant before the ':'", detail::quoted(name));
    return StreamId{front.substr(0, colon), front.substr(colon + 1), id};
}

std::string_view StreamId::tenant() const noexcept {
    const std::string_view full = name_->full;
    return full.substr(0, name_->type_at == 0 ? 0 : name_->type_at - 1);
}

std::string_view StreamId::aggregate_type() const noexcept {
    const std::string_view full = name_->full;
    return full.substr(name_->type_at, name_->id_at - 1 - name_->type_at);
}

std::string_view StreamId::aggregate_id() const noexcept {
    return std::string_view{name_->full}.substr(name_->id_at);
}

}  // namespace stele
