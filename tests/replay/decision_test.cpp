// Decisions over several tags: what was read, and nothing else, is in a decision's way. The example is the one of
// dcb.events: students subscribe to courses, which hold so many, and a student takes so many courses.
#include "sites.hpp"

#include <stele/replay/decision.hpp>

#include <atomic>
#include <barrier>
#include <map>
#include <set>
#include <thread>

namespace stele {
namespace {

struct CourseDefined {
    static constexpr auto type = "CourseDefined";
    static constexpr int version = 1;
    std::string course;
    int capacity = 0;
    [[nodiscard]] std::vector<std::string> tags() const { return {"course:" + course}; }
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(CourseDefined, course, capacity)
};
struct Subscribed {
    static constexpr auto type = "Subscribed";
    static constexpr int version = 1;
    std::string course;
    std::string student;
    [[nodiscard]] std::vector<std::string> tags() const { return {"course:" + course, "student:" + student}; }
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(Subscribed, course, student)
};
struct Unsubscribed : Subscribed {
    static constexpr auto type = "Unsubscribed";
};

struct Capacity {
    std::string course;
    using State = int;
    using events = Events<CourseDefined>;
    [[nodiscard]] Query query() const { return matching(tags("course:" + course)); }
    [[nodiscard]] static State evolve(State, const CourseDefined& defined) { return defined.capacity; }
};
struct SeatsTaken {
    std::string course;
    using State = int;
    using events = Events<Subscribed, Unsubscribed>;
    [[nodiscard]] Query query() const { return matching(tags("course:" + course)); }
    [[nodiscard]] static State evolve(State taken, const Subscribed&) { return taken + 1; }
    [[nodiscard]] static State evolve(State taken, const Unsubscribed&) { return taken - 1; }
};
struct CoursesOf {
    std::string student;
    using State = std::set<std::string>;
    using events = Events<Subscribed, Unsubscribed>;
    [[nodiscard]] Query query() const { return matching(tags("student:" + student)); }
    [[nodiscard]] static State evolve(State courses, const Subscribed& subscribed, const Envelope&) {
        courses.insert(subscribed.course);
        return courses;
    }
    [[nodiscard]] static State evolve(State courses, const Unsubscribed& unsubscribed, const Envelope&) {
        courses.erase(unsubscribed.course);
        return courses;
    }
};

struct Refused : std::runtime_error {
    using std::runtime_error::runtime_error;
};

Handled subscribe(EventStore& store, const std::string& course, const std::string& student,
                  const DecideOptions& options = {}) {
    return decide(
        store, StreamId{"Student", student}, model(Capacity{course}, SeatsTaken{course}, CoursesOf{student}),
        [&](int capacity, int taken, const std::set<std::string>& courses) -> Subscribed {
            if (taken >= capacity) throw Refused{"full"};
            if (courses.count(course) != 0) throw Refused{"twice"};
            if (courses.size() >= 5) throw Refused{"too many"};
            return {course, student};
        },
        options);
}

void define(EventStore& store, const std::string& course, int capacity) {
    store.append(StreamId{"Course", course}, expect::none, {event(CourseDefined{course, capacity})});
}

int taken_in_log(const EventStore& store, const std::string& course) {
    return fold<SeatsTaken>(store.read(Read{matching(tags("course:" + course))}));
}

Options quick() {
    Options options;
    options.durability = Durability::relaxed;
    options.deadline = std::chrono::minutes{2};
    return options;
}

TEST_CASE("the parts of a decision are read in one pass and each gets its own events", "[replay][decision]") {
    auto store = EventStore::temporary();
    define(store, "c1", 10);
    define(store, "c2", 20);
    subscribe(store, "c1", "ann");
    subscribe(store, "c1", "bob");
    subscribe(store, "c2", "ann");

    const auto known = model(Capacity{"c1"}, SeatsTaken{"c1"}, CoursesOf{"ann"}).read(store);

    CHECK(known.get<0>() == 10);
    CHECK(known.get<1>() == 2);
    CHECK(known.get<2>() == std::set<std::string>{"c1", "c2"});
    CHECK(known.head == Position{5});
    CHECK(known.query == (matching(types("CourseDefined"), tags("course:c1")) |
                          matching(types("Subscribed", "Unsubscribed"), tags("course:c1")) |
                          matching(types("Subscribed", "Unsubscribed"), tags("student:ann"))));
    CHECK(known.condition().after() == known.head);
    CHECK(known.condition().query() == known.query);
}

TEST_CASE("a decision is refused on what its parts know", "[replay][decision]") {
    auto store = EventStore::temporary();
    define(store, "c1", 1);
    CHECK(subscribe(store, "c1", "ann", {.by = "desk"}).appended->version == Version{1});
    CHECK(store.at(Position{2})->metadata.text() == R"({"actor":"desk"})");
    CHECK_THROWS_WITH(subscribe(store, "c1", "bob"), "full");
    CHECK(store.head() == Position{2});
}

TEST_CASE("what one part reads and another appends is in its way and anything else is not", "[replay][decision]") {
    auto store = EventStore::temporary();
    define(store, "c1", 10);
    define(store, "c2", 10);
    const auto with_meanwhile = [&](const auto& meanwhile) {
        bool done = false;
        return decide(store, StreamId{"Student", "ann"}, model(Capacity{"c1"}, SeatsTaken{"c1"}, CoursesOf{"ann"}),
                      [&](int, int, const std::set<std::string>&) -> Subscribed {
                          if (!std::exchange(done, true)) meanwhile();
                          return {"c1", "ann"};
                      })
            .attempts;
    };
    CHECK(with_meanwhile([&] { subscribe(store, "c2", "bob"); }) == 1);
    CHECK(with_meanwhile([&] { define(store, "c3", 5); }) == 1);
    CHECK(with_meanwhile([&] {
              store.append(StreamId{"N", "1"}, expect::any, {event("Noted").tag("course:c1")});
          }) == 1);
    CHECK(with_meanwhile([&] { subscribe(store, "c1", "bob"); }) == 2);  // the same course
    CHECK(with_meanwhile([&] { subscribe(store, "c2", "ann"); }) == 2);  // the same student
}

TEST_CASE("a decision that is overtaken each time gives up and says so", "[replay][decision]") {
    auto store = EventStore::temporary();
    define(store, "c1", 1'000);
    int n = 0;
    const auto overtaken = [&](int, int) -> Subscribed {
        subscribe(store, "c1", "other-" + std::to_string(n++));
        return {"c1", "ann"};
    };
    try {
        decide(store, StreamId{"Student", "ann"}, model(Capacity{"c1"}, SeatsTaken{"c1"}), overtaken,
               {.attempts = 6});
        FAIL("it did not give up");
    } catch (const TooManyConflicts& error) {
        CHECK(error.attempts() == 6);
        CHECK(std::holds_alternative<ConditionConflict>(error.details()));
    }
    CHECK(n == 6);
    CHECK(taken_in_log(store, "c1") == 6);
}

TEST_CASE("where nothing is decided nothing is appended, and an Append goes to several streams",
          "[replay][decision]") {
    auto store = EventStore::temporary();
    define(store, "c1", 3);
    const auto capacity = model(Capacity{"c1"});
    CHECK_FALSE(decide(store, StreamId{"S", "1"}, capacity, [](int) {}).appended);
    CHECK_FALSE(decide(store, capacity, [](int) { return Append{}; }).appended);
    const auto done = decide(store, capacity, [](int seats) {
        return Append{}
            .to(StreamId{"Student", "ann"}, expect::none, {event(Subscribed{"c1", "ann"})})
            .to(StreamId{"Student", "bob"}, expect::none, {event("Told", {{"seats", seats - 1}})});
    });
    CHECK(done.appended->versions == std::vector{Version{1}, Version{1}});
    CHECK(store.head() == Position{3});
}

// A part that takes any event of its query.
struct AnyOf {
    StreamId stream;
    using State = std::vector<std::string>;
    [[nodiscard]] Query query() const { return matching(stream); }
    [[nodiscard]] static State evolve(State types, const Event& event) {
        types.push_back(event.type);
        return types;
    }
};
TEST_CASE("a part may be a stream and take any event", "[replay][decision]") {
    auto store = EventStore::temporary();
    define(store, "c1", 3);
    subscribe(store, "c1", "ann");
    const auto known = model(AnyOf{StreamId{"Course", "c1"}}, AnyOf{StreamId{"Student", "ann"}}).read(store);
    CHECK(known.get<0>() == std::vector<std::string>{"CourseDefined"});
    CHECK(known.get<1>() == std::vector<std::string>{"Subscribed"});
}

// Goal:   no course ever holds more than its capacity, no student more than five courses, every seat is given away,
//         and nobody is refused a seat that was there.
// Method: many threads, released together, each subscribe students to all courses; afterwards the log is counted.
TEST_CASE("racing subscriptions fill each course and never overfill one", "[replay][decision][race]") {
    constexpr int threads = 16;
    constexpr int courses = 3;
    constexpr int capacity = 20;
    auto store = EventStore::temporary(quick());
    for (int c = 0; c < courses; ++c) define(store, "c" + std::to_string(c), capacity);
    std::atomic<int> full{0};
    std::atomic<int> seated{0};
    std::barrier start{threads};
    {
        std::vector<std::jthread> racers;
        for (int t = 0; t < threads; ++t) {
            racers.emplace_back([&, t] {
                start.arrive_and_wait();
                for (int n = 0; n < 8; ++n) {
                    const auto course = "c" + std::to_string((t + n) % courses);
                    try {
                        subscribe(store, course, "s" + std::to_string(t) + "-" + std::to_string(n),
                                  {.attempts = 10'000});
                        ++seated;
                    } catch (const Refused& refused) {
                        CHECK(std::string{refused.what()} == "full");
                        ++full;
                    }
                }
            });
        }
    }
    CHECK(seated == courses * capacity);
    CHECK(full == threads * 8 - courses * capacity);
    for (int c = 0; c < courses; ++c) CHECK(taken_in_log(store, "c" + std::to_string(c)) == capacity);
}

TEST_CASE("racing decisions that read nothing of each other are never in conflict", "[replay][decision][race]") {
    constexpr int threads = 16;
    auto store = EventStore::temporary(quick());
    for (int t = 0; t < threads; ++t) define(store, "c" + std::to_string(t), 100);
    std::barrier start{threads};
    std::atomic<int> attempts{0};
    {
        std::vector<std::jthread> racers;
        for (int t = 0; t < threads; ++t) {
            racers.emplace_back([&, t] {
                start.arrive_and_wait();
                for (int n = 0; n < 25; ++n)
                    attempts += subscribe(store, "c" + std::to_string(t),
                                          "s" + std::to_string(t) + "-" + std::to_string(n), {.attempts = 1})
                                    .attempts;
            });
        }
    }
    CHECK(attempts == threads * 25);
}

TEST_CASE("one student at many desks takes at most five courses", "[replay][decision][race]") {
    constexpr int threads = 8;
    auto store = EventStore::temporary(quick());
    for (int t = 0; t < threads; ++t) define(store, "c" + std::to_string(t), 100);
    std::barrier start{threads};
    {
        std::vector<std::jthread> racers;
        for (int t = 0; t < threads; ++t) {
            racers.emplace_back([&, t] {
                start.arrive_and_wait();
                CHECK_NOTHROW([&] {
                    try {
                        subscribe(store, "c" + std::to_string(t), "ann");
                    } catch (const Refused&) {
                        return;
                    }
                }());
            });
        }
    }
    CHECK(model(CoursesOf{"ann"}).read(store).get<0>().size() == 5);
}

}  // namespace
}  // namespace stele
