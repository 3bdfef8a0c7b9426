// What a store says about itself: its streams, its types, its size.
#include "contract.hpp"

#include <filesystem>

using namespace stele;
using test::Contract;

namespace {

std::vector<StreamInfo> streams_in(const EventStore& store) {
    std::vector<StreamInfo> found;
    store.streams([&](const StreamInfo& info) {
        found.push_back(info);
        return true;
    });
    return found;
}

}  // namespace

TEST_CASE_METHOD(Contract, "streams come by tenant, type and id, with where they begin and end",
                 "[contract][listing]") {
    Options options;
    const auto time = parse_rfc3339("2026-01-05T10:00:00Z");
    auto ticks = std::make_shared<int>(0);
    options.clock = [=] { return time + std::chrono::seconds{(*ticks)++}; };
    auto store = open(options);
    CHECK(streams_in(store).empty());

    const StreamId plain{"Site", "b"};
    const StreamId other_type{"Backup", "z"};
    const StreamId of_acme{"acme", "Site", "a"};
    const StreamId with_slash{"acme", "Site", "a/b"};
    for (const StreamId& stream : {of_acme, plain, with_slash, plain, other_type, of_acme, plain})
        test::seed(store, stream, {"a"});

    const auto found = streams_in(store);
    REQUIRE(found.size() == 4);
    CHECK(found[0].stream == other_type);
    CHECK(found[1].stream == plain);
    CHECK(found[2].stream == of_acme);
    CHECK(found[3].stream == with_slash);

    CHECK(found[1].version == Version{3});
    CHECK(found[1].first_position == Position{2});
    CHECK(found[1].last_position == Position{7});
    CHECK(found[1].last_recorded_at == store.at(Position{7})->recorded_at);
    CHECK(found[3].version == Version{1});
    CHECK(found[3].first_position == Position{3});
    CHECK(found[3].last_position == Position{3});
}

TEST_CASE_METHOD(Contract, "a listing of streams may end early, and its visitor may use the store",
                 "[contract][listing]") {
    Options options;
    options.durability = Durability::relaxed;
    auto store = open(options);
    constexpr int streams = 1'200;  // several pages of a listing
    Append many;
    for (int i = 0; i < streams; ++i)
        many.to(StreamId{i % 2 == 0 ? "acme" : "", "Site", std::to_string(100'000 + i)}, expect::none,
                {test::event("a")});
    store.append(many);

    std::vector<StreamId> seen;
    store.streams([&](const StreamInfo& info) {
        seen.push_back(info.stream);
        if (seen.size() % 100 == 0) {
            CHECK(store.version(info.stream) == Version{1});
            store.append(info.stream, expect::exactly(1), {test::event("b")});
        }
        return seen.size() < 1'000;
    });
    CHECK(seen.size() == 1'000);

    seen.clear();
    store.streams([&](const StreamInfo& info) {
        seen.push_back(info.stream);
        return true;
    });
    CHECK(seen.size() == streams);
    CHECK(std::is_sorted(seen.begin(), seen.end(), [](const StreamId& a, const StreamId& b) {
        return std::pair{a.tenant(), a.aggregate_id()} < std::pair{b.tenant(), b.aggregate_id()};
    }));
}

TEST_CASE_METHOD(Contract, "types come by name, counted over all streams", "[contract][listing]") {
    auto store = open();
    test::seed(store, StreamId{"Site", "1"}, {"b", "a", "b"});
    test::seed(store, StreamId{"Site", "2"}, {"B", "b", "é"});

    const auto found = store.types();
    REQUIRE(found.size() == 4);
    CHECK(found[0].type == "B");
    CHECK(found[1].type == "a");
    CHECK(found[2].type == "b");
    CHECK(found[3].type == "é");
    CHECK(found[2].count == 3);
    CHECK(found[2].first_position == Position{1});
    CHECK(found[2].last_position == Position{5});
    CHECK(found[1].count == 1);
    CHECK(found[1].first_position == Position{2});
}

TEST_CASE_METHOD(Contract, "info counts what is there", "[contract][listing]") {
    auto store = open();
    const auto empty = store.info();
    CHECK(empty.name == backend().address());
    CHECK(empty.backend == backend().name());
    CHECK(empty.format == 1);
    CHECK(empty.head == Position{0});
    CHECK(empty.streams == 0);
    CHECK(empty.types == 0);

    test::seed(store, StreamId{"Site", "1"}, {"a", "b"});
    store.append(StreamId{"Site", "2"}, expect::none, {stele::event("a", std::string(100'000, 'x'))});
    const auto info = store.info();
    CHECK(info.head == Position{3});
    CHECK(info.streams == 2);
    CHECK(info.types == 2);
    CHECK(info.bytes >= empty.bytes + 100'000);
}

TEST_CASE("a temporary store is gone with its object", "[contract][open]") {
    std::string folder;
    {
        auto store = EventStore::temporary();
        folder = store.name();
        test::seed(store, StreamId{"Site", "1"}, {"a"});
        CHECK(std::filesystem::exists(folder));
        auto moved = std::move(store);
        CHECK(test::types_in(moved) == std::vector<std::string>{"a"});
    }
    CHECK_FALSE(std::filesystem::exists(folder));
}
