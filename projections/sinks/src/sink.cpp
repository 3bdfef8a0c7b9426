#include <stele/sinks/sink.hpp>

#include "settings.hpp"
#include "text.hpp"
#include "transfer.hpp"

namespace stele::sinks {
namespace {

class SinkListener final : public Listener {
public:
    SinkListener(Head head, std::unique_ptr<Workshop> workshop)
        : Listener(std::move(head)), workshop_(std::move(workshop)) {}

    [[nodiscard]] std::unique_ptr<ListenerHandler> handler() const override { return workshop_->handler(); }

private:
    std::unique_ptr<Workshop> workshop_;
};

struct TypeOf {
    std::string_view operator()(const Webhook&) const noexcept { return "webhook"; }
    std::string_view operator()(const Email&) const noexcept { return "email"; }
    std::string_view operator()(const Exec&) const noexcept { return "exec"; }
    std::string_view operator()(const Jsonl&) const noexcept { return "jsonl"; }
    std::string_view operator()(const Log&) const noexcept { return "log"; }
    std::string_view operator()(const Stream&) const noexcept { return "stream"; }
};

std::string shown(const std::string& address) {
    if (Secret::is_reference(address)) return address;
    const auto url = Url::parse(address);
    return url ? url->shown : "no address";
}

struct TargetOf {
    std::string operator()(const Webhook& webhook) const { return shown(webhook.url); }
    std::string operator()(const Email& email) const {
        std::string recipients;
        for (const auto* list : {&email.to, &email.cc, &email.bcc}) {
            for (const auto& text : *list) recipients += (recipients.empty() ? "" : ", ") + text.text;
        }
        return recipients + " by " + shown(email.server);
    }
    std::string operator()(const Exec& exec) const {
        std::string words;
        for (const auto& word : exec.command) words += (words.empty() ? "" : " ") + word;
        return words;
    }
    std::string operator()(const Jsonl& jsonl) const { return jsonl.path.string(); }
    std::string operator()(const Log& log) const { return log.write ? "the program" : "standard error"; }
    std::string operator()(const Stream& stream) const { return stream.stream.text; }
};

struct SecretsOf {
    std::vector<Secret> operator()(const Webhook& webhook) const {
        auto secrets = webhook.secrets;
        if (Secret::is_reference(webhook.url)) secrets.push_back(Secret::parse(webhook.url));
        for (const auto& [name, secret] : webhook.secret_headers) secrets.push_back(secret);
        if (webhook.oauth) secrets.push_back(webhook.oauth->client_secret);
        return secrets;
    }
    std::vector<Secret> operator()(const Email& email) const {
        if (!email.password) return {};
        return {*email.password};
    }
    template <class Other>
    std::vector<Secret> operator()(const Other&) const {
        return {};
    }
};

}  // namespace

std::shared_ptr<const Listener> sink_listener(Listener::Head head, Sink sink) {
    const Rules rules{type_of(sink), head.name};
    head.appends = std::holds_alternative<Stream>(sink);
    head.sink = type_of(sink);
    auto workshop = std::visit([&](const auto& settings) { return workshop_of(settings, rules); }, sink);
    return std::make_shared<SinkListener>(std::move(head), std::move(workshop));
}

std::string_view type_of(const Sink& sink) noexcept { return std::visit(TypeOf{}, sink); }

std::string target_of(const Sink& sink) { return printable(std::visit(TargetOf{}, sink), 1'000); }

std::vector<std::string> missing_secrets(const Sink& sink) {
    std::vector<std::string> missing;
    for (const auto& secret : std::visit(SecretsOf{}, sink)) {
        try {
            (void)secret.read();
        } catch (const std::exception& error) {
            missing.emplace_back(error.what());
        }
    }
    return missing;
}

}  // namespace stele::sinks
