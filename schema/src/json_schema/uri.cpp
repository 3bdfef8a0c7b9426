#include "uri.hpp"

#include <cstddef>
#include <vector>

namespace stele::detail::json_schema {
namespace {

struct Parts {
    std::string_view scheme;     ///< with ':'
    std::string_view authority;  ///< with "//"
    std::string_view path;
    std::string_view query;  ///< with '?'
};

/// Cuts off the beginning of `text`, `length` bytes of it.
std::string_view take(std::string_view& text, std::size_t length) {
    const auto taken = text.substr(0, length);
    text.remove_prefix(taken.size());
    return taken;
}

Parts parts_of(std::string_view uri) {
    Parts parts;
    const auto colon = uri.find_first_of(":/?");
    if (colon != std::string_view::npos && colon > 0 && uri[colon] == ':') parts.scheme = take(uri, colon + 1);
    if (uri.starts_with("//")) parts.authority = take(uri, uri.find_first_of("/?", 2));
    parts.path = take(uri, uri.find('?'));
    parts.query = uri;
    return parts;
}

std::string without_dots(std::string_view path) {
    std::vector<std::string_view> kept;
    const bool rooted = path.starts_with('/');
    if (rooted) path.remove_prefix(1);
    for (;;) {
        const auto segment = take(path, path.find('/'));
        const bool last = path.empty();
        if (segment == "..") {
            if (!kept.empty()) kept.pop_back();
            if (last) kept.emplace_back();
        } else if (segment == ".") {
            if (last) kept.emplace_back();
        } else {
            kept.push_back(segment);
        }
        if (last) break;
        path.remove_prefix(1);
        if (path.empty()) {  // ended with a '/'
            kept.emplace_back();
            break;
        }
    }
    std::string joined = rooted ? "/" : "";
    for (std::size_t i = 0; i < kept.size(); ++i) (i == 0 ? joined : joined += '/') += kept[i];
    return joined;
}

std::string merged(const Parts& base, std::string_view path) {
    if (!base.authority.empty() && base.path.empty()) return "/" + std::string(path);
    const auto folder = base.path.rfind('/');
    if (folder == std::string_view::npos) return std::string(path);
    return std::string(base.path.substr(0, folder + 1)) + std::string(path);
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
            decoded += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        } else {
            decoded += text[i];
        }
    }
    return decoded;
}

std::string document_of(std::string_view base, std::string_view reference) {
    if (reference.empty()) return std::string(base);
    const auto to = parts_of(reference);
    const auto from = parts_of(base);
    const auto joined = [](std::string_view scheme, std::string_view authority, const std::string& path,
                           std::string_view query) {
        return std::string(scheme).append(authority).append(path).append(query);
    };
    if (!to.scheme.empty()) {
        // A URN has no folders to step out of.
        const bool folders = !to.authority.empty() || to.path.starts_with('/');
        return joined(to.scheme, to.authority, folders ? without_dots(to.path) : std::string(to.path), to.query);
    }
    if (!to.authority.empty()) return joined(from.scheme, to.authority, without_dots(to.path), to.query);
    if (to.path.empty()) {
        return joined(from.scheme, from.authority, std::string(from.path),
                      to.query.empty() ? from.query : to.query);
    }
    const auto path = to.path.starts_with('/') ? std::string(to.path) : merged(from, to.path);
    return joined(from.scheme, from.authority, without_dots(path), to.query);
}

}  // namespace

Reference resolve(std::string_view base, std::string_view reference) {
    const auto hash = reference.find('#');
    const auto fragment = hash == std::string_view::npos ? std::string_view{} : reference.substr(hash + 1);
    return {document_of(base.substr(0, base.find('#')), reference.substr(0, hash)), percent_decoded(fragment)};
}

}  // namespace stele::detail::json_schema
