#include "contract.hpp"

#include "sqlite_backend.hpp"

namespace stele::test {

namespace {

using Make = std::unique_ptr<Backend> (*)();

std::vector<Make> backends() {
    return {[]() -> std::unique_ptr<Backend> { return std::make_unique<SqliteBackend>(); }};
}

}  // namespace

std::vector<std::string> Backend::log_tables() {
    auto names = tables();
    std::erase(names, "tracking");
    return names;
}

std::string Backend::rows() {
    std::string line;
    for (const std::string& table : tables())
        line += table + ' ' + execute("SELECT count(*) FROM " + table).front() + "; ";
    return line;
}

Contract::Contract()
    : backend_(GENERATE(from_range(backends()))()),
      which_(Catch::MessageBuilder("INFO", CATCH_INTERNAL_LINEINFO, Catch::ResultWas::Info)
             << "backend " << backend_->name()) {}

Process Contract::peer(std::vector<std::string> words) const {
    words.insert(words.begin(), {STELE_CONTRACT_PEER, backend().address()});
    return Process{std::move(words)};
}

}  // namespace stele::test
