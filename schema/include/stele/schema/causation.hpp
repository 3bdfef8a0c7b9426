// CausationScope: what is appended while an event is being handled says that this event caused it.
//
//     void on_backup_failed(const Event& event, EventStore& store) {
//         const CausationScope scope{event};
//         store.append(mail, expect::any, {stele::event("MailRequested", {…})});   // caused by `event`
//     }
//
// Listeners need not write it: Stele makes a scope around every call of a handler.
//
// Within a scope, each event that is appended gets in its metadata, where these have none yet:
//
//   causation_id    the id of the event that is handled
//   correlation_id  its correlation_id; where it has none, its id: it is then the first of what belongs together
//
// So all that follows from one request has one correlation_id, and the causation_ids are the edges of a tree;
// `stele trace` draws it (see replay/trace.hpp).
//
// The same object that is appended again in the scope of the same event gets the same metadata, so that it is
// recognised as a repetition (L6). One that was appended within a scope and is appended again outside of it is not
// the same content any more, and is refused as such.
#pragma once

#include <stele/schema/event.hpp>

#include <optional>
#include <string>

namespace stele {

/// Scopes nest: the innermost counts, and the one around it counts again afterwards. Each belongs to the thread
/// that made it, and is left by that thread. Cost: two words; the event is looked at when something is appended.
class CausationScope {
public:
    /// `cause` must stay, unchanged, as long as the scope.
    explicit CausationScope(const Event& cause) noexcept;
    ~CausationScope();
    CausationScope(const CausationScope&) = delete;
    CausationScope& operator=(const CausationScope&) = delete;

    /// The innermost scope of this thread; null outside of all.
    [[nodiscard]] static CausationScope* current() noexcept;

    /// Gives `event` what it has none of. Leaves metadata that is no object as it is.
    void complete(NewEvent& event);

private:
    struct Ids {
        std::string causation;
        std::string correlation;
    };
    const Event& cause_;
    CausationScope* outer_;
    std::optional<Ids> ids_;  ///< of the cause, read when they are first needed
};

}  // namespace stele
