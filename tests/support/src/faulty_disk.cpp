#include <stele/test/faulty_disk.hpp>
#include <stele/test/temporary_folder.hpp>

#include "disk_vfs.hpp"
#include "durable_files.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

namespace fs = std::filesystem;

namespace stele::test {

namespace {

struct OpName {
    Op op;
    const char* name;
    int natural_failure;
};

constexpr std::array op_names{
    OpName{Op::open, "open", SQLITE_CANTOPEN},
    OpName{Op::read, "read", SQLITE_IOERR_READ},
    OpName{Op::write, "write", SQLITE_IOERR_WRITE},
    OpName{Op::sync, "sync", SQLITE_IOERR_FSYNC},
    OpName{Op::truncate, "truncate", SQLITE_IOERR_TRUNCATE},
    OpName{Op::remove, "remove", SQLITE_IOERR_DELETE},
    OpName{Op::shm_map, "shm_map", SQLITE_IOERR_SHMMAP},
    OpName{Op::lock, "lock", SQLITE_IOERR_LOCK},
};

int natural_failure(Op op) {
    for (const OpName& known : op_names) {
        if (known.op == op) return known.natural_failure;
    }
    return SQLITE_IOERR;
}

}  // namespace

struct FaultyDisk::Pause::Hold {
    bool reached = false;
    bool released = false;
};

// Plans are looked at under the lock, at each operation, in the order in which they were made.
struct FaultyDisk::Impl final : DiskOwner {
    struct Plan {
        When when;
        std::function<std::optional<Verdict>(Lock&)> act;  // empty: the operation goes on to the next plan
        bool for_good = false;
        int count = 0;
    };

    explicit Impl(const Setup& setup)
        : models_power(setup.models_power),
          own_folder(setup.root.empty() ? std::make_unique<TemporaryFolder>(memory()) : nullptr),
          root(fs::canonical(own_folder ? own_folder->path() : setup.root)),
          vfs(*this, setup.is_default) {}

    mutable std::mutex mutex;
    std::condition_variable moved;  // a pause was reached or released, or the disk was healed
    const bool models_power;
    const std::unique_ptr<TemporaryFolder> own_folder;
    const fs::path root;

    std::vector<std::shared_ptr<Plan>> plans;
    std::vector<std::shared_ptr<Pause::Hold>> holds;
    std::map<std::pair<std::string, Op>, int> seen;
    std::optional<std::int64_t> space;
    bool hit = false;
    bool power_is_off = false;
    int open_handles = 0;
    DurableFiles files;
    DiskVfs vfs;  // last: SQLite knows the disk only once all else is there

    Lock lock() override { return Lock{mutex}; }
    [[nodiscard]] bool off(const Lock&) const override { return power_is_off; }
    void handles(int change) override { open_handles += change; }
    DurableFiles* durable() override { return models_power ? &files : nullptr; }
    void freed(std::int64_t bytes) override {
        if (space) *space += bytes;
    }

    Verdict before(Lock& lock, Op op, std::string_view path, std::int64_t grows) override {
        if (power_is_off) return {.code = natural_failure(op)};
        ++seen[{std::string{path}, op}];
        const Verdict verdict = ask_plans(lock, op, path);
        if (verdict.code != SQLITE_OK) return verdict;
        return op == Op::write ? take_space(grows) : verdict;
    }

    Verdict ask_plans(Lock& lock, Op op, std::string_view path) {
        std::vector<std::shared_ptr<Plan>> due;  // a plan that waits gives up the lock, and `plans` may change
        for (const auto& plan : plans) {
            if (!(plan->when.op & op) || !path.ends_with(plan->when.file)) continue;
            ++plan->count;
            if (plan->count == plan->when.nth || (plan->for_good && plan->count > plan->when.nth)) {
                due.push_back(plan);
            }
        }
        for (const auto& plan : due) {
            auto verdict = plan->act(lock);
            if (power_is_off && !verdict) return {.code = natural_failure(op)};
            if (!verdict) continue;
            hit = true;
            if (verdict->code == SQLITE_OK) verdict->code = natural_failure(op);
            return *verdict;
        }
        return {};
    }

