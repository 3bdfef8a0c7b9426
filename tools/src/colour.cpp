#include "colour.hpp"

namespace stele::tool {
namespace {

const char* code(Colour colour) {
    switch (colour) {
        case Colour::bold:
            return "1";
        case Colour::faint:
            return "2";
        case Colour::red:
            return "31";
        case Colour::green:
            return "32";
        case Colour::yellow:
            return "33";
        case Colour::cyan:
            return "36";
    }
    return "0";
}

}  // namespace

std::string painted(const Output& out, Colour colour, std::string_view text) {
    if (!out.colour() || text.empty()) return std::string{text};
    return "\x1b[" + std::string{code(colour)} + "m" + std::string{text} + "\x1b[0m";
}

}  // namespace stele::tool
