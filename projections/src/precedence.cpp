#include "precedence.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <system_error>
#include <thread>
#include <utility>

namespace stele {
namespace {

// Far behind what stands in the file (ProjectionLock), which is locked as a whole, and by other means.
constexpr off_t byte_of_precedence = 1 << 30;
constexpr std::chrono::milliseconds looks_every{1};

struct flock lock_of(short type) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = byte_of_precedence;
    lock.l_len = 1;
    return lock;  // l_pid stays 0, as open file description locks require
}

}  // namespace

Precedence::Precedence(const ModelsFolder& models)
    : descriptor_(::open(models.lock().c_str(), O_RDONLY | O_CLOEXEC)) {
    // Shared with others who want something. Where there is no such file nobody has ever built the projection.
    auto lock = lock_of(F_RDLCK);
    if (descriptor_ >= 0) (void)::fcntl(descriptor_, F_OFD_SETLK, &lock);
}

Precedence::~Precedence() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

LetOthersFirst::LetOthersFirst(const ModelsFolder& models)
    : descriptor_(::open(models.lock().c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0666)) {}

LetOthersFirst::LetOthersFirst(LetOthersFirst&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

LetOthersFirst::~LetOthersFirst() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

bool LetOthersFirst::is_anybody_there() const {
    auto lock = lock_of(F_WRLCK);
    return descriptor_ >= 0 && ::fcntl(descriptor_, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

void LetOthersFirst::wait(const std::stop_token& stop) const {
    if (!is_anybody_there()) return;
    const auto deadline = std::chrono::steady_clock::now() + longest;
    while (!stop.stop_requested() && std::chrono::steady_clock::now() < deadline && is_anybody_there()) {
        std::this_thread::sleep_for(looks_every);
    }
}

}  // namespace stele
