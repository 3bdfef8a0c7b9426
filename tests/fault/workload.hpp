// The appends that the fault tests break at every step.
#pragma once

#include "sound_log.hpp"

#include <stele/test/catch.hpp>
#include <stele/test/store.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace stele::test {

/// A store on a faulty disk, and one append to it.
struct Workload {
    std::string name;
    bool creates = false;  ///< the store is not there before: making it is part of the work
    int checkpoint_pages = 10'000;
    std::function<Append()> append;

    friend std::ostream& operator<<(std::ostream& out, const Workload& work) { return out << work.name; }
};

inline Append two_events() {
    return Append{}.to({"Order", "order-7"}, expect::any, {event("OrderShipped"), event("OrderClosed")});
}

inline Append several_streams() {
    return Append{}
        .to({"Order", "order-7"}, expect::exactly(2), {event("OrderShipped", {"order:7", "customer:c1"})})
        .to({"acme", "Site", "site-1"}, expect::none,
            {event("SiteCreated", {"plan:pro"}), event("SiteProvisioned")})
        .to({"Order", "order-8"}, expect::exists, {event("OrderClosed", {"order:8", "customer:c1"})})
        .unless(matching(types("OrderCancelled"), tags("order:7")))
        .tracking("warehouse", 42);
}

inline std::vector<Workload> workloads() {
    return {
        {"two events", false, 10'000, two_events},
        {"several streams with tags, a condition and tracking", false, 10'000, several_streams},
        {"two events, and a checkpoint behind them", false, 1, two_events},
        {"a new store, and two events", true, 10'000, two_events},
    };
}

/// The store of a workload: a new one, unless it creates it itself, holds four events in two streams.
class WorkedStore {
public:
    static constexpr std::size_t seeded = 4;

    WorkedStore(FaultyDisk& disk, const Workload& work, Durability durability = Durability::full)
        : disk_(disk), options_(on(disk)) {
        options_.checkpoint_pages = work.checkpoint_pages;
        options_.durability = durability;
        options_.deadline = std::chrono::milliseconds{200};
        if (work.creates) return;
        auto quiet = options_;
        quiet.checkpoint_pages = 10'000;
        auto store = EventStore::open(path().string(), quiet);
        seed(store, {"Order", "order-7"}, {"OrderPlaced", "OrderPaid"});
        seed(store, {"Order", "order-8"}, {"OrderPlaced", "OrderPaid"});
        before_ = seeded;
    }

    [[nodiscard]] std::filesystem::path path() const { return disk_ / "shop.stele"; }
    [[nodiscard]] std::size_t before() const { return before_; }

    void open() { store_.emplace(EventStore::open(path().string(), options_)); }
    [[nodiscard]] bool is_open() const { return store_.has_value(); }
    void close() { store_.reset(); }
    [[nodiscard]] EventStore& store() { return *store_; }

    /// Appends, opening the store first where it is not open. Empty where the disk failed: then the error must be
    /// one that names the store.
    std::optional<Appended> try_append(const Append& append) {
        try {
            if (!store_) open();
            return store_->append(append);
        } catch (const StoreError& error) {
            CHECK_THAT(std::string{error.what()}, ContainsSubstring("shop.stele"));
            return std::nullopt;
        }
    }

private:
    FaultyDisk& disk_;
    Options options_;
    std::size_t before_ = 0;
    std::optional<EventStore> store_;
};

}  // namespace stele::test
