// A mail as it goes over the wire (RFC 5322), from texts that nobody has checked.
#pragma once

#include <stele/schema/time.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::sinks {

struct MailAddress {
    std::string name;     ///< UTF-8; may be empty
    std::string address;  ///< local@domain, in ASCII

    /// Reads `local@domain` or `Name <local@domain>`: one address, never a list. Empty where it is something else.
    [[nodiscard]] static std::optional<MailAddress> parse(std::string_view text);
};

struct Mail {
    MailAddress from;
    std::vector<MailAddress> to;
    std::vector<MailAddress> cc;
    std::string subject;
    std::string body;
    std::string message_id;  ///< without its angle brackets; ASCII
    Timestamp date;
};

/// The message, with CR LF at the end of each line, none of which is longer than 998 bytes, in ASCII. Control
/// characters of names and subject become blanks.
[[nodiscard]] std::string to_message(const Mail& mail);

}  // namespace stele::sinks
