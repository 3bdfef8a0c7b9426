// A program that has a projection and an aggregate in C++, and the whole command with them.
#include <stele/projections/cpp_projection.hpp>
#include <stele/tools/tool.hpp>

namespace {

struct SiteCount {
    static constexpr auto name = "site_count";
    static constexpr int version = 1;
    static stele::Query query() { return stele::matching(stele::types("SiteCreated")); }
    static void setup(stele::Model& model) {
        model.exec("CREATE TABLE site_count (n INTEGER NOT NULL)");
        model.exec("INSERT INTO site_count VALUES (0)");
    }
    static void on(const stele::Event&, stele::Model& model) { model.exec("UPDATE site_count SET n = n + 1"); }
};

// State: how many events there were.
class Counting final : public stele::Folding {
public:
    void resume(const stele::JsonText& state) override { count_ = state.value().at("events").get<int>(); }
    void apply(const stele::Event&) override { ++count_; }
    [[nodiscard]] stele::JsonText state() const override { return nlohmann::json{{"events", count_}}; }

private:
    int count_ = 0;
};

class CountedSite final : public stele::Aggregate {
public:
    [[nodiscard]] std::string_view aggregate_type() const noexcept override { return "Site"; }
    [[nodiscard]] std::unique_ptr<stele::Folding> begin() const override { return std::make_unique<Counting>(); }
};

}  // namespace

int main(int argc, char** argv) {
    stele::tool::Registry registry;
    registry.projections.add(stele::projection<SiteCount>());
    registry.aggregates.add(std::make_shared<CountedSite>());
    return stele::tool::main(argc, argv, std::move(registry));
}
