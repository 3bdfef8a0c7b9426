#include "leases.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <random>
#include <system_error>

namespace stele {
namespace {

namespace fs = std::filesystem;

fs::path lock_file(const fs::path& folder) { return folder / "control.lock"; }

struct flock byte_lock(std::int64_t number) {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = number;
    lock.l_len = 1;
    return lock;  // l_pid stays 0, as open file description locks require
}

StoreError lock_error(const fs::path& folder, int error) {
    return StoreError{"control_file",
                      lock_file(folder).string() +
                          ": cannot be locked: " + std::error_code{error, std::generic_category()}.message(),
                      {{"path", lock_file(folder).string()}}};
}

// Whether somebody else has the byte locked.
bool is_locked(int descriptor, const fs::path& folder, std::int64_t number) {
    auto lock = byte_lock(number);
    if (::fcntl(descriptor, F_OFD_GETLK, &lock) != 0) throw lock_error(folder, errno);
    return lock.l_type != F_UNLCK;
}

// Drawn, not counted: two members that draw the same are as likely as two events with the same id, and then the
// lock on the byte tells them apart.
std::int64_t draw_number() {
    std::random_device device;
    std::uniform_int_distribution<std::int64_t> any{1, std::numeric_limits<std::int64_t>::max() - 1};
    return any(device);
}

}  // namespace

Member::Member(const fs::path& folder, std::string label)
    : label_(std::move(label)),
      descriptor_(::open(lock_file(folder).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)),
      number_(draw_number()) {
    if (descriptor_ < 0) throw lock_error(folder, errno);
    // Locks of an open file description, not of the process: two runners of one process are two members.
    for (auto lock = byte_lock(number_); ::fcntl(descriptor_, F_OFD_SETLK, &lock) != 0; lock = byte_lock(number_)) {
        const int error = errno;
        if (error != EAGAIN && error != EACCES) {
            ::close(descriptor_);
            throw lock_error(folder, error);
        }
        number_ = draw_number();
    }
}

Member::~Member() { ::close(descriptor_); }

bool Member::sees(std::int64_t number) const {
    return number == number_ || (number > 0 && is_locked(descriptor_, "", number));
}

bool Member::is_alive(const fs::path& folder, std::int64_t number) {
    if (number <= 0) return false;
    const int descriptor = ::open(lock_file(folder).c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    struct Close {
        int descriptor;
        ~Close() { ::close(descriptor); }
    } const close{descriptor};
    return is_locked(descriptor, folder, number);
}

std::optional<std::int64_t> Leases::take(std::string_view name, std::int64_t above) {
    const auto found = holder(control_, name);
    if (found && found->owner == member_.number() && found->token > above) return found->token;
    if (found && found->owner != member_.number() && member_.sees(found->owner)) return std::nullopt;
    return change_hands(name, found ? found->token : 0, above);
}

std::optional<std::int64_t> Leases::seize(std::string_view name, std::int64_t token) {
    return change_hands(name, token, token);
}

// Between the look and the transaction another contender may have been quicker: then the token is another one.
std::optional<std::int64_t> Leases::change_hands(std::string_view name, std::int64_t expected, std::int64_t above) {
    return control_.write(ControlDb::Sync::full, [&](sqlite3* db) -> std::optional<std::int64_t> {
        sql::Statement current{db, "SELECT token FROM leases WHERE name = ?1"};
        current.bind(1, name);
        const auto token = current.step() ? current.integer(0) : 0;
        current.reset();
        if (token != expected) return std::nullopt;

        const auto next = std::max(token, above) + 1;
        const auto since = to_rfc3339(now());
        sql::Statement take{db,
                            "INSERT INTO leases (name, owner, label, token, since) VALUES (?1, ?2, ?3, ?4, ?5) ON "
                            "CONFLICT (name) DO "
                            "UPDATE SET owner = excluded.owner, label = excluded.label, token = excluded.token, "
                            "since = excluded.since"};
        take.bind(1, name);
        take.bind(2, member_.number());
        take.bind(3, member_.label());
        take.bind(4, next);
        take.bind(5, since);
        take.run();
        return next;
    });
}

bool Leases::holds(std::string_view name, std::int64_t token) {
    const auto found = holder(control_, name);
    return found && found->owner == member_.number() && found->token == token;
}

void Leases::release(std::string_view name, std::int64_t token) {
    control_.write(ControlDb::Sync::full, [&](sqlite3* db) {
        sql::Statement free{
            db, "UPDATE leases SET owner = 0, label = '' WHERE name = ?1 AND owner = ?2 AND token = ?3"};
        free.bind(1, name);
        free.bind(2, member_.number());
        free.bind(3, token);
        free.run();
    });
}

std::optional<LeaseHolder> Leases::holder(ControlDb& control, std::string_view name) {
    return control.read([&](sqlite3* db) -> std::optional<LeaseHolder> {
        sql::Statement row{db, "SELECT owner, label, token, since FROM leases WHERE name = ?1"};
        row.bind(1, name);
        if (!row.step()) return std::nullopt;
        LeaseHolder found;
        found.owner = row.integer(0);
        found.label = row.text(1);
        found.token = row.integer(2);
        found.since = parse_rfc3339(row.text(3), "since");
        return found;
    });
}

}  // namespace stele
