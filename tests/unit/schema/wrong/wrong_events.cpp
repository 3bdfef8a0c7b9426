// Does not compile, and is not meant to: check_messages.cmake looks whether the compiler says what is missing.
// says: a typed event needs the name of its type
// says: a typed event needs the version of its schema
// says: a typed event needs a conversion to nlohmann::json
// says: WithoutConversion
// says: the tags of a typed event: std::vector<std::string> tags() const
// says: a typed event needs a default constructor and a conversion from nlohmann::json
#include <stele/schema/typed_event.hpp>

namespace {

struct WithoutType {
    static constexpr int version = 1;
};
struct WithoutVersion {
    static constexpr auto type = "WithoutVersion";
};
struct WithoutConversion {
    static constexpr auto type = "WithoutConversion";
    static constexpr int version = 1;
    int amount = 0;
};
struct WithTagsThatChangeIt {
    static constexpr auto type = "WithTagsThatChangeIt";
    static constexpr int version = 1;
    std::vector<std::string> tags() { return {}; }
};
struct ReadOnly {
    static constexpr auto type = "ReadOnly";
    static constexpr int version = 1;
    int amount = 0;
    friend void to_json(nlohmann::json& json, const ReadOnly& event) { json = event.amount; }
};

}  // namespace

int main() {
    (void)stele::event(WithoutType{});
    (void)stele::event<WithoutVersion>();
    (void)stele::event(WithoutConversion{});
    (void)stele::event(WithTagsThatChangeIt{});
    (void)stele::as<ReadOnly>(stele::Event{.stream = stele::StreamId{"A", "1"}});
}
