// HttpReceiver: a real HTTP server on a loopback socket that does what a test says: answers, hangs, closes.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace stele::test {

struct HttpRequest {
    std::string method;
    std::string target;
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;
    int connection = 0;  ///< 1 for the first one that was made
    [[nodiscard]] std::string header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? std::string{} : found->second;
    }
};

struct HttpReply {
    enum class How {
        answer,
        hang,     ///< nothing, until the receiver goes
        close,    ///< the connection, without an answer
        endless,  ///< a body that never ends
    };
    int status = 200;
    std::string body{};
    std::vector<std::pair<std::string, std::string>> headers{};
    How how = How::answer;
};
[[nodiscard]] inline HttpReply hang() { return {0, {}, {}, HttpReply::How::hang}; }
[[nodiscard]] inline HttpReply close_connection() { return {0, {}, {}, HttpReply::How::close}; }

/// Listens as long as it is there. Requests are answered in threads of their own, one a connection.
class HttpReceiver {
public:
    using Answer = std::function<HttpReply(const HttpRequest&)>;

    /// `answer` is called by several threads at once. Without it, everything is answered with 200.
    explicit HttpReceiver(Answer answer = {});
    ~HttpReceiver();
    HttpReceiver(const HttpReceiver&) = delete;
    HttpReceiver& operator=(const HttpReceiver&) = delete;

    /// `http://127.0.0.1:PORT` and the path.
    [[nodiscard]] std::string url(const std::string& path = "/hook") const;
    [[nodiscard]] int port() const noexcept { return port_; }

    /// What the next requests get, in this order, before `answer` is asked again.
    void next(std::vector<HttpReply> replies);

    /// Those that arrived whole, in order.
    [[nodiscard]] std::vector<HttpRequest> requests() const;
    /// Waits until so many have arrived; false after `seconds`.
    [[nodiscard]] bool wait_for_requests(std::size_t count, int seconds = 20) const;

private:
    struct Connection {
        int fd;
        std::thread thread;
    };
    void accept_all();
    void serve(int fd, int number);
    [[nodiscard]] HttpReply reply_to(const HttpRequest& request);

    Answer answer_;
    int listener_ = -1;
    int port_ = 0;
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    bool stops_ = false;
    std::list<HttpReply> next_;
    std::vector<HttpRequest> requests_;
    std::list<Connection> connections_;
    std::thread acceptor_;
};

}  // namespace stele::test
