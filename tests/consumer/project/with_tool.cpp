// The stele command, with a projection of the consumer's own.
#include <stele/projections/cpp_projection.hpp>
#include <stele/tools/tool.hpp>

struct EventCount {
    static constexpr auto name = "event_count";
    static constexpr int version = 1;
    static void setup(stele::Model& model) {
        model.exec("CREATE TABLE event_count (n INTEGER NOT NULL); INSERT INTO event_count VALUES (0)");
    }
    static void on(const stele::Event&, stele::Model& model) { model.exec("UPDATE event_count SET n = n + 1"); }
};

int main(int argc, char** argv) {
    stele::tool::Registry registry;
    registry.projections.add(stele::projection<EventCount>());
    return stele::tool::main(argc, argv, std::move(registry));
}
