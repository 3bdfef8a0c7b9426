// Tests of a decider and a projection, by the test kit and the consumer's own Catch2.
#include <stele/testing/decider_scenario.hpp>
#include <stele/testing/projection_scenario.hpp>
#include <stele/testing/temporary_store.hpp>

namespace {

struct Opened {
    static constexpr auto type = "Opened";
    static constexpr int version = 1;
};
struct Door {
    static constexpr auto name = "Door";
    using events = stele::Events<Opened>;
    struct State {
        bool is_open = false;
    };
    static State evolve(State, const Opened&) { return {true}; }
    static std::vector<Opened> decide(const State& state, int) {
        return std::vector<Opened>(state.is_open ? 0 : 1);
    }
};
struct Openings {
    static constexpr auto name = "openings";
    static constexpr int version = 1;
    using events = stele::Events<Opened>;
    static void setup(stele::Model& model) { model.exec("CREATE TABLE openings (position INTEGER)"); }
    static void on(const Opened&, const stele::Envelope& event, stele::Model& model) {
        model.exec("INSERT INTO openings VALUES (?1)", event.position);
    }
};

}  // namespace

TEST_CASE("a door is opened once") {
    stele::testing::given<Door>().when(1).then(Opened{});
    stele::testing::given<Door>(Opened{}).when(1).then_nothing();
    stele::testing::given(Opened{}).project<Openings>().expect("SELECT position FROM openings", {{1}});
}
