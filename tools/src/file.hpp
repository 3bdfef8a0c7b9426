// File: a file descriptor that is closed when its owner goes.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <utility>

#include <sys/types.h>

namespace stele::tool {

class File {
public:
    File() = default;
    File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)), owned_(other.owned_) {}
    File& operator=(File&& other) noexcept {
        close();
        fd_ = std::exchange(other.fd_, -1);
        owned_ = other.owned_;
        return *this;
    }
    ~File() { close(); }

    /// Not open where that fails; errno says why.
    [[nodiscard]] static File open_to_read(const std::string& path);
    /// Makes or empties it.
    [[nodiscard]] static File create(const std::string& path);
    /// Makes it or writes behind what is there.
    [[nodiscard]] static File append_to(const std::string& path);
    /// A descriptor that stays open, such as standard input.
    [[nodiscard]] static File borrowed(int fd) noexcept { return File{fd, false}; }

    /// The two ends of a pipe, to read from and to write to. Not open where that fails.
    [[nodiscard]] static std::pair<File, File> pipe();

    [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
    [[nodiscard]] int fd() const noexcept { return fd_; }
    /// read(2) that does not stop for signals: how many bytes, 0 at the end, -1 with errno.
    [[nodiscard]] ssize_t read(void* to, std::size_t size) const;
    /// To the disk: the bytes written so far survive a power cut. False with errno.
    [[nodiscard]] bool sync() const;

private:
    File(int fd, bool owned) noexcept : fd_(fd), owned_(owned) {}

    void close() noexcept;

    int fd_ = -1;
    bool owned_ = true;
};

/// Waits until `fd` can be read, or one of `others` can. Returns which: 0 is `fd`, 1 the first of the others. A
/// descriptor whose other end has gone counts as readable. Throws std::system_error.
[[nodiscard]] std::size_t wait_readable(int fd, std::initializer_list<int> others);

/// Makes a rename or a new name in the folder of `path` survive a power cut. False with errno.
[[nodiscard]] bool sync_folder_of(const std::string& path);

}  // namespace stele::tool
