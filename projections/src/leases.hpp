// Leases: who may do what only one may do at a time, over all processes that have a store open.
//
// A lease has a name ("projection/tenant_stats"), an owner, and a token. The token rises whenever the lease changes
// hands. Whoever does what the lease is about writes the token beside it, in the same transaction, and only where
// no higher one stands there: so an owner that was replaced without noticing (it was stopped, it swapped, it waited
// for a disk) cannot write any more. That is what keeps data right; everything else here only finds out quickly.
//
// Whether an owner is alive is a lock of the operating system, on a byte of the file control.lock that is its own:
// the kernel lets go of it when the process ends, however it ends. So nobody has to say again and again that he is
// alive, and an idle store writes nothing.
#pragma once

#include "control_db.hpp"

#include <stele/schema/time.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace stele {

/// Somebody who can own leases, alive as long as this object and its process. (And as long as a child of fork()
/// that does not exec(): it shares the lock.)
class Member {
public:
    /// `folder` is the store's. `label` is what people read: "stele run, process 4711". Makes control.lock where
    /// there is none. Throws StoreError "control_file".
    Member(const std::filesystem::path& folder, std::string label);
    ~Member();
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

    /// Above 0, and no other member's, also not of one that is gone.
    [[nodiscard]] std::int64_t number() const noexcept { return number_; }
    [[nodiscard]] const std::string& label() const noexcept { return label_; }

    /// Whether the member with this number is alive. Writes nothing.
    [[nodiscard]] bool sees(std::int64_t number) const;
    /// The same, for those who are no members.
    [[nodiscard]] static bool is_alive(const std::filesystem::path& folder, std::int64_t number);

private:
    std::string label_;
    int descriptor_;
    std::int64_t number_;
};

/// Who has a lease.
struct LeaseHolder {
    std::int64_t owner = 0;  ///< Member::number(); 0: nobody
    std::string label;
    std::int64_t token = 0;
    Timestamp since{};
};

/// Threads  any may call any member.
class Leases {
public:
    /// Both stay longer.
    Leases(ControlDb& control, const Member& member) : control_(control), member_(member) {}

    /// Takes the lease where nobody has it, its owner is dead, or it is ours; gives the token. Empty where somebody
    /// else has it who is alive: then nothing is written. A new token is greater than `above`, which is the one
    /// that stands beside the data, so that the data can be advanced even where control.db was lost.
    [[nodiscard]] std::optional<std::int64_t> take(std::string_view name, std::int64_t above = 0);

    /// Takes it from an owner who is alive and hangs: only if the token is still `token`.
    [[nodiscard]] std::optional<std::int64_t> seize(std::string_view name, std::int64_t token);

    /// Whether it is still ours, with this token.
    [[nodiscard]] bool holds(std::string_view name, std::int64_t token);

    /// Gives it back, if it is still ours.
    void release(std::string_view name, std::int64_t token);

    /// Who has it; empty where nobody ever had. Whether he is alive, Member::sees() tells.
    [[nodiscard]] static std::optional<LeaseHolder> holder(ControlDb& control, std::string_view name);

private:
    std::optional<std::int64_t> change_hands(std::string_view name, std::int64_t expected, std::int64_t above);

    ControlDb& control_;
    const Member& member_;
};

}  // namespace stele
