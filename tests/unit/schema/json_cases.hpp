// JSON texts that parsers are known to get wrong, after the naming of the JSON parsing test suite by N. Seriot:
// those that RFC 8259 allows, those that it forbids, and those where it leaves the choice.
#pragma once

#include <string>
#include <vector>

namespace stele::test {

[[nodiscard]] std::vector<std::string> json_to_accept();
[[nodiscard]] std::vector<std::string> json_to_refuse();

}  // namespace stele::test
