#include "transfer.hpp"

#include "no_sigpipe.hpp"

#include <new>

namespace stele::sinks {
namespace {

// Once for the process, and never undone: others may use libcurl as well.
void begin_with_libcurl() {
    static const CURLcode begun = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (begun != CURLE_OK) throw std::bad_alloc{};
}

struct FreeUrl {
    void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};

std::string part(CURLU* url, CURLUPart which, unsigned int flags = 0) {
    char* text = nullptr;
    if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
    std::string copy{text};
    curl_free(text);
    return copy;
}

const char* cause_of(CURLcode code) {
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
            return "timeout";
        case CURLE_COULDNT_RESOLVE_HOST:
            return "dns";
        case CURLE_COULDNT_CONNECT:
            return "connect";
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CIPHER:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_INVALIDCERTSTATUS:
        case CURLE_USE_SSL_FAILED:
            return "tls";
        case CURLE_GOT_NOTHING:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_PARTIAL_FILE:
            return "closed";
        default:
            return "protocol";
    }
}

}  // namespace

std::optional<Url> Url::parse(const std::string& text) {
    const std::unique_ptr<CURLU, FreeUrl> url{curl_url()};
    if (!url) throw std::bad_alloc{};
    if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return std::nullopt;
    Url found;
    found.text = text;
    found.scheme = part(url.get(), CURLUPART_SCHEME);
    found.host = part(url.get(), CURLUPART_HOST);
    found.port = part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
    found.has_credentials =
        !part(url.get(), CURLUPART_USER).empty() || !part(url.get(), CURLUPART_PASSWORD).empty();
    if (found.host.empty()) return std::nullopt;
    const auto written_port = part(url.get(), CURLUPART_PORT);
    found.shown_host = found.scheme + "://" + found.host + (written_port.empty() ? "" : ":" + written_port);
    found.shown = found.shown_host + part(url.get(), CURLUPART_PATH);
    return found;
}

Transfer::Transfer() {
    begin_with_libcurl();
    multi_.reset(curl_multi_init());
    easy_.reset(curl_easy_init());
    if (!multi_ || !easy_) throw std::bad_alloc{};
}

CURL* Transfer::fresh(std::chrono::milliseconds connect_timeout, std::chrono::milliseconds timeout,
                      const std::string& ca_file) {
    CURL* easy = easy_.get();
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_timeout.count()));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    if (!ca_file.empty()) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file.c_str());
        curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
    }
    return easy;
}

std::optional<TransferFailure> Transfer::run(const std::stop_token& stop, bool may_use_tls) {
    std::optional<NoSigpipe> no_sigpipe;
    if (may_use_tls) no_sigpipe.emplace();
    error_[0] = '\0';
    code_ = CURLE_ABORTED_BY_CALLBACK;
    CURLM* multi = multi_.get();
    const auto failed = [](CURLMcode code) { return TransferFailure{"protocol", curl_multi_strerror(code)}; };

    if (const auto code = curl_multi_add_handle(multi, easy_.get()); code != CURLM_OK) return failed(code);
    struct Remove {
        CURLM* multi;
        CURL* easy;
        ~Remove() { curl_multi_remove_handle(multi, easy); }
    } const remove{multi, easy_.get()};
    const std::stop_callback wake{stop, [multi] { curl_multi_wakeup(multi); }};

    constexpr int look_again_ms = 1'000;
    for (int running = 1; running > 0;) {
        if (stop.stop_requested()) return TransferFailure{"stopped", "the runner stops"};
        if (const auto code = curl_multi_perform(multi, &running); code != CURLM_OK) return failed(code);
        if (running == 0) break;
        if (const auto code = curl_multi_poll(multi, nullptr, 0, look_again_ms, nullptr); code != CURLM_OK)
            return failed(code);
    }
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
        if (message->msg == CURLMSG_DONE) code_ = message->data.result;
    }
    if (code_ == CURLE_OK) return std::nullopt;
    return TransferFailure{cause_of(code_), error_[0] != '\0' ? error_ : curl_easy_strerror(code_)};
}

}  // namespace stele::sinks
