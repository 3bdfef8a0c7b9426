#include "models_folder.hpp"

#include "database.hpp"
#include "generation_file.hpp"

#include <stele/projections/check.hpp>
#include <stele/projections/projection.hpp>
#include <stele/projections/projection_error.hpp>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <system_error>
#include <thread>

namespace stele {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view unfinished_suffix = ".new";
constexpr std::array side_files{"-wal", "-shm", "-journal"};

void sync_folder(const fs::path& folder) {
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
    const int error = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (!synced) throw fs::filesystem_error{"syncing", folder, std::error_code{error, std::generic_category()}};
}

// N of NAME.gN.db and NAME.gN.db.new.
std::optional<std::int64_t> generation_in(std::string_view file, const std::string& name) {
    const auto start = name + ".g";
    if (!file.starts_with(start)) return std::nullopt;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(file.data() + start.size(), file.data() + file.size(), number);
    const std::string_view rest{end, static_cast<std::size_t>(file.data() + file.size() - end)};
    if (error != std::errc{} || number < 1 || !rest.starts_with(".db")) return std::nullopt;
    return number;
}

// Whether a generation above the current one is there because one has gone back from it.
bool was_current(const fs::path& file, const std::string& sqlite_vfs) {
    try {
        const auto generation = read_generation(open_database(file, Access::read, sqlite_vfs, 0).get());
        return generation.kept || generation.state == "retired";
    } catch (const Error&) {
        return false;
    }
}

// What becomes of the file of a generation that is current no more. A reader of a file in WAL mode holds a shared
// lock on it as long as it has it open, and leaving WAL mode needs the lock for oneself. So where that succeeds,
// nobody has the file open, and all of the WAL is in it.
enum class Fate { goes, waits, stays };
Fate fate_of(const fs::path& file, bool keep_kept, const std::string& sqlite_vfs) {
    try {
        const auto db = open_database(file, Access::write, sqlite_vfs, 0);
        sqlite3_wal_autocheckpoint(db.get(), 0);
        const auto generation = read_generation(db.get());
        if (generation.state != "retired") {
            // A rebuild was killed between the switch and this. Somebody may still be advancing it.
            auto retired = GenerationFile::open(file, sqlite_vfs);
            WriteTransaction transaction{retired.db()};
            retired.write_state("retired");
            transaction.commit();
        }
        if (keep_kept && generation.kept) return Fate::stays;
        sql::execute(db.get(), "PRAGMA synchronous = OFF");  // it goes now, or later
        return set_journal_mode(db.get(), "memory") ? Fate::goes : Fate::waits;
    } catch (const sql::SqlError& error) {
        constexpr int primary = 0xff;
        const auto code = error.result_code() & primary;
        const bool is_damaged = !error.is_of_the_machine() || code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
        return is_damaged ? Fate::goes : Fate::waits;
    } catch (const InvalidInput&) {
        return Fate::goes;  // what it says of itself makes no sense
    }
}

}  // namespace

void remove_database(const fs::path& file) noexcept {
    std::error_code ignored;  // what stays is litter, which the next rebuild removes
    fs::remove(file, ignored);
    for (const auto* suffix : side_files) fs::remove(file.string() + suffix, ignored);
}

void make_plain(const fs::path& file, const std::string& sqlite_vfs) {
    const auto db = open_database(file, Access::write, sqlite_vfs);
    if (!set_journal_mode(db.get(), "delete"))
        throw sql::SqlError{db.get(), "leaving WAL mode in " + file.string()};
}

bool rename_if_absent(const fs::path& from, const fs::path& to) {
    // A link to a name that is taken fails, in one step; a rename would replace what has it.
    std::error_code error;
    fs::create_hard_link(from, to, error);
    if (error == std::errc::file_exists) return false;
    if (error) throw fs::filesystem_error{"naming", from, to, error};
    fs::remove(from);
    sync_folder(to.has_parent_path() ? to.parent_path() : fs::path{"."});
    return true;
}

ModelsFolder::ModelsFolder(fs::path folder, std::string_view name) : folder_(std::move(folder)), name_(name) {
    check_projection_name(name);
}

fs::path ModelsFolder::file(std::int64_t generation) const {
    return folder_ / (name_ + ".g" + std::to_string(generation) + ".db");
}

std::optional<std::int64_t> ModelsFolder::current() const {
    std::error_code error;
    const auto target = fs::read_symlink(link(), error);
    if (error == std::errc::no_such_file_or_directory) return std::nullopt;
    const auto number = error ? std::nullopt : generation_in(target.filename().string(), name_);
    if (!number) {
        throw ProjectionError{"projection_file", name_,
                              link().string() + ": expected a symbolic link to a generation, found " +
                                  (error ? "another kind of file" : target.string()) +
                                  "; move it away and rebuild"};
    }
    return number;
}

