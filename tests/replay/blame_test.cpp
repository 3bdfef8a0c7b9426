// blame: which event last set each field, by hand and against a model that knows no patches.

#include <stele/replay/aggregate_file.hpp>
#include <stele/replay/blame.hpp>
#include <stele/replay/json_diff.hpp>
#include <stele/schema/event_json.hpp>
#include <stele/test/store.hpp>

#include "history.hpp"

#include <fstream>
#include <map>
#include <random>

using nlohmann::json;
using namespace stele;

namespace {

const StreamId thing{"Thing", "1"};

// The data of the last event is the state.
const AggregateFile& last_data() {
    static const auto aggregate =
        AggregateFile::parse("--@ aggregate Thing version 1\n--@ on *\n$data\n", "last_data.sql");
    return aggregate;
}

EventStore store_of(const std::vector<json>& states) {
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    for (const auto& state : states)
        store.append(thing, expect::any, {event("Set", state).by("user-" + std::to_string(state.size()))});
    return store;
}

using Versions = std::map<std::string, std::int64_t>;

// Field to version; 0 for the initial state.
Versions versions(const Blamed& blamed) {
    Versions versions;
    for (const auto& field : blamed.fields)
        versions[field.pointer] = field.set_by ? field.set_by->version.value() : 0;
    return versions;
}

Versions blamed_by_states(const std::vector<json>& states, std::string_view pointer = {},
                          const ReplayOptions& options = {}) {
    return versions(blame(store_of(states), thing, last_data(), pointer, options));
}

}  // namespace

TEST_CASE("each field is blamed on the event that last made it what it is", "[replay][blame]") {
    CHECK(
        blamed_by_states({json::parse(R"({"a":1,"b":{"c":1,"d":1}})"), json::parse(R"({"a":2,"b":{"c":1,"d":1}})"),
                          json::parse(R"({"a":2,"b":{"c":3,"d":1},"e":null})")}) ==
        Versions{{"/a", 2}, {"/b/c", 3}, {"/b/d", 1}, {"/e", 3}});
}

TEST_CASE("a value that is written again as it is, is not set", "[replay][blame]") {
    CHECK(blamed_by_states({{{"a", 1}}, {{"a", 1}}, {{"a", 1.0}}, {{"a", 1.0}}}) == Versions{{"/a", 3}});
}

TEST_CASE("a value that went and came back is set by the event that brought it", "[replay][blame]") {
    CHECK(blamed_by_states({{{"a", 1}}, {{"b", 1}}, {{"a", 1}, {"b", 1}}}) == Versions{{"/a", 3}, {"/b", 2}});
}

TEST_CASE("elements of an array keep their event when others come and go beside them", "[replay][blame]") {
    CHECK(blamed_by_states({{{"l", {"a", "b", "c", "d"}}}, {{"l", {"x", "a", "b", "c", "d"}}}}) ==
          Versions{{"/l/0", 2}, {"/l/1", 1}, {"/l/2", 1}, {"/l/3", 1}, {"/l/4", 1}});
    CHECK(blamed_by_states({{{"l", {"a", "b", "c", "d"}}}, {{"l", {"b", "d"}}}}) ==
          Versions{{"/l/0", 1}, {"/l/1", 1}});
    CHECK(blamed_by_states({{{"l", {"a", "b", "c", "d", "e"}}}, {{"l", {"a", "x", "c", "y", "z", "e"}}}}) ==
          Versions{{"/l/0", 1}, {"/l/1", 2}, {"/l/2", 1}, {"/l/3", 2}, {"/l/4", 2}, {"/l/5", 1}});
}

TEST_CASE("of an element that changed, what did not change keeps its event", "[replay][blame]") {
    CHECK(blamed_by_states({json::parse(R"({"lines":[{"sku":"a","n":1},{"sku":"b","n":1}]})"),
                            json::parse(R"({"lines":[{"sku":"a","n":2},{"sku":"b","n":1}]})")}) ==
          Versions{{"/lines/0/sku", 1}, {"/lines/0/n", 2}, {"/lines/1/sku", 1}, {"/lines/1/n", 1}});
}

TEST_CASE("an empty array is blamed on the event that made or emptied it", "[replay][blame]") {
    CHECK(blamed_by_states({{{"l", json::array()}}, {{"l", json::array()}, {"o", json::object()}}}) ==
          Versions{{"/l", 1}, {"/o", 2}});
    CHECK(blamed_by_states({{{"l", {1, 2}}}, {{"l", {1}}}, {{"l", json::array()}}, {{"l", json::array()}}}) ==
          Versions{{"/l", 3}});
    CHECK(blamed_by_states({json::parse(R"({"o":{"a":1}})"), json::parse(R"({"o":{}})")}) == Versions{{"/o", 2}});
}

TEST_CASE("a value that changes kind is set as a whole", "[replay][blame]") {
    CHECK(blamed_by_states({{{"a", 1}}, {{"a", {{"b", 1}, {"c", 1}}}}}) == Versions{{"/a/b", 2}, {"/a/c", 2}});
    CHECK(blamed_by_states({5, 5, {{"a", 1}}}) == Versions{{"/a", 3}});
    CHECK(blamed_by_states({{{"a", 1}}, 5, 5}) == Versions{{"", 2}});
}

