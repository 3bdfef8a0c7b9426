#include "check_folder.hpp"

#include "models_folder.hpp"

#include <stele/projections/check.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace stele {
namespace fs = std::filesystem;
namespace {

// Whether `descriptor` is still what the name leads to: another check that ended just now may have removed it.
bool leads_to(const fs::path& folder, int descriptor) {
    struct stat named {};
    struct stat open {};
    return ::stat(folder.c_str(), &named) == 0 && ::fstat(descriptor, &open) == 0 && named.st_ino == open.st_ino;
}

}  // namespace

fs::path check_folder(const fs::path& models, std::string_view name) {
    check_projection_name(name);
    return models / (std::string{name} + ".check");
}

CheckFolder::CheckFolder(const ModelsFolder& models) : folder_(check_folder(models.folder(), models.name())) {
    for (;;) {
        fs::create_directories(folder_);
        descriptor_ = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const bool locked = descriptor_ >= 0 && ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
        const int error = errno;
        if (locked && leads_to(folder_, descriptor_)) break;
        if (descriptor_ >= 0) ::close(descriptor_);
        if (locked || error == ENOENT) continue;
        if (error != EWOULDBLOCK) {
            throw fs::filesystem_error{"locking", folder_, std::error_code{error, std::generic_category()}};
        }
        throw ProjectionError{"projection_busy", models.name(),
                              "expected to be the only check of it, found " + folder_.string() +
                                  " locked; try again when the other is done"};
    }
    discard(fresh());
}

CheckFolder::~CheckFolder() {
    discard(fresh());
    std::error_code not_empty;
    fs::remove(folder_, not_empty);
    ::close(descriptor_);
}

void CheckFolder::discard_copy() const noexcept { discard(copy()); }

void CheckFolder::discard(const fs::path& file) const noexcept { remove_database(file); }

}  // namespace stele
