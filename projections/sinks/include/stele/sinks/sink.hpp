// Sinks: what listeners that are declared, and not written, do with events. Each is a struct of settings:
//
//   Webhook   posts it, signed            Jsonl    appends it to a file, durably
//   Email     mails about it              Log      writes a line about it
//   Exec      runs a program with it      Stream   appends an event to the same store, exactly once
//
//   stele::Listener::Head head{.name = "billing", .query = matching(types("OrderPaid"))};
//   runner.add(sink_listener(head, sinks::Webhook{
//       .url = "https://billing.example.com/hooks/stele",
//       .secrets = {sinks::Secret::parse("env:BILLING_HOOK")}}));
//
// Settings are checked when the listener is made; secrets are looked up when something is delivered, so that those
// who only look at a listener need none. docs/sinks.md says how each is written in stele.toml.
#pragma once

#include <stele/projections/listeners/listener.hpp>
#include <stele/sinks/email.hpp>
#include <stele/sinks/exec.hpp>
#include <stele/sinks/jsonl.hpp>
#include <stele/sinks/log.hpp>
#include <stele/sinks/stream.hpp>
#include <stele/sinks/webhook.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stele::sinks {

using Sink = std::variant<Webhook, Email, Exec, Jsonl, Log, Stream>;

/// The listener that hands events to a sink. `head.appends` and `head.sink` are set by what the sink is.
///
/// Throws InvalidInput naming the setting ("url of the webhook of listener \"billing\"") that breaks a rule,
/// sql::DefinitionError with file and line where SQL of a template does, and what Listener's constructor throws.
[[nodiscard]] std::shared_ptr<const Listener> sink_listener(Listener::Head head, Sink sink);

/// "webhook", "email", "exec", "jsonl", "log", "stream": its `type` in stele.toml.
[[nodiscard]] std::string_view type_of(const Sink& sink) noexcept;

/// Where it sends events to, for listings: an address without credentials, a path, a command, a template.
[[nodiscard]] std::string target_of(const Sink& sink);

/// What read() says of each secret of the sink that cannot be read here and now. Empty: all are there.
[[nodiscard]] std::vector<std::string> missing_secrets(const Sink& sink);

}  // namespace stele::sinks
