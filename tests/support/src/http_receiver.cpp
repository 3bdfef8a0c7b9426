#include <stele/test/http_receiver.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <optional>
#include <system_error>

namespace stele::test {
namespace {

[[noreturn]] void fail(const char* doing) { throw std::system_error{errno, std::generic_category(), doing}; }

// False where the other side is gone.
bool send_all(int fd, const std::string& text) {
    for (std::size_t sent = 0; sent < text.size();) {
        const auto n = ::send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) return false;
        sent += static_cast<std::size_t>(n);
    }
    return true;
}

// The requests of a connection, one after the other.
class Reader {
public:
    explicit Reader(int fd) : fd_(fd) {}

    [[nodiscard]] std::optional<HttpRequest> next() {
        auto end = std::string::npos;
        while ((end = read_.find("\r\n\r\n")) == std::string::npos) {
            if (!fill()) return std::nullopt;
        }
        HttpRequest request = head_of(read_.substr(0, end + 2));
        read_.erase(0, end + 4);
        const auto length = request.header("content-length");
        const auto size = length.empty() ? std::size_t{0} : std::stoul(length);
        while (read_.size() < size) {
            if (!fill()) return std::nullopt;
        }
        request.body = read_.substr(0, size);
        read_.erase(0, size);
        return request;
    }

private:
    static HttpRequest head_of(const std::string& head) {
        HttpRequest request;
        const auto line_end = head.find("\r\n");
        const auto first = head.find(' ');
        const auto second = head.find(' ', first + 1);
        request.method = head.substr(0, first);
        request.target = head.substr(first + 1, second - first - 1);
        for (auto at = line_end + 2; at < head.size();) {
            const auto end = head.find("\r\n", at);
            const auto colon = head.find(':', at);
            std::string name = head.substr(at, colon - at);
            std::transform(name.begin(), name.end(), name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
            const auto value = head.find_first_not_of(' ', colon + 1);
            request.headers[name] = value >= end ? "" : head.substr(value, end - value);
            at = end + 2;
        }
        return request;
    }

    bool fill() {
        char buffer[8192];
        const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
        if (n <= 0) return false;
        read_.append(buffer, static_cast<std::size_t>(n));
        return true;
    }

    int fd_;
    std::string read_;
};

std::string written(const HttpReply& reply) {
    std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " as told\r\n";
    for (const auto& [name, value] : reply.headers) text += name + ": " + value + "\r\n";
    if (reply.how == HttpReply::How::endless) return text + "\r\n";
    return text + "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n" + reply.body;
}

}  // namespace

HttpReceiver::HttpReceiver(Answer answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener_ < 0) fail("making a socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    constexpr int waiting = 128;
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, waiting) != 0 ||
        ::getsockname(listener_, generic, &size) != 0)
        fail("listening");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread{[this] { accept_all(); }};
}

HttpReceiver::~HttpReceiver() {
    {
        const std::lock_guard lock{mutex_};
        stops_ = true;
        ::shutdown(listener_, SHUT_RDWR);
        for (const auto& connection : connections_) ::shutdown(connection.fd, SHUT_RDWR);
        changed_.notify_all();
    }
    acceptor_.join();
    for (auto& connection : connections_) {
        connection.thread.join();
        ::close(connection.fd);
    }
    ::close(listener_);
}

std::string HttpReceiver::url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
}

void HttpReceiver::next(std::vector<HttpReply> replies) {
    const std::lock_guard lock{mutex_};
    for (auto& reply : replies) next_.push_back(std::move(reply));
}

std::vector<HttpRequest> HttpReceiver::requests() const {
    const std::lock_guard lock{mutex_};
    return requests_;
}

bool HttpReceiver::wait_for_requests(std::size_t count, int seconds) const {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, std::chrono::seconds{seconds}, [&] { return requests_.size() >= count; });
}

void HttpReceiver::accept_all() {
    for (;;) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        const std::lock_guard lock{mutex_};
        if (stops_) {
            if (fd >= 0) ::close(fd);
            return;
        }
        if (fd < 0) continue;
        const int number = static_cast<int>(connections_.size()) + 1;
        connections_.push_back({fd, std::thread{[this, fd, number] { serve(fd, number); }}});
    }
}

HttpReply HttpReceiver::reply_to(const HttpRequest& request) {
    {
        const std::lock_guard lock{mutex_};
        requests_.push_back(request);
        changed_.notify_all();
        if (!next_.empty()) {
            auto reply = std::move(next_.front());
            next_.pop_front();
            return reply;
        }
    }
    return answer_ ? answer_(request) : HttpReply{};
}

void HttpReceiver::serve(int fd, int number) {
    Reader reader{fd};
    while (auto request = reader.next()) {
        request->connection = number;
        const auto reply = reply_to(*request);
        if (reply.how == HttpReply::How::close) break;
        if (reply.how == HttpReply::How::hang) {
            std::unique_lock lock{mutex_};
            changed_.wait(lock, [&] { return stops_; });
            break;
        }
        if (!send_all(fd, written(reply))) break;
        while (reply.how == HttpReply::How::endless && send_all(fd, std::string(64 * 1024, 'x'))) continue;
        if (reply.how == HttpReply::How::endless) break;
    }
    ::shutdown(fd, SHUT_RDWR);
}

}  // namespace stele::test