std::vector<std::int64_t> ModelsFolder::generations() const {
    std::vector<std::int64_t> found;
    if (!fs::exists(folder_)) return found;
    for (const auto& entry : fs::directory_iterator{folder_}) {
        if (const auto number = generation_in(entry.path().filename().string(), name_)) found.push_back(*number);
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

void ModelsFolder::switch_to(std::int64_t generation) const {
    const fs::path next_link = link().string() + std::string{unfinished_suffix};
    fs::remove(next_link);
    fs::create_symlink(file(generation).filename(), next_link);
    sync_folder(folder_);  // the file has its name on disk before the link does

    fs::rename(next_link, link());
    sync_folder(folder_);
}

void ModelsFolder::remove_link() const {
    fs::remove(link());
    sync_folder(folder_);
}

void ModelsFolder::remove_all() const {
    std::error_code ignored;  // what a check leaves may stay: the next one takes it for what it is
    fs::remove_all(check_folder(folder_, name_), ignored);
    for (const auto generation : generations()) discard(generation);
}

bool ModelsFolder::clean(bool keep_kept, const std::string& sqlite_vfs) const {
    const auto now_current = current();
    bool all_done = true;
    for (const auto generation : generations()) {
        if (!now_current || generation == *now_current || !fs::exists(file(generation))) continue;
        if (generation > *now_current && !was_current(file(generation), sqlite_vfs)) continue;
        const auto fate = fate_of(file(generation), keep_kept, sqlite_vfs);
        if (fate == Fate::goes) discard(generation);
        if (fate == Fate::waits) all_done = false;
    }
    return all_done;
}

void ModelsFolder::discard(std::int64_t generation) const noexcept {
    remove_database(file(generation));
    remove_database(file(generation).string() + std::string{unfinished_suffix});  // as builds were called once
}

std::vector<std::string> ModelsFolder::names(const fs::path& folder) {
    std::vector<std::string> found;
    if (!fs::exists(folder)) return found;
    for (const auto& entry : fs::directory_iterator{folder}) {
        if (entry.is_symlink() && entry.path().extension() == ".db") found.push_back(entry.path().stem().string());
    }
    std::sort(found.begin(), found.end());
    return found;
}

ProjectionLock ProjectionLock::open(const ModelsFolder& models) {
    fs::create_directories(models.folder());
    const auto file = models.lock();
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor >= 0) return ProjectionLock{descriptor};
    throw ProjectionError{
        "projection_file", models.name(),
        "opening " + file.string() + ": " + std::error_code{errno, std::generic_category()}.message()};
}

bool ProjectionLock::locks(int how, const ModelsFolder& models) const {
    if (::flock(descriptor_, how | LOCK_NB) == 0) return true;
    if (errno == EWOULDBLOCK) return false;
    throw ProjectionError{
        "projection_file", models.name(),
        "locking " + models.lock().string() + ": " + std::error_code{errno, std::generic_category()}.message()};
}

std::optional<ProjectionLock> ProjectionLock::try_take(const ModelsFolder& models) {
    auto lock = open(models);
    while (!lock.locks(LOCK_EX, models)) {
        // Where it can be shared, nobody builds: those who clean up are done in a moment.
        if (!lock.locks(LOCK_SH, models)) return std::nullopt;
        ::flock(lock.descriptor_, LOCK_UN);
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return lock;
}

std::optional<ProjectionLock> ProjectionLock::try_share(const ModelsFolder& models) {
    auto lock = open(models);
    if (!lock.locks(LOCK_SH, models)) return std::nullopt;
    return lock;
}

ProjectionLock::ProjectionLock(const ModelsFolder& models)
    : ProjectionLock([&] {
          // Whoever has just built it, or drops or switches it, is done in a moment.
          const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{1};
          for (bool again = true; again;) {
              auto lock = try_take(models);
              if (lock) return std::move(*lock);
              again = std::chrono::steady_clock::now() < give_up;
              if (again) std::this_thread::sleep_for(std::chrono::milliseconds{5});
          }
          throw ProjectionError{"projection_busy", models.name(),
                                "expected to be the only one to build or switch it, found " +
                                    models.lock().string() + " locked; try again when the other is done"};
      }()) {}

std::int64_t ProjectionLock::highest_number() const {
    std::array<char, 20> text{};
    const auto size = ::pread(descriptor_, text.data(), text.size(), 0);
    std::int64_t number = 0;
    if (size > 0) std::from_chars(text.data(), text.data() + size, number);
    return number;
}

void ProjectionLock::remember_number(std::int64_t generation) noexcept {
    std::array<char, 21> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size() - 1, generation).ptr;
    *end = '\n';  // numbers only grow: nothing of a longer one stays behind it
    if (::pwrite(descriptor_, text.data(), static_cast<std::size_t>(end - text.data()) + 1, 0) < 0) return;
}

ProjectionLock::~ProjectionLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace stele