TEST_CASE("what no event has set is of the initial state", "[replay][blame]") {
    const auto aggregate = AggregateFile::parse(
        "--@ aggregate Thing version 1\n--@ initial\njson_object('status', 'new', 'n', 0)\n"
        "--@ on Set\njson_set($state, '$.n', $data(n))\n",
        "initial.sql");
    const auto blamed = blame(store_of({{{"n", 0}}, {{"n", 7}}}), thing, aggregate);
    CHECK(versions(blamed) == Versions{{"/n", 2}, {"/status", 0}});
}

TEST_CASE("blame says who, when and by what", "[replay][blame]") {
    auto store = EventStore::temporary();
    store.append(thing, expect::any, {event("Made", {{"a", 1}})});
    store.append(thing, expect::any,
                 {event("Renamed", {{"name", "x"}}).by("user-7").correlation("request-1").at(test::minute(3))});
    const auto blamed = blame(store, thing, merge_patch(), "/name");
    REQUIRE(blamed.fields.size() == 1);
    const auto& field = blamed.fields.front();
    CHECK(field.pointer == "/name");
    CHECK(field.value == "x");
    REQUIRE(field.set_by);
    const auto second = store.at(Position{2});
    CHECK(field.set_by->id == second->id);
    CHECK(field.set_by->type == "Renamed");
    CHECK(field.set_by->occurred_at == test::minute(3));
    CHECK(field.set_by->recorded_at == second->recorded_at);
    CHECK(field.set_by->actor() == "user-7");
    CHECK(field.set_by->correlation_id() == "request-1");
    CHECK(field.set_by->causation_id() == std::nullopt);
    CHECK(blamed.state == replay(store, thing, merge_patch()));
}

TEST_CASE("blame of a pointer lists the fields below it", "[replay][blame]") {
    const std::vector<json> states{json::parse(R"({"a":1,"l":[{"x":1,"a/b":{"~":2}}]})")};
    CHECK(blamed_by_states(states, "/l/0") == Versions{{"/l/0/x", 1}, {"/l/0/a~1b/~0", 1}});
    CHECK(blamed_by_states(states, "/l/0/a~1b/~0") == Versions{{"/l/0/a~1b/~0", 1}});
    CHECK_THROWS_AS(blamed_by_states(states, "a"), InvalidInput);
    CHECK_THROWS_AS(blamed_by_states(states, "/a~2"), InvalidInput);
    CHECK_THROWS_AS(blamed_by_states(states, "/l/1"), NotFound);
    CHECK_THROWS_AS(blamed_by_states(states, "/l/00"), NotFound);
}

TEST_CASE("blame of a field that is gone names the event that took it away", "[replay][blame]") {
    try {
        blamed_by_states({{{"a", 1}, {"b", 1}}, {{"b", 1}}, {{"b", 2}}}, "/a");
        FAIL("was found");
    } catch (const NotFound& error) {
        CHECK_THAT(error.what(), ContainsSubstring("has nothing at /a; version 2, Set, took it away"));
        CHECK(error.facts().at("removed_by_version") == 2);
    }
}

TEST_CASE("blame as of a version knows nothing of what came later", "[replay][blame]") {
    CHECK(blamed_by_states({{{"a", 1}}, {{"a", 2}}, {{"a", 3}}}, {}, {.at_version = Version{2}}) ==
          Versions{{"/a", 2}});
}

// ---- Against a model

namespace {

// A value and the version that set it: by comparing values, and an array's elements by what they are, each of which
// is there at most once.
struct Marked {
    json value;
    std::int64_t version = 0;
    std::map<std::string, Marked> members;
    std::vector<Marked> elements;

    static Marked fresh(const json& value, std::int64_t version) {
        Marked marked{value, version, {}, {}};
        if (value.is_object())
            for (const auto& [name, member] : value.items()) marked.members.emplace(name, fresh(member, version));
        if (value.is_array())
            for (const auto& element : value) marked.elements.push_back(fresh(element, version));
        return marked;
    }

    [[nodiscard]] Marked after(const json& now, std::int64_t by) const {
        const bool is_container = now.is_object() || now.is_array();
        if (now.type() != value.type() || (!is_container && now != value)) return fresh(now, by);
        auto marked = *this;
        if (is_container && now.empty() && !value.empty()) marked.version = by;
        marked.value = now;
        marked.members.clear();
        marked.elements.clear();
        if (now.is_object()) {
            for (const auto& [name, member] : now.items()) {
                const auto old = members.find(name);
                marked.members.emplace(name,
                                       old == members.end() ? fresh(member, by) : old->second.after(member, by));
            }
        }
        if (now.is_array()) {
            for (const auto& element : now) {
                const auto old = std::find_if(elements.begin(), elements.end(),
                                              [&](const Marked& other) { return other.value == element; });
                marked.elements.push_back(old == elements.end() ? fresh(element, by) : *old);
            }
        }
        return marked;
    }

