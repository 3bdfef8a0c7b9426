// A certificate for localhost and 127.0.0.1 that nobody has signed, made by the openssl command.
#pragma once

#include <stele/test/catch.hpp>
#include <stele/test/temporary_folder.hpp>

#include <cstdlib>
#include <string>

namespace stele::sinks::test {

class Certificate {
public:
    Certificate() {
        const auto make =
            "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext "
            "subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout " +
            file("key") + " -out " + file("certificate") + " 2>" + file("log") + " && cat " + file("key") + " " +
            file("certificate") + " > " + file("both");
        REQUIRE(std::system(make.c_str()) == 0);
    }
    /// For those who are to trust it.
    [[nodiscard]] std::string certificate() const { return file("certificate"); }
    /// With its key: for the server.
    [[nodiscard]] std::string with_key() const { return file("both"); }

private:
    [[nodiscard]] std::string file(const char* name) const { return (folder_ / name).string(); }
    stele::test::TemporaryFolder folder_;
};

}  // namespace stele::sinks::test
