#include "local_server.hpp"

#include "workload.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

namespace stele::bench {
namespace {

constexpr std::string_view head_end = "\r\n\r\n";
constexpr std::string_view answer = "HTTP/1.1 204 No Content\r\n\r\n";

// How long the first request in `text` is with its body, 0 where it is not complete.
std::size_t request_length(std::string_view text) {
    const auto end = text.find(head_end);
    if (end == std::string_view::npos) return 0;
    std::size_t body = 0;
    constexpr std::string_view name = "Content-Length: ";  // as libcurl writes it
    if (const auto at = text.substr(0, end).find(name); at != std::string_view::npos) {
        const auto digits = text.substr(at + name.size());
        std::from_chars(digits.data(), digits.data() + digits.size(), body);
    }
    const auto whole = end + head_end.size() + body;
    return whole <= text.size() ? whole : 0;
}

}  // namespace

LocalServer::LocalServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    constexpr int backlog = 128;
    if (listener_ < 0 || ::bind(listener_, generic, size) != 0 || ::listen(listener_, backlog) != 0 ||
        ::getsockname(listener_, generic, &size) != 0)
        throw BenchError(std::string{"bench: no port for a local server: "} + std::strerror(errno));
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread{[this] { accept_all(); }};
}

LocalServer::~LocalServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    {
        const std::lock_guard lock{mutex_};
        for (const int connection : connections_) ::shutdown(connection, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
    for (const int connection : connections_) ::close(connection);
}

std::string LocalServer::url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/hook"; }

void LocalServer::accept_all() {
    for (;;) {
        const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) return;
        const int yes = 1;
        ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        const std::lock_guard lock{mutex_};
        connections_.push_back(connection);
        threads_.emplace_back([this, connection] { serve(connection); });
    }
}

void LocalServer::serve(int connection) {
    std::string text;
    std::array<char, 16'384> buffer{};
    for (;;) {
        const auto got = ::recv(connection, buffer.data(), buffer.size(), 0);
        if (got <= 0) return;
        text.append(buffer.data(), static_cast<std::size_t>(got));
        for (auto length = request_length(text); length > 0; length = request_length(text)) {
            text.erase(0, length);
            ++requests_;
            if (::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
        }
    }
}

}  // namespace stele::bench
