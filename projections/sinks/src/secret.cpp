#include <stele/sinks/secret.hpp>

#include <stele/projections/listeners/delivery.hpp>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace stele::sinks {
namespace {

constexpr std::string_view in_environment = "env:";
constexpr std::string_view in_file = "file:";
constexpr std::size_t most_bytes = 64 * 1024;

[[noreturn]] void missing(const std::string& name, const std::string& found) {
    throw DeliveryFailed{"secret_missing",
                         "secret " + name + ": expected a value, found " + found,
                         {{"secret", name}, {"found", found}}};
}

std::string from_environment(const std::string& name, const std::string& variable) {
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr) missing(name, "no variable " + variable + " in the environment");
    if (*value == '\0') missing(name, "an empty variable");
    return value;
}

std::string from_file(const std::string& name, const std::string& path) {
    errno = 0;
    std::ifstream file{path, std::ios::binary};
    if (!file) missing(name, std::string{"that it cannot be opened: "} + std::strerror(errno));
    std::string value(most_bytes + 1, '\0');
    file.read(value.data(), static_cast<std::streamsize>(value.size()));
    if (file.bad() || (file.fail() && !file.eof()))
        missing(name, std::string{"that it cannot be read: "} + std::strerror(errno));
    value.resize(static_cast<std::size_t>(file.gcount()));
    if (value.size() > most_bytes) missing(name, "more than 64 KiB");
    value.erase(value.find_last_not_of("\r\n") + 1);
    if (value.empty()) missing(name, "an empty file");
    return value;
}

}  // namespace

bool Secret::is_reference(std::string_view text) noexcept {
    return text.substr(0, in_environment.size()) == in_environment || text.substr(0, in_file.size()) == in_file;
}

Secret Secret::parse(std::string_view reference, std::string_view field) {
    std::string name{reference};
    if (reference.substr(0, in_environment.size()) == in_environment) {
        const std::string variable{reference.substr(in_environment.size())};
        if (!variable.empty() && variable.find_first_of("= \t\r\n") == std::string::npos)
            return Secret{name, [name, variable] { return from_environment(name, variable); }};
    } else if (reference.substr(0, in_file.size()) == in_file && reference.size() > in_file.size()) {
        const std::string path{reference.substr(in_file.size())};
        return Secret{name, [name, path] { return from_file(name, path); }};
    }
    throw InvalidInput{std::string{field}, "a reference to a secret, \"env:NAME\" or \"file:/path\"",
                       "another text; secrets themselves do not stand in a configuration"};
}

Secret Secret::by(std::string name, std::function<std::string()> read) {
    return Secret{std::move(name), std::move(read)};
}

std::string Secret::read() const { return read_(); }

}  // namespace stele::sinks
