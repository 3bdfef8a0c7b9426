#include <stele/sinks/email.hpp>

#include "event_template.hpp"
#include "mail_message.hpp"
#include "settings.hpp"
#include "text.hpp"
#include "transfer.hpp"

#include <algorithm>
#include <cstring>

namespace stele::sinks {
namespace {

struct Unread {
    std::string_view text;
};
std::size_t hand_over(char* buffer, std::size_t size, std::size_t count, void* from) {
    auto& unread = *static_cast<Unread*>(from);
    const auto taken = std::min(size * count, unread.text.size());
    std::memcpy(buffer, unread.text.data(), taken);
    unread.text.remove_prefix(taken);
    return taken;
}

// 0 where the reply is no refusal.
int refusal_in(std::string_view reply) {
    const auto is_digit = [&](std::size_t i) { return reply[i] >= '0' && reply[i] <= '9'; };
    if (reply.size() < 3 || !is_digit(0) || !is_digit(1) || !is_digit(2)) return 0;
    const int status = (reply[0] - '0') * 100 + (reply[1] - '0') * 10 + (reply[2] - '0');
    return status >= 400 && status <= 599 ? status : 0;
}

// libcurl hands every reply of the server over as if it were a header. Kept is a refusal that nothing came after:
// of those that libcurl gets past (no EHLO, one way to log in of several) a better reply follows. That to QUIT
// (221) is none.
std::size_t keep_refusal(const char* bytes, std::size_t, std::size_t count, void* to) {
    const std::string_view reply{bytes, count};
    auto& refusal = *static_cast<std::string*>(to);
    if (refusal_in(reply) != 0) {
        refusal = reply;
    } else if (reply.substr(0, 3) != "221") {
        refusal.clear();
    }
    return count;
}

class EmailHandler final : public ListenerHandler {
public:
    explicit EmailHandler(const Email& settings) : settings_(settings) {
        from_ = texts_.add_template(settings.from);
        to_ = add_all(settings.to);
        cc_ = add_all(settings.cc);
        bcc_ = add_all(settings.bcc);
        subject_ = texts_.add_template(settings.subject);
        body_ = texts_.add_template(settings.body);
        const auto url = Url::parse(settings.server);
        shown_ = url ? url->shown_host : settings.server;
    }

    void deliver(const Event& event, const Delivery& delivery) override {
        texts_.take(event);
        Mail mail;
        const auto from = addresses({from_}, "from");
        if (from.empty()) throw Permanent{"address", shown_ + ": from: expected an address, found none"};
        mail.from = from.front();
        mail.to = addresses(to_, "to");
        mail.cc = addresses(cc_, "cc");
        mail.subject = texts_.text(subject_);
        mail.body = texts_.text(body_);
        mail.message_id = delivery.key() + mail.from.address.substr(mail.from.address.find('@'));
        mail.date = now();

        auto recipients = mail.to;
        for (auto list : {mail.cc, addresses(bcc_, "bcc")}) {
            recipients.insert(recipients.end(), list.begin(), list.end());
        }
        if (recipients.empty())
            throw Permanent{"address", shown_ + ": expected somebody to send to, found nobody in to, cc and bcc"};
        send(mail.from, recipients, to_message(mail), delivery.stop());
    }

private:
    [[nodiscard]] std::vector<std::size_t> add_all(const std::vector<sql::SqlText>& templates) {
        std::vector<std::size_t> added;
        added.reserve(templates.size());
        for (const auto& text : templates) added.push_back(texts_.add_template(text));
        return added;
    }

    [[nodiscard]] std::vector<MailAddress> addresses(const std::vector<std::size_t>& templates,
                                                     const std::string& setting) {
        std::vector<MailAddress> found;
        for (const auto which : templates) {
            const auto text = texts_.text(which);
            if (trimmed(text).empty()) continue;
            auto address = MailAddress::parse(text);
            if (!address)
                throw Permanent{"address", setting +
                                               ": expected one address, `local@domain` or `Name <local@domain>`"
                                               " in ASCII, found \"" +
                                               printable(text, 200) + "\""};
            found.push_back(std::move(*address));
        }
        return found;
    }

