#include <stele/replay/fold.hpp>
#include <stele/store/event_range.hpp>

#include "history.hpp"

#include <range/v3/view/filter.hpp>
#include <range/v3/view/take_while.hpp>

#include <memory>

using namespace stele;
using test::history;

namespace {

struct Account {
    int balance = 0;
    std::vector<std::string> seen;
};

Account apply(Account account, const Event& event) {
    const auto amount = event.data.value().value("amount", 0);
    account.balance += event.type == "Deposited" ? amount : -amount;
    account.seen.push_back(event.type);
    return account;
}

std::vector<Event> some_events() {
    return history(
        {"Account", "7"},
        {{"Deposited", {{"amount", 100}}}, {"Withdrawn", {{"amount", 30}}}, {"Deposited", {{"amount", 5}}}});
}

// Pages of two, as a store would hand them out.
class Pages final : public detail::PageSource {
public:
    explicit Pages(std::vector<Event> events) : events_(std::move(events)) {}
    std::size_t next(std::vector<Event>& page) override {
        page.clear();
        while (at_ < events_.size() && page.size() < 2) page.push_back(events_[at_++]);
        return page.size();
    }

private:
    std::vector<Event> events_;
    std::size_t at_ = 0;
};

EventRange read(std::vector<Event> events) { return EventRange{std::make_unique<Pages>(std::move(events))}; }

bool is_deposit(const Event& event) { return event.type == "Deposited"; }

}  // namespace

TEST_CASE("fold takes events in, in order, beginning with the state given", "[replay][fold]") {
    const auto account = fold(some_events(), Account{1, {}}, apply);
    CHECK(account.balance == 76);
    CHECK(account.seen == std::vector<std::string>{"Deposited", "Withdrawn", "Deposited"});
}

TEST_CASE("folding no events gives the state given", "[replay][fold]") {
    CHECK(fold(std::vector<Event>{}, Account{1, {}}, apply).balance == 1);
}

TEST_CASE("fold takes a read as it comes from the store", "[replay][fold]") {
    CHECK(fold(read(some_events()), Account{}, apply).balance == 75);
}

TEST_CASE("fold takes a range-v3 pipeline over a read", "[replay][fold]") {
    CHECK(fold(read(some_events()) | ranges::views::filter(is_deposit), Account{}, apply).balance == 105);
    CHECK(fold(read(some_events()) | ranges::views::take_while(is_deposit), Account{}, apply).balance == 100);
}

TEST_CASE("fold moves the state along, so a state need not be copyable", "[replay][fold]") {
    auto count = [](std::unique_ptr<int> sum, const Event&) {
        ++*sum;
        return sum;
    };
    CHECK(*fold(some_events(), std::make_unique<int>(0), count) == 3);
}
