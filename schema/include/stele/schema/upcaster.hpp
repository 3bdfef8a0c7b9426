// Upcasters: how events of older versions become what a program understands today.
//
// What is stored never changes (L1). An upcaster says, for one version of one event type, what its data would be in
// the next version, in one event, in several, or in none. Upcasters form chains, 1 to 2 to 3, and types can be
// renamed on the way. They are declared in a registry, EventTypes; Upcasters is the form that reads use, and the
// store applies it in one place, so that reads, projections, listeners, replay and exports all see the same.
//
// An upcaster sees one event at a time, and must give the same result whenever it is asked: a projection's rows are
// the fold of these results (P1).
#pragma once

#include <stele/schema/error.hpp>
#include <stele/schema/event.hpp>

#include <compare>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace stele {

class EventTypes;

/// A version of an event type. Written `SiteCreated v2`.
struct TypeVersion {
    std::string type;
    int version = 1;

    friend auto operator<=>(const TypeVersion&, const TypeVersion&) = default;
    friend std::ostream& operator<<(std::ostream& out, const TypeVersion& kind) {
        return out << kind.type << " v" << kind.version;
    }
};

/// One of several events that an upcaster makes of one.
struct Upcast {
    TypeVersion kind;
    nlohmann::json data;
};

/// An upcaster failed at an event, or gave what is no JSON. Code "upcast"; facts place, position, stream, type,
/// schema_version, reason.
class UpcastError : public Error {
public:
    /// "<place>: position 90112, Site/site-42 version 3, SiteCreated v1: <reason>". `place` is the file and line of
    /// the upcaster, or says which function it is; `kind` is what it was given.
    UpcastError(std::string place, const Event& stored, const TypeVersion& kind, std::string reason);

    [[nodiscard]] const std::string& place() const noexcept { return place_; }
    [[nodiscard]] Position position() const noexcept { return position_; }
    [[nodiscard]] const StreamId& stream() const noexcept { return stream_; }
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

private:
    std::string place_;
    Position position_;
    StreamId stream_;
    std::string reason_;
};

/// The upcasters and renames of a registry, ready to be applied. Immutable; any thread. Copies share one form.
class Upcasters {
public:
    /// Throws what EventTypes::check() throws. Keeps nothing of `types` itself.
    explicit Upcasters(const EventTypes& types);

    /// Whether there is nothing to apply: no upcaster, no rename.
    [[nodiscard]] bool empty() const noexcept;

    /// Every stored type of which an event of `type` may come: itself, older names, and types that are split into
    /// it. Sorted. Just `type` where no upcaster leads to it.
    [[nodiscard]] std::vector<std::string> sources_of(const std::string& type) const;

    /// Whether a read of `type` may meet an event that is changed, dropped or split: one of sources_of(type).
    [[nodiscard]] bool concerns(const std::string& type) const noexcept;
    /// Whether there is an event type that any of this applies to: an upcaster, or a renamed type.
    [[nodiscard]] bool has_types() const noexcept;

    /// The aggregate type that `name` is called today; `name` itself where it was never renamed.
    [[nodiscard]] const std::string& aggregate_today(const std::string& name) const noexcept;
    /// What the aggregate type that is called `today` was called first, before all renames; `today` itself where
    /// two types became one, and it had two first names.
    [[nodiscard]] const std::string& first_aggregate_name(const std::string& today) const noexcept;
    /// Every aggregate type that has another name today.
    [[nodiscard]] const std::vector<std::string>& renamed_aggregates() const noexcept;

    /// What of a stored event the upcasters look at, beyond its data.
    struct Uses {
        bool id = false;
        bool metadata = false;
        bool tags = false;
    };
    [[nodiscard]] Uses uses() const noexcept;

    /// Of how many events one stored event can consist at most; empty where a function decides.
    [[nodiscard]] std::optional<int> most_pieces() const noexcept;

    /// Differs where something differs that a read of `types` (all, where none are named) can give. Empty where no
    /// upcaster and no rename concerns them. Of an upcaster in C++ it sees type, version and revision alone.
    [[nodiscard]] std::string fingerprint(const std::vector<std::string>& types = {}) const;

    /// Applies upcasters to one event after another. One thread at a time; cheap to make.
    class Worker {
    public:
        explicit Worker(const Upcasters& upcasters);
        ~Worker();
        Worker(const Worker&) = delete;
        Worker& operator=(const Worker&) = delete;

        /// Puts what becomes of `stored` behind the first `filled` events of `page`, reusing the memory of those
        /// that are there, and counts them. `stored` may be left with other content. Throws UpcastError, and what
        /// is no fault of the event: out of memory. Then `stored` is as it was, and `filled` too.
        void upcast(Event& stored, std::vector<Event>& page, std::size_t& filled);

    private:
        struct State;
        std::unique_ptr<State> state_;
    };

private:
    struct Compiled;
    std::shared_ptr<Compiled> compiled_;
};

}  // namespace stele
