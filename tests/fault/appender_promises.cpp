#include "appender.hpp"

#include <stele/test/catch.hpp>

#include <sstream>

namespace stele::test {

Process start_appender(const std::filesystem::path& store, const AppenderPlan& plan, const std::string& disk) {
    return Process{{STELE_FAULT_APPENDER, store.string(), plan.name, std::to_string(plan.threads),
                    std::to_string(plan.appends), std::to_string(plan.seed), plan.relaxed ? "relaxed" : "full",
                    std::to_string(plan.checkpoint_pages), std::to_string(plan.deadline.count())},
                   {{"STELE_TEST_DISK", disk}}};
}

void Promises::note(const std::string& line) {
    std::istringstream in{line};
    std::string what;
    std::string writer;
    int n = 0;
    in >> what;
    if (what == "open") return;
    in >> writer >> n;
    if (what == "busy") {
        ++busy_;
        return;
    }
    std::int64_t position = 0;
    in >> position;
    CAPTURE(line);
    REQUIRE((in && what == "ack"));
    Writer& known = writers_[writer];
    CHECK(n == known.acknowledged);
    known.positions.push_back(position);
    ++known.acknowledged;
    ++acknowledged_;
}

void Promises::note_rest(Process& appender) {
    while (const auto line = appender.read_line()) note(*line);
}

void Promises::check(const std::vector<Event>& events) const {
    std::map<std::string, int> next;  // the append of each writer that must come now
    for (std::size_t at = 0; at < events.size();) {
        const auto first = events[at].data.value();
        const auto writer = first.at("writer").get<std::string>();
        const int n = first.at("n").get<int>();
        const int parts = first.at("parts").get<int>();
        CAPTURE(at, writer, n, parts);

        REQUIRE(n == next[writer]++);
        if (const auto known = writers_.find(writer); known != writers_.end() && n < known->second.acknowledged) {
            CHECK(events[at].position.value() == known->second.positions[static_cast<std::size_t>(n)]);
        }
        for (int part = 0; part < parts; ++part, ++at) {  // L4: the others stand right behind it
            REQUIRE(at < events.size());
            const auto data = events[at].data.value();
            REQUIRE((data.at("writer") == writer && data.at("n") == n && data.at("part") == part));
        }
    }
    for (const auto& [writer, known] : writers_) {
        CAPTURE(writer, known.acknowledged, next[writer]);
        CHECK((next[writer] == known.acknowledged || next[writer] == known.acknowledged + 1));
    }
}

}  // namespace stele::test