    // A disk with too little room takes the bytes that fit.
    Verdict take_space(std::int64_t grows) {
        if (!space || grows == 0) return {};
        if (grows <= *space) {
            *space -= grows;
            return {};
        }
        hit = true;
        return {.code = SQLITE_FULL, .written = std::exchange(*space, 0)};
    }

    void plan(const When& when, bool for_good, std::function<std::optional<Verdict>(Lock&)> act) {
        const std::lock_guard guard{mutex};
        plans.push_back(std::make_shared<Plan>(Plan{when, std::move(act), for_good}));
    }

    void forget_plans() {
        plans.clear();
        for (const auto& hold : std::exchange(holds, {})) hold->released = true;
        hit = false;
        space.reset();
        moved.notify_all();
    }

    void require_closed(const char* what) const {
        if (open_handles == 0) return;
        throw std::logic_error{std::string{"FaultyDisk: "} + what + " while " + std::to_string(open_handles) +
                               " files are open; close every database first"};
    }
};

FaultyDisk::FaultyDisk() : FaultyDisk(Setup{}) {}
FaultyDisk::FaultyDisk(const Setup& setup) : impl_(std::make_unique<Impl>(setup)) {}

FaultyDisk::~FaultyDisk() {
    if (impl_->open_handles != 0) std::abort();  // they would call a VFS that is gone
}

const std::string& FaultyDisk::vfs() const noexcept { return impl_->vfs.name(); }
const fs::path& FaultyDisk::folder() const noexcept { return impl_->root; }

void FaultyDisk::fail(When when, Failure how) {
    impl_->plan(when, how.for_good, [how](DiskOwner::Lock&) {
        return Verdict{how.code, static_cast<std::int64_t>(how.written), how.forgets};
    });
}

void FaultyDisk::cut_power(When when, std::size_t written) {
    impl_->plan(when, false, [impl = impl_.get(), written](DiskOwner::Lock&) {
        impl->power_is_off = true;  // the bytes that the verdict lets through come before it
        impl->moved.notify_all();
        return Verdict{SQLITE_OK, static_cast<std::int64_t>(written), false};
    });
}

void FaultyDisk::kill_process(When when) {
    impl_->plan(when, false, [](DiskOwner::Lock&) -> std::optional<Verdict> {
        ::kill(::getpid(), SIGKILL);
        for (;;) ::pause();
    });
}

void FaultyDisk::stop_process(When when) {
    impl_->plan(when, false, [](DiskOwner::Lock&) -> std::optional<Verdict> {
        ::raise(SIGSTOP);  // at this thread: it must not get past this operation first
        return std::nullopt;
    });
}

FaultyDisk::Pause FaultyDisk::pause(When when) {
    auto hold = std::make_shared<Pause::Hold>();
    {
        const auto lock = impl_->lock();
        impl_->holds.push_back(hold);
    }
    impl_->plan(when, false, [impl = impl_.get(), hold](DiskOwner::Lock& lock) -> std::optional<Verdict> {
        hold->reached = true;
        impl->moved.notify_all();
        impl->moved.wait(lock, [&] { return hold->released || impl->power_is_off; });
        return std::nullopt;
    });
    return Pause{*this, std::move(hold)};
}

void FaultyDisk::heal() {
    const auto lock = impl_->lock();
    impl_->forget_plans();
}

bool FaultyDisk::hit() const {
    const auto lock = impl_->lock();
    return impl_->hit;
}

int FaultyDisk::seen(Op ops, std::string_view file) const {
    const auto lock = impl_->lock();
    int count = 0;
    for (const auto& [what, times] : impl_->seen) {
        if ((what.second & ops) && what.first.ends_with(file)) count += times;
    }
    return count;
}

void FaultyDisk::limit_space(std::optional<std::int64_t> bytes) {
    const auto lock = impl_->lock();
    impl_->space = bytes;
}

void FaultyDisk::cut_power() {
    const auto lock = impl_->lock();
    impl_->power_is_off = true;
    impl_->moved.notify_all();
}

bool FaultyDisk::is_off() const {
    const auto lock = impl_->lock();
    return impl_->power_is_off;
}

void FaultyDisk::power_on(Unsynced unsynced, std::uint64_t seed) {
    const auto lock = impl_->lock();
    impl_->require_closed("power_on()");
    impl_->files.survivors_to(impl_->root, impl_->root, unsynced, seed);
    impl_->files.forget_all();
    impl_->power_is_off = false;
    impl_->forget_plans();
}

void FaultyDisk::survivors_to(const fs::path& target, Unsynced unsynced, std::uint64_t seed) const {
    const auto lock = impl_->lock();
    impl_->files.survivors_to(impl_->root, target, unsynced, seed);
}

void FaultyDisk::settle() {
    const auto lock = impl_->lock();
    impl_->files.settle();
}

FaultyDisk::Pause::Pause(FaultyDisk& disk, std::shared_ptr<Hold> hold) : disk_(&disk), hold_(std::move(hold)) {}
FaultyDisk::Pause::Pause(Pause&&) noexcept = default;

FaultyDisk::Pause::~Pause() {
    if (hold_ != nullptr) release();
}

bool FaultyDisk::Pause::reached(std::chrono::milliseconds timeout) const {
    auto lock = disk_->impl_->lock();
    return disk_->impl_->moved.wait_for(lock, timeout, [&] { return hold_->reached; });
}

void FaultyDisk::Pause::release() {
    const auto lock = disk_->impl_->lock();
    hold_->released = true;
    disk_->impl_->moved.notify_all();
}

// ---- The disk of a helper process

namespace {

std::string at(const char* action, const When& when) {
    std::string kinds;
    for (const OpName& known : op_names) {
        if (when.op & known.op) kinds += (kinds.empty() ? "" : "|") + std::string{known.name};
    }
    return std::string{action} + " " + kinds + " " + std::to_string(when.nth) + " " + when.file;
}

Op parse_kinds(std::string_view kinds) {
    if (kinds == "changes") return changes;
    unsigned ops = 0;
    while (!kinds.empty()) {
        const std::string_view kind = kinds.substr(0, kinds.find('|'));
        kinds.remove_prefix(std::min(kinds.size(), kind.size() + 1));
        bool known_kind = false;
        for (const OpName& known : op_names) {
            if (kind != known.name) continue;
            ops |= static_cast<unsigned>(known.op);
            known_kind = true;
        }
        if (!known_kind) {
            throw std::invalid_argument{"STELE_TEST_DISK: expected a kind of operation, found \"" +
                                        std::string{kind} + "\""};
        }
    }
    return static_cast<Op>(ops);
}

}  // namespace

std::string kill_at(const When& when) { return at("kill", when); }
std::string stop_at(const When& when) { return at("stop", when); }

std::string on_sound_disk() { return "sound"; }

std::unique_ptr<FaultyDisk> disk_from_environment() {
    const char* value = std::getenv("STELE_TEST_DISK");
    if (value == nullptr) return nullptr;
    std::istringstream in{value};
    std::string action;
    std::string kinds;
    When when{.op = changes, .nth = 0, .file = {}};
    in >> action;
    if (action == "kill" || action == "stop") {
        in >> kinds >> when.nth >> when.file;
    } else if (action != "sound") {
        kinds.clear();
    }
    const bool understood = action == "sound" || (!kinds.empty() && when.nth > 0);
    if (!understood) {
        throw std::invalid_argument{
            "STELE_TEST_DISK: expected \"sound\" or \"kill|stop KINDS N [FILE]\", found \"" + std::string{value} +
            "\""};
    }
    when.op = parse_kinds(kinds);
    auto disk = std::make_unique<FaultyDisk>(
        FaultyDisk::Setup{.models_power = false, .is_default = true, .root = std::filesystem::current_path()});
    if (action == "kill") disk->kill_process(when);
    if (action == "stop") disk->stop_process(when);
    return disk;
}

}  // namespace stele::test
