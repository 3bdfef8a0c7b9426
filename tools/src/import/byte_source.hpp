// ByteSource: the bytes of a file or of standard input, unpacked where they are gzip.
#pragma once

#include "../file.hpp"
#include "../interrupt.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace stele::tool {

/// Thrown from a read once SIGINT or SIGTERM came or cancel() was called, also when it was waiting.
struct ReadInterrupted {};

/// Gzip is told by its first two bytes, whatever the name. Several members one behind another, as `cat a.gz b.gz`
/// makes them, are one text.
class ByteSource {
public:
    /// `path` "-" is standard input.
    /// Throws Failure: not found, or what the system says.
    ByteSource(const std::string& path, const Interrupt& interrupt);
    ~ByteSource();
    ByteSource(const ByteSource&) = delete;
    ByteSource& operator=(const ByteSource&) = delete;

    /// Up to `size` unpacked bytes; 0 at the end. Throws Failure (failed) where the file cannot be read or is
    /// broken gzip, and ReadInterrupted.
    [[nodiscard]] std::size_t read(char* to, std::size_t size);

    /// Ends the read that waits, and all to come. From any thread.
    void cancel() noexcept;

    /// For messages: the path, or "standard input".
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// Bytes of the file that were taken so far, packed ones where it is packed.
    [[nodiscard]] std::int64_t taken() const noexcept;
    /// Bytes of the file; 0 where nobody knows, as for a pipe.
    [[nodiscard]] std::int64_t size() const noexcept { return size_; }

private:
    class Gunzip;

    std::size_t read_raw();
    void fill_to(std::size_t bytes);
    [[nodiscard]] bool next_member();
    [[nodiscard]] std::size_t read_plain(char* to, std::size_t size);

    const Interrupt& interrupt_;
    std::atomic<bool> cancelled_{false};
    std::pair<File, File> cancel_pipe_;
    std::string name_;
    File file_;
    bool waits_ = false;     // a read may wait: no regular file
    std::int64_t size_ = 0;  // of the file
    std::int64_t raw_ = 0;   // bytes read from it
    std::unique_ptr<char[]> buffer_;
    std::size_t at_ = 0;      // in the buffer: the next byte to hand on
    std::size_t filled_ = 0;  // in the buffer: behind the last byte
    bool started_ = false;
    std::unique_ptr<Gunzip> gunzip_;
};

}  // namespace stele::tool
