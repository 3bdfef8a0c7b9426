#include "http.hpp"

#include "address.hpp"
#include "text.hpp"

#include <stele/projections/listeners/delivery.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace stele::sinks {
namespace {

// An answer that goes on for longer is cut off: its status is what counts.
constexpr std::size_t longest_answer = std::size_t{1} << 20;

struct Received {
    std::string body;
    std::size_t most;
    std::size_t size = 0;
};
std::size_t receive(const char* bytes, std::size_t, std::size_t count, void* to) {
    auto& received = *static_cast<Received*>(to);
    received.size += count;
    received.body.append(bytes, std::min(count, received.most - received.body.size()));
    return received.size > longest_answer ? 0 : count;
}

struct Doorkeeper {
    std::string refused;  ///< the address that was not connected to
};
// Called with the address that is about to be connected to, after all names are resolved.
curl_socket_t open_public(void* keeper, curlsocktype, curl_sockaddr* address) {
    if (!is_public(address->addr)) {
        static_cast<Doorkeeper*>(keeper)->refused = to_text(address->addr);
        return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

}  // namespace

// Most requests go where the last one went, and what they have in common is told only once.
CURL* HttpClient::prepared_for(const std::string& url) {
    CURL* easy = transfer_.handle();
    if (url == prepared_for_) return easy;
    easy = transfer_.fresh(settings_.connect_timeout, settings_.timeout, settings_.ca_file);
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "stele");
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &receive);
    if (!settings_.allow_private) curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &open_public);
    prepared_for_ = url;
    return easy;
}

HttpAnswer HttpClient::post(const HttpRequest& request, const std::stop_token& stop) {
    CURL* easy = prepared_for(request.url);
    TextList headers;
    for (const auto& header : request.headers) headers.add(header);
    headers.add("Expect:");  // no waiting for a 100 Continue that many receivers do not send
    Received received{{}, request.most_answer};
    Doorkeeper keeper;

    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &received);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &keeper);
    const auto failure = transfer_.run(stop, !request.url.starts_with("http://"));

    const bool cut_off = transfer_.code() == CURLE_WRITE_ERROR && received.size > longest_answer;
    if (failure && !cut_off) {
        if (!keeper.refused.empty() && transfer_.code() == CURLE_COULDNT_CONNECT)
            throw DeliveryFailed{"address_refused",
                                 request.shown + ": expected a public address, found " + keeper.refused +
                                     "; nothing was sent (allow_private lifts this)",
                                 {{"url", request.shown}, {"address", keeper.refused}}};
        throw DeliveryFailed{failure->cause,
                             request.shown + ": expected an answer, found none" + after_colon(failure->reason),
                             {{"url", request.shown}}};
    }
    HttpAnswer answer;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    answer.body = std::move(received.body);
    curl_off_t retry_after = 0;
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after);
    // Seconds or a date; bounded here so that nobody's arithmetic overflows.
    constexpr curl_off_t year = 365 * 24 * 3600;
    answer.retry_after = std::chrono::seconds{std::clamp<curl_off_t>(retry_after, 0, year)};
    const char* redirect = nullptr;
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &redirect);
    if (redirect != nullptr) answer.redirect = redirect;
    return answer;
}

std::string header_line(const std::string& name, const std::string& value) {
    return value.empty() ? name + ";" : name + ": " + value;
}

bool is_header_name(std::string_view name) noexcept {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               marks.find(c) != std::string_view::npos;
    });
}

bool is_header_value(std::string_view value) noexcept {
    return std::all_of(value.begin(), value.end(),
                       [](unsigned char c) { return (c >= 0x20 && c != 0x7f) || c == '\t'; });
}

}  // namespace stele::sinks
