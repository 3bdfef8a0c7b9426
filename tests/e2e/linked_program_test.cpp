// stele::tool::main() in another program: the same command, with what the program brings along.
#include "workplace.hpp"

using namespace stele;
using nlohmann::json;
using test::Workplace;

TEST_CASE("a program that links the command has its own projections and aggregates in it", "[e2e][linked]") {
    const Workplace at;
    for (const std::string type : {"SiteCreated", "SiteRenamed", "SiteCreated"})
        REQUIRE(at.stele({"append", "Site/1", type}).status == 0);
    const auto run = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {STELE_LINKED_PROGRAM});
        test::Process process{words, {{"STELE_STORE", at.path("log.stele").string()}}};
        auto out = process.read_all();
        CHECK(process.wait() == 0);
        return out;
    };
    CHECK(json::parse(run({"projection", "list", "--json"})).at("name") == "site_count");
    CHECK(json::parse(run({"projection", "rebuild", "site_count", "--json"})).at("events") == 2);
    CHECK(json::parse(run({"projection", "query", "site_count", "--json"})) == json{{"n", 2}});
    CHECK(json::parse(run({"replay", "Site/1", "--json"})).at("state") == json{{"events", 3}});
    CHECK_THAT(run({"--help"}), ContainsSubstring("append"));
}
