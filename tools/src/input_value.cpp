#include "input_value.hpp"

#include "failure.hpp"
#include "file.hpp"
#include "terminal.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace stele::tool {

std::string input_value(const std::string& word, const std::string& option, const Limits& limits) {
    const bool standard_input = word == "-";
    if (!standard_input && (word.empty() || word.front() != '@')) return word;
    const std::string name = standard_input ? "standard input" : word.substr(1);
    const auto failed = [&](const std::string& reason) {
        return Failure{Exit::failed, "input", option + ": " + name + ": " + reason, {{"file", name}}};
    };

    const File file = standard_input ? File::borrowed(STDIN_FILENO) : File::open_to_read(name);
    if (!file.is_open()) throw failed(std::strerror(errno));
    std::string text;
    std::array<char, 65536> chunk{};
    while (true) {
        const auto got = file.read(chunk.data(), chunk.size());
        if (got < 0) throw failed(std::strerror(errno));
        if (got == 0) return text;
        text.append(chunk.data(), static_cast<std::size_t>(got));
        if (text.size() > limits.event_bytes)
            throw failed("more than the " + grouped(static_cast<std::int64_t>(limits.event_bytes)) +
                         " bytes that an event may have");
    }
}

}  // namespace stele::tool
