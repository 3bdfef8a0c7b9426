// Email: sends a mail for each event through an SMTP server.
//
//   [[listener]]
//   name = "tell_owner"
//   types = ["BackupFailed"]
//   [listener.sink]
//   type = "email"
//   server = "smtp://mail.example.com:587"
//   user = "stele"
//   password = "file:/run/secrets/smtp"
//   from = "Stele <stele@example.com>"
//   to = ["ops@example.com", "{{ $data(owner_email) }}"]
//   subject = "Backup of {{ $data(site) }} failed"
//   body = """
//   {{ $data(error) }}
//   at {{ $occurred_at }}
//   """
//
// `{{ SQL over the event }}` stands for its value, NULL for nothing. Values are never read as headers or addresses
// of their own: line breaks become blanks, and what gives two addresses is refused.
//
// The Message-ID is made of the delivery's key, so it is the same on every retry and mail systems may drop a second
// copy. Either all recipients are accepted by the server, or nobody gets the mail.
//
// Outcomes: a reply of 4xx, and a connection that fails, have the delivery tried again; a reply of 5xx, an address
// that is none, or nobody to send to, make a dead letter.
//
// Causes: "smtp_550" and so on; "address"; "template"; "timeout", "dns", "connect", "tls", "closed", "protocol";
// "secret_missing"; "stopped".
#pragma once

#include <stele/schema/sql/text.hpp>
#include <stele/sinks/secret.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace stele::sinks {

struct Email {
    /// Whether the connection is encrypted, where `server` is smtp://; smtps:// always is.
    enum class Tls {
        required,  ///< STARTTLS, or nothing is sent
        optional,  ///< STARTTLS where the server offers it
        none,
    };

    std::string server;                ///< smtp://host[:port] or smtps://host[:port]; TOML server
    Tls tls = Tls::required;           ///< TOML tls ("required", "optional", "none")
    std::string user{};                ///< TOML user; empty: no login
    std::optional<Secret> password{};  ///< with `user`; wants TLS to be required or smtps://. TOML password
    sql::SqlText from;                 ///< a template: an address, or `Name <address>`; TOML from
    /// Templates, each of one address; one that gives nothing is left out. TOML to, cc, bcc (arrays, or one string)
    std::vector<sql::SqlText> to;
    std::vector<sql::SqlText> cc{};
    std::vector<sql::SqlText> bcc{};
    sql::SqlText subject;                               ///< a template; TOML subject
    sql::SqlText body;                                  ///< a template of plain text; TOML body
    std::chrono::milliseconds connect_timeout{10'000};  ///< TOML connect_timeout
    std::chrono::milliseconds timeout{60'000};          ///< TOML timeout
    std::string ca_file{};  ///< certificates to trust instead of the system's (a PEM file); TOML ca_file
};

}  // namespace stele::sinks
