// MailServer: a real SMTP server (smtp_server.py) in a process of its own, which reads mails with Python's email
// package. For programs that are given SMTP_PYTHON and SMTP_SERVER (see stele_smtp_test() in tests/support).
#pragma once

#include <stele/test/catch.hpp>
#include <stele/test/process.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace stele::test {

class MailServer {
public:
    explicit MailServer(std::vector<std::string> options = {}) : process_(command(std::move(options))) {
        const auto line = process_.read_line();
        REQUIRE(line);
        REQUIRE(line->substr(0, 5) == "port ");
        port_ = line->substr(5);
    }
    [[nodiscard]] std::string url(const std::string& host = "127.0.0.1") const {
        return "smtp://" + host + ":" + port_;
    }
    /// The next mail that it took.
    [[nodiscard]] nlohmann::json mail() {
        const auto line = process_.read_line();
        REQUIRE(line);
        return nlohmann::json::parse(*line);
    }

private:
    static std::vector<std::string> command(std::vector<std::string> options) {
        options.insert(options.begin(), {SMTP_PYTHON, SMTP_SERVER});
        return options;
    }
    Process process_;
    std::string port_;
};

}  // namespace stele::test
