// The store as a list: what an EventStore must answer, said again in the simplest way there is.
//
// Nothing here is taken from the store's own code, matching of queries included, so that a mistake would have to be
// made twice, in two ways, to go unseen.
#pragma once

#include <stele/store/event_store.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace stele::test {

[[nodiscard]] bool model_matches(const QueryItem& item, const Event& event);
[[nodiscard]] bool model_matches(const Query& query, const Event& event);

class Model {
public:
    /// `id_clash`: IdConflict is thrown. Else `any_of`, every answer that is right: one where the append is taken
    /// or is a repetition; where it is refused for several reasons at once, each of them.
    struct Answers {
        bool id_clash = false;
        std::vector<AppendResult> any_of;
    };

    /// What the store must answer when its clock says `time` throughout; the model takes the append as well.
    [[nodiscard]] Answers append(const Append& append, Timestamp time);

    [[nodiscard]] std::vector<Event> read(const Read& read) const;
    [[nodiscard]] const std::vector<Event>& log() const noexcept { return log_; }
    [[nodiscard]] Position head() const { return Position{static_cast<std::int64_t>(log_.size())}; }
    [[nodiscard]] std::optional<Version> version(const StreamId& stream) const;
    [[nodiscard]] Position position_at(Timestamp time) const;
    [[nodiscard]] std::optional<Tracking> tracked(const std::string& source) const;
    [[nodiscard]] std::vector<StreamInfo> streams() const;
    [[nodiscard]] std::vector<TypeInfo> types() const;

    /// The appends that were taken with their answers, oldest first: for repeating them.
    struct Taken {
        Append append;
        Appended answer;
    };
    [[nodiscard]] const std::vector<Taken>& taken() const noexcept { return taken_; }

private:
    [[nodiscard]] std::vector<AppendResult> refusals(const Append& append) const;
    Appended take(const Append& append, Timestamp time);

    std::vector<Event> log_;
    std::vector<Taken> taken_;
    std::set<EventId> ids_;
    std::map<std::string, Tracking> tracked_;
    Timestamp last_recorded_ = Timestamp::min();
};

}  // namespace stele::test
