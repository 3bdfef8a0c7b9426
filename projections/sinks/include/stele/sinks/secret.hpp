// Secret: a password, token or key that a sink needs, known by where it is kept and not by what it is.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <string_view>

namespace stele::sinks {

/// Where a secret is kept. The value is read when it is needed, for each delivery anew, so a file may be replaced
/// while a listener runs; it is never kept, printed, or named in a message.
///
/// Threads  any may call any member, also at once.
class Secret {
public:
    /// Reads a reference: `env:NAME`, a variable of the environment, or `file:/path`, a file (its line breaks at
    /// the end are not part of it). Nothing is looked up yet. Throws InvalidInput naming `field` where the text is
    /// neither; the text, which may be a secret that stands where it should not, is not repeated.
    [[nodiscard]] static Secret parse(std::string_view reference, std::string_view field = "secret");

    /// One that the program gets by itself, from a vault for instance. `name` is what messages call it; `read` is
    /// called by any thread, and throws where there is none.
    [[nodiscard]] static Secret by(std::string name, std::function<std::string()> read);

    /// Whether `text` is written as a reference is.
    [[nodiscard]] static bool is_reference(std::string_view text) noexcept;

    /// `env:NAME`, `file:/path`, or the name.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    /// The value. Throws DeliveryFailed "secret_missing", naming the reference and what is wrong with it: a
    /// variable that is not set, a file that cannot be read, nothing in it, more than 64 KiB.
    [[nodiscard]] std::string read() const;

    /// Compares where they are kept.
    friend bool operator==(const Secret& a, const Secret& b) noexcept { return a.name_ == b.name_; }
    friend std::ostream& operator<<(std::ostream& out, const Secret& secret) { return out << secret.name_; }

private:
    Secret(std::string name, std::function<std::string()> read) : name_(std::move(name)), read_(std::move(read)) {}

    std::string name_;
    std::function<std::string()> read_;
};

}  // namespace stele::sinks
