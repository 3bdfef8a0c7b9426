// LocalServer: answers every HTTP request with 204, as quickly as it can, over connections that stay open.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace stele::bench {

/// Listens on a port of the loopback interface, with a thread for each connection, until it goes.
class LocalServer {
public:
    /// Throws BenchError where there is no port to be had.
    LocalServer();
    ~LocalServer();
    LocalServer(const LocalServer&) = delete;
    LocalServer& operator=(const LocalServer&) = delete;

    [[nodiscard]] std::string url() const;
    /// Answered so far.
    [[nodiscard]] std::size_t requests() const { return requests_; }

private:
    void accept_all();
    void serve(int connection);

    int listener_ = -1;
    int port_ = 0;
    std::atomic<std::size_t> requests_{0};
    std::mutex mutex_;  ///< guards what follows
    std::vector<int> connections_;
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};

}  // namespace stele::bench
