#include "file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

namespace stele::tool {
namespace {

int open_file(const std::string& path, int flags) {
    int fd = -1;
    do fd = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
    while (fd < 0 && errno == EINTR);
    return fd;
}

}  // namespace

void File::close() noexcept {
    if (owned_ && fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

File File::open_to_read(const std::string& path) { return File{open_file(path, O_RDONLY), true}; }
File File::create(const std::string& path) { return File{open_file(path, O_WRONLY | O_CREAT | O_TRUNC), true}; }
File File::append_to(const std::string& path) { return File{open_file(path, O_WRONLY | O_CREAT | O_APPEND), true}; }

std::pair<File, File> File::pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
    return {File{ends[0], true}, File{ends[1], true}};
}

ssize_t File::read(void* to, std::size_t size) const {
    ssize_t got = 0;
    do got = ::read(fd_, to, size);
    while (got < 0 && errno == EINTR);
    return got;
}

bool File::sync() const { return ::fsync(fd_) == 0; }

std::size_t wait_readable(int fd, std::initializer_list<int> others) {
    std::vector<pollfd> fds{{fd, POLLIN, 0}};
    for (const int other : others) fds.push_back({other, POLLIN, 0});
    while (::poll(fds.data(), fds.size(), -1) < 0) {
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
    }
    // A reason to stop goes before something to read: a busy pipe must not hide it.
    for (std::size_t i = fds.size(); i-- > 1;)
        if (fds[i].revents != 0) return i;
    return 0;
}

bool sync_folder_of(const std::string& path) {
    const auto folder = std::filesystem::absolute(path).parent_path();
    const File file = File::open_to_read(folder.string());
    return file.is_open() && file.sync();
}

}  // namespace stele::tool
