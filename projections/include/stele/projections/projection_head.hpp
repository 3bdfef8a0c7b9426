// What every projection in C++ says of itself: name, version, events, options. For cpp_projection.hpp and
// keyed_projection.hpp.
#pragma once

#include <stele/projections/projection.hpp>
#include <stele/schema/typed_event.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stele::detail {

/// What every projection has. The compiler names T beside the message.
template <class T>
struct CheckedProjection {
    static constexpr bool has_name = requires(T t) {
        { t.name } -> std::convertible_to<std::string_view>;
    };
    static constexpr bool has_version = requires(T t) {
        { t.version } -> std::convertible_to<int>;
    };
    static_assert(has_name, "a projection needs a name: static constexpr auto name = \"site_count\";");
    static_assert(has_version, "a projection needs a version: static constexpr int version = 1;");
    static_assert(std::copy_constructible<T>, "a projection is copied: one copy serves each model");
    static constexpr bool is_sound = has_name && has_version && std::copy_constructible<T>;
};

/// What is common to the structs: name, version, options; and the query, narrowed to `types` unless there are none.
template <class T>
[[nodiscard]] Projection::Head head_of(const T& definition, std::vector<std::string> types) {
    Projection::Head head;
    head.name = std::string{std::string_view{definition.name}};
    head.version = definition.version;
    if constexpr (requires { definition.query(); }) head.query = definition.query();
    if (!types.empty()) head.query = Read{head.query}.types(std::move(types)).query();
    if constexpr (requires { definition.mode; }) head.mode = definition.mode;
    if constexpr (requires { definition.on_error; }) head.on_error = definition.on_error;
    if constexpr (requires { definition.parts; }) head.parts = definition.parts;
    // Code has no text to compare: its author says by the version that it has changed.
    head.fingerprint = fingerprint_of(head.name + " version " + std::to_string(head.version));
    return head;
}

}  // namespace stele::detail