    void send(const MailAddress& from, const std::vector<MailAddress>& recipients, const std::string& message,
              const std::stop_token& stop) {
        CURL* easy = transfer_.fresh(settings_.connect_timeout, settings_.timeout, settings_.ca_file);
        const auto password = settings_.password ? settings_.password->read() : std::string{};
        TextList to;
        for (const auto& recipient : recipients) to.add("<" + recipient.address + ">");
        const auto sender = "<" + from.address + ">";
        Unread unread{message};
        std::string refusal;

        curl_easy_setopt(easy, CURLOPT_URL, settings_.server.c_str());
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        curl_easy_setopt(easy, CURLOPT_USE_SSL, static_cast<long>(tls_level()));
        if (!settings_.user.empty()) {
            curl_easy_setopt(easy, CURLOPT_USERNAME, settings_.user.c_str());
            curl_easy_setopt(easy, CURLOPT_PASSWORD, password.c_str());
        }
        curl_easy_setopt(easy, CURLOPT_MAIL_FROM, sender.c_str());
        curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to.get());
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, &hand_over);
        curl_easy_setopt(easy, CURLOPT_READDATA, &unread);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(message.size()));
        curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &keep_refusal);
        curl_easy_setopt(easy, CURLOPT_HEADERDATA, &refusal);
        if (const auto failure = transfer_.run(stop)) fail(*failure, refusal);
    }

    [[nodiscard]] curl_usessl tls_level() const noexcept {
        switch (settings_.tls) {
            case Email::Tls::optional:
                return CURLUSESSL_TRY;
            case Email::Tls::none:
                return CURLUSESSL_NONE;
            case Email::Tls::required:
                break;
        }
        return CURLUSESSL_ALL;
    }

    // Replies of RFC 4954: a password that has changed says nothing about the mail.
    [[nodiscard]] static bool is_about_login(int status) noexcept {
        return status == 530 || status == 534 || status == 535 || status == 538;
    }

    // The server's own word counts, where it had one to say about what failed.
    [[noreturn]] void fail(const TransferFailure& failure, const std::string& refusal) const {
        const int status = refusal_in(refusal);
        if (status == 0 || failure.cause == "stopped" || failure.cause == "timeout" || failure.cause == "tls")
            throw DeliveryFailed{failure.cause,
                                 shown_ + ": expected the mail to be taken" + found(failure.reason),
                                 {{"server", shown_}}};
        const auto cause = "smtp_" + std::to_string(status);
        const auto message = shown_ + ": expected the mail to be taken" + found(refusal);
        const nlohmann::json facts{{"server", shown_}, {"status", status}};
        if (status >= 500 && !is_about_login(status)) throw Permanent{cause, message, facts};
        throw DeliveryFailed{cause, message, facts};
    }

    [[nodiscard]] static std::string found(const std::string& text) { return ", found" + after_colon(text); }

    const Email settings_;
    std::string shown_;
    EventTexts texts_;
    Transfer transfer_;
    std::size_t from_ = 0;
    std::vector<std::size_t> to_, cc_, bcc_;
    std::size_t subject_ = 0;
    std::size_t body_ = 0;
};

void check_server(const Email& settings, const Rules& rules) {
    const auto url = Url::parse(settings.server);
    const bool is_smtp = url && (url->scheme == "smtp" || url->scheme == "smtps");
    rules.expect(is_smtp, "server", "smtp://host[:port] or smtps://host[:port]",
                 url ? "one of " + url->scheme : "no address");
    rules.expect(!url->has_credentials, "server", "no user and password in it: those are settings of their own",
                 "some");
    const bool is_encrypted = url->scheme == "smtps" || settings.tls == Email::Tls::required;
    rules.expect(settings.user.empty() || settings.password.has_value(), "password", "one, as there is a user",
                 "none");
    rules.expect(!settings.password || !settings.user.empty(), "user", "one, as there is a password", "none");
    rules.expect(settings.user.empty() || is_encrypted, "tls",
                 "\"required\", or smtps://, as there is a password that nobody else is to read",
                 "a connection that may not be encrypted");
}

}  // namespace

std::unique_ptr<Workshop> workshop_of(const Email& settings, const Rules& rules) {
    check_server(settings, rules);
    rules.expect(!trimmed(settings.from.text).empty(), "from", "an address", "none");
    rules.expect(!settings.to.empty() || !settings.cc.empty() || !settings.bcc.empty(), "to",
                 "somebody to send to, in to, cc or bcc", "nobody");
    rules.expect_timeout(settings.connect_timeout, "connect_timeout");
    rules.expect_timeout(settings.timeout, "timeout");
    (void)EmailHandler{settings};  // compiles its SQL
    return workshop_for<EmailHandler>(settings);
}

}  // namespace stele::sinks
