#include "generator.hpp"

#include "platform.hpp"

#include <algorithm>
#include <utility>

namespace hosting {
namespace {

std::int64_t tenants_of(const GeneratorOptions& options) {
    if (options.tenants > 0) return options.tenants;
    return std::clamp<std::int64_t>(options.events / 500, 3, 2'000);
}

}  // namespace

Generator::Generator(const GeneratorOptions& options)
    : platform_(std::make_unique<Platform>(options.seed, tenants_of(options))), left_(options.events) {}
Generator::~Generator() = default;
Generator::Generator(Generator&&) noexcept = default;
Generator& Generator::operator=(Generator&&) noexcept = default;

std::optional<stele::EventLine> Generator::next() {
    if (left_ <= 0) return std::nullopt;
    --left_;
    return platform_->next();
}

std::vector<stele::EventLine> generate(const GeneratorOptions& options) {
    std::vector<stele::EventLine> lines;
    lines.reserve(static_cast<std::size_t>(options.events));
    Generator generator{options};
    while (auto line = generator.next()) lines.push_back(std::move(*line));
    return lines;
}

// Names, types and tags of the generator hold nothing that JSON would have to escape.
std::string to_line(const stele::EventLine& line) {
    const auto& [stream, event] = line;
    std::string out;
    const auto member = [&out](const char* name, std::string_view text) {
        out += out.empty() ? "{\"" : ",\"";
        out.append(name).append("\":\"").append(text).append("\"");
    };
    member("aggregate_type", stream.aggregate_type());
    member("aggregate_id", stream.aggregate_id());
    member("tenant", stream.tenant());
    member("type", event.type);
    out.append(",\"schema_version\":").append(std::to_string(event.schema_version));
    member("id", event.id.to_string());
    if (event.occurred_at) member("occurred_at", stele::to_rfc3339(*event.occurred_at));
    out.append(",\"data\":").append(event.data.text());
    out.append(",\"metadata\":").append(event.metadata.text());
    out += ",\"tags\":[";
    for (std::size_t i = 0; i < event.tags.size(); ++i) {
        out.append(i == 0 ? "\"" : ",\"").append(event.tags[i]).append("\"");
    }
    return out += "]}";
}

}  // namespace hosting
