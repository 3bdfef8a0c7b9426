// Transfer: one libcurl handle that is used again and again, and can be told to stop.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace stele::sinks {

/// An address, and what of it may be shown.
struct Url {
    std::string text;
    std::string scheme;  ///< lower case
    std::string host;
    std::string port;  ///< the scheme's own where none is written
    bool has_credentials = false;
    std::string shown;       ///< without credentials, query and fragment
    std::string shown_host;  ///< scheme, host and port alone

    /// Empty where the text is no address.
    [[nodiscard]] static std::optional<Url> parse(const std::string& text);
};

/// How a transfer ended where no server said how.
struct TransferFailure {
    std::string cause;   ///< in a word: "timeout", "dns", "connect", "tls", "closed", "protocol", "stopped"
    std::string reason;  ///< libcurl's words
};

/// Use it from one thread at a time. Connections are kept open for the next transfer.
class Transfer {
public:
    /// Throws std::bad_alloc.
    Transfer();
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    /// The handle with all options at their defaults, but for these: no signals, no proxy of the environment, the
    /// time-outs, the certificates (none named: the system's).
    [[nodiscard]] CURL* fresh(std::chrono::milliseconds connect_timeout, std::chrono::milliseconds timeout,
                              const std::string& ca_file);

    /// The handle as the last run left it.
    [[nodiscard]] CURL* handle() const noexcept { return easy_.get(); }

    /// Runs what the handle was told; empty where it went well. A stop ends it at once. `may_use_tls`: TLS
    /// libraries write in a way that may raise SIGPIPE, which is then kept from this thread.
    [[nodiscard]] std::optional<TransferFailure> run(const std::stop_token& stop, bool may_use_tls = true);

    /// libcurl's code of the last run.
    [[nodiscard]] CURLcode code() const noexcept { return code_; }

private:
    struct CloseEasy {
        void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
    };
    struct CloseMulti {
        void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
    };
    // A multi handle, even for one transfer: another thread can wake it up, and it keeps the connections.
    std::unique_ptr<CURLM, CloseMulti> multi_;
    std::unique_ptr<CURL, CloseEasy> easy_;
    char error_[CURL_ERROR_SIZE] = {};
    CURLcode code_ = CURLE_OK;
};

/// A list of texts for libcurl.
class TextList {
public:
    void add(const std::string& text) {
        auto* longer = curl_slist_append(list_.get(), text.c_str());
        if (longer == nullptr) throw std::bad_alloc{};
        (void)list_.release();
        list_.reset(longer);
    }
    [[nodiscard]] curl_slist* get() const noexcept { return list_.get(); }

private:
    struct Free {
        void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
    };
    std::unique_ptr<curl_slist, Free> list_;
};

}  // namespace stele::sinks
