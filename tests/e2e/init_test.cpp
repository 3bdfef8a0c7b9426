// stele init: a project whose README can be followed word for word.
#include "workplace.hpp"

#include <sstream>

using namespace stele;
using test::Workplace;

namespace {

// The commands in the README's shell block, without "stele" and comments.
std::vector<std::string> commands_in(const std::string& readme) {
    std::vector<std::string> commands;
    std::istringstream text{readme};
    bool in_block = false;
    for (std::string line; std::getline(text, line);) {
        if (line.rfind("```", 0) == 0) in_block = line == "```sh";
        if (in_block && line.rfind("stele ", 0) == 0) commands.push_back(line);
    }
    return commands;
}

}  // namespace

TEST_CASE("every command in the README of a new project works", "[e2e][init]") {
    const Workplace at;
    REQUIRE(at.stele({"init", "my-audit"}).status == 0);
    const auto commands = commands_in(at.text_of("my-audit/README.md"));
    REQUIRE(commands.size() >= 8);
    for (const auto& command : commands) {
        CAPTURE(command);
        test::Process shell{{"/bin/sh", "-c",
                             "cd '" + at.path("my-audit").string() +
                                 "' && unset STELE_STORE && stele() { '" STELE_TOOL "' \"$@\"; } && " + command}};
        const auto out = shell.read_all();
        CHECK(shell.wait() == 0);
        CHECK_FALSE(out.empty());
    }
    const auto rows = at.stele({"projection", "query", "tenant_stats", "--csv"},
                               {.input = {}, .environment = {{"STELE_STORE", ""}}, .folder = "my-audit"});
    CHECK(rows.out == "tenant,sites,failed_backups\nacme,2,2\numbrella,1,0\n");
}

TEST_CASE("init writes into the folder where it is called, and never overwrites", "[e2e][init]") {
    const Workplace at;
    const auto first = at.stele({"init", "--json"});
    REQUIRE(first.status == 0);
    CHECK(first.json().at("files").size() == 6);
    CHECK(at.exists("stele.toml"));

    at.write("stele.toml", "mine");
    const auto again = at.stele({"init"});
    CHECK(again.status == 1);
    CHECK_THAT(again.err, ContainsSubstring("stele.toml: is there already; nothing was written"));
    CHECK(at.text_of("stele.toml") == "mine");

    at.write("other/README.md", "mine");
    CHECK(at.stele({"init", "other"}).status == 1);
    CHECK_FALSE(at.exists("other/stele.toml"));
}
