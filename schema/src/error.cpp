#include <stele/schema/error.hpp>

namespace stele {

InvalidInput::InvalidInput(std::string field, const std::string& expected, const std::string& found)
    : Error("invalid_input", field + ": expected " + expected + ", found " + found,
            {{"field", field}, {"expected", expected}, {"found", found}}),
      field_(std::move(field)) {}

}  // namespace stele
