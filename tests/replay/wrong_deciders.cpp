// Does not compile, and is not meant to: check_messages.cmake looks whether the compiler says what is missing.
// says: a fold that lists this event in `events` needs an overload for exactly this event
// says: a decider needs a name: static constexpr auto name
// says: a fold needs the type of its state: struct State
// says: a fold needs a state before the first event
// says: a fold needs events: `using events = stele::Events<SiteCreated, …>;`
// says: a decider needs an overload for this command
// says: a decision returns typed events
// says: a decider with snapshots needs the version of its State
// says: the State of a decider with snapshots needs a default constructor
// says: a part of a decision needs a query: stele::Query query() const
#include <stele/replay/decision.hpp>

namespace {

using namespace stele;

struct SiteDeleted {
    static constexpr auto type = "SiteDeleted";
    static constexpr int version = 1;
};
struct Command {};

template <class S>
struct Base {
    static constexpr auto name = "base";
    using State = S;
    using events = Events<SiteDeleted>;
    static State evolve(State state, const SiteDeleted&) { return state; }
    static std::string decide(const State&, char) { return "no event"; }
};

struct WithoutEvolve {
    static constexpr auto name = "without_evolve";
    using State = int;
    using events = Events<SiteDeleted>;
};
struct WithoutName {
    using State = int;
    static State evolve(State, const Event&);
};
struct WithoutState {
    static constexpr auto name = "without_state";
};
struct NoDefault {
    explicit NoDefault(int);
};
struct WithoutEvents {
    static constexpr auto name = "without_events";
    using State = int;
};
struct NotJson {};
struct Versioned : Base<NotJson> {
    static constexpr int version = 1;
};

}  // namespace

int main() {
    auto store = EventStore::temporary();
    Snapshots snapshots{store};
    const StreamId id{"A", "1"};
    (void)load<WithoutEvolve>(store, id);
    (void)load<WithoutName>(store, id);
    (void)fold<WithoutState>(store.read(id));
    (void)fold<Base<NoDefault>>(store.read(id));
    (void)load<WithoutEvents>(store, id);
    (void)decide<Base<int>>(1, Command{});
    (void)decide<Base<int>>(1, 'c');
    CommandHandler<Base<int>>{store}.keep_snapshots_in(snapshots);
    CommandHandler<Versioned>{store}.keep_snapshots_in(snapshots);
    (void)model(Base<int>{});
}
