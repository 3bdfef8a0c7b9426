// HttpClient: POSTs, and looks at the address that a connection goes to before it is made.
#pragma once

#include "transfer.hpp"

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace stele::sinks {

struct HttpSettings {
    std::chrono::milliseconds connect_timeout{};
    std::chrono::milliseconds timeout{};
    bool allow_private = false;
    std::string ca_file;
};

struct HttpRequest {
    std::string url;
    std::string shown;                 ///< how messages call the address
    std::vector<std::string> headers;  ///< `Name: value`
    std::string body;
    std::size_t most_answer = 500;  ///< bytes of the answer that are kept
};

struct HttpAnswer {
    int status = 0;
    std::string body;                    ///< its first bytes
    std::chrono::seconds retry_after{};  ///< 0: the receiver asked for none
    std::string redirect;                ///< where it leads, absolute; empty: nowhere
    [[nodiscard]] bool is_success() const noexcept { return status >= 200 && status < 300; }
};

/// Use it from one thread at a time.
class HttpClient {
public:
    explicit HttpClient(HttpSettings settings) : settings_(std::move(settings)) {}

    /// Throws DeliveryFailed where there is no answer: as in TransferFailure, and "address_refused".
    [[nodiscard]] HttpAnswer post(const HttpRequest& request, const std::stop_token& stop);

private:
    [[nodiscard]] CURL* prepared_for(const std::string& url);

    HttpSettings settings_;
    Transfer transfer_;
    std::string prepared_for_;  ///< the address that the handle was told last
};

/// `Name: value`, or `Name;` for an empty value, as libcurl wants it.
[[nodiscard]] std::string header_line(const std::string& name, const std::string& value);
[[nodiscard]] bool is_header_name(std::string_view name) noexcept;
/// No control characters but the tab, and valid for a line.
[[nodiscard]] bool is_header_value(std::string_view value) noexcept;

}  // namespace stele::sinks