    void list(const std::string& pointer, Versions& versions) const {
        if (members.empty() && elements.empty()) versions[pointer] = version;
        for (const auto& [name, member] : members) member.list(pointer + "/" + name, versions);
        for (std::size_t i = 0; i < elements.size(); ++i)
            elements[i].list(pointer + "/" + std::to_string(i), versions);
    }
};

class RandomStates {
public:
    explicit RandomStates(std::uint64_t seed) : random_(seed) {}

    // The next state: some members and elements come, go and change, and none changes places.
    json next(json state) {
        for (auto n = below(4); n > 0; --n) change(state, 3);
        return state;
    }

private:
    std::uint64_t below(std::uint64_t n) { return random_() % n; }

    json value(int depth) {
        switch (below(depth > 0 ? 5 : 3)) {
            case 0:
                return below(3);
            case 1:
                return nullptr;
            case 2:
                return "text " + std::to_string(below(3));
            case 3: {
                auto list = json::array();
                for (auto n = below(6); n > 0; --n) list.push_back("element " + std::to_string(++elements_));
                return list;
            }
            default: {
                auto object = json::object();
                for (auto n = below(4); n > 0; --n) object[name()] = value(depth - 1);
                return object;
            }
        }
    }

    std::string name() { return std::string(1, static_cast<char>('a' + below(4))); }

    void change(json& at, int depth) {
        if (at.is_object() && !at.empty() && below(3) > 0) {
            auto member = at.begin();
            std::advance(member, static_cast<std::ptrdiff_t>(below(at.size())));
            if (below(4) == 0) {
                at.erase(member);
            } else {
                change(*member, depth - 1);
            }
        } else if (at.is_object() && below(4) > 0) {
            at[name()] = value(depth - 1);
        } else if (at.is_array() && below(6) > 0) {
            const auto place = static_cast<std::ptrdiff_t>(below(at.size() + 1));
            if (below(2) == 0 || at.empty()) {
                at.insert(at.begin() + place, "element " + std::to_string(++elements_));
            } else {
                at.erase(at.begin() + std::min<std::ptrdiff_t>(place, static_cast<std::ptrdiff_t>(at.size()) - 1));
            }
        } else {
            at = value(std::max(depth, 0));
        }
    }

    std::mt19937_64 random_;
    int elements_ = 0;
};

}  // namespace

TEST_CASE("any history: blame is what comparing the states themselves gives", "[replay][blame][random]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    RandomStates states{seed};
    for (int round = 0; round < 200; ++round) {
        json state = json::object();
        BlameBook book{state};
        auto model = Marked::fresh(state, 0);
        auto happening = test::history(thing, {{"Set", state}}).front();
        for (int version = 1; version <= 40; ++version) {
            const auto next = states.next(state);
            happening.version = Version{version};
            book.enter(happening, json_diff(state, next));
            model = model.after(next, version);
            CAPTURE(round, version, state.dump(), next.dump());
            state = next;

            Versions expected;
            model.list("", expected);
            REQUIRE(versions({{thing, {}, {}, {}}, book.fields(state)}) == expected);
        }
    }
}

// ---- Against a history that is known from elsewhere

TEST_CASE("examples/history: blame names the commit that set each field of a file", "[replay][blame][example]") {
    const std::string sources = STELE_SOURCE_DIR;
    const auto aggregate = AggregateFile::load(sources + "/examples/history/aggregates/file.sql");
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    std::ifstream file{sources + "/tests/replay/data/curl-files.jsonl"};
    REQUIRE(file);
    // Of each file: each field, its value, and the commit with which it became that.
    std::map<std::string, std::map<std::string, std::pair<json, json>>> expected;
    for (std::string line; std::getline(file, line);) {
        const auto entry = json::parse(line);
        const auto& data = entry.at("data");
        auto& fields = expected[entry.at("aggregate_id")];
        const auto set = [&](const char* field, const json& value) {
            auto& [now, commit] = fields[field];
            if (!commit.is_null() && now == value) return;
            now = value;
            commit = entry.at("metadata").at("correlation_id");
        };
        const bool deleted = entry.at("type") == "FileDeleted";
        set("mode", deleted ? json{} : data.at("mode"));
        set("blob", deleted ? json{} : data.at("blob"));
        set("deleted", deleted);
        set("commit", entry.at("metadata").at("correlation_id"));

        auto [stream, event] = parse_event_line(line);
        store.append(stream, expect::any, {std::move(event)});
    }
    REQUIRE(expected.size() >= 5);

    for (const auto& [path, fields] : expected) {
        const auto blamed = blame(store, {"file", path}, aggregate);
        for (const auto& [name, known] : fields) {
            CAPTURE(path, name);
            const auto field = std::find_if(blamed.fields.begin(), blamed.fields.end(),
                                            [&](const auto& one) { return one.pointer == "/" + name; });
            REQUIRE(field != blamed.fields.end());
            REQUIRE(field->set_by);
            CHECK(field->value == known.first);
            CHECK(field->set_by->correlation_id() == known.second.get<std::string>());
        }
    }
}
