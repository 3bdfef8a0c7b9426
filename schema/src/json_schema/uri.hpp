// References between schemas: URIs, resolved as RFC 3986, section 5 says.
#pragma once

#include <string>
#include <string_view>

namespace stele::detail::json_schema {

struct Reference {
    std::string document;  ///< without the fragment
    std::string fragment;  ///< percent-decoded, without '#'
};

/// Where `reference` leads from within a document that is known as `base`.
[[nodiscard]] Reference resolve(std::string_view base, std::string_view reference);

}  // namespace stele::detail::json_schema
