#include "byte_source.hpp"

#include "../failure.hpp"

#include <zlib.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace stele::tool {
namespace {

constexpr std::size_t read_buffer_bytes = std::size_t{256} << 10;

bool is_gzip(const char* bytes, std::size_t size) { return size >= 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b'; }

Failure broken(const std::string& name, const std::string& what) {
    return Failure{Exit::failed, "source", name + ": " + what, {{"file", name}}};
}

File open_source(const std::string& path) {
    if (path == "-") return File::borrowed(STDIN_FILENO);
    File file = File::open_to_read(path);
    if (file.is_open()) return file;
    if (errno == ENOENT) throw Failure{Exit::not_found, "not_found", path + ": no such file", {{"file", path}}};
    throw broken(path, std::strerror(errno));
}

}  // namespace

class ByteSource::Gunzip {
public:
    explicit Gunzip(std::string name) : name_(std::move(name)) {
        constexpr int gzip_only = 16;
        if (inflateInit2(&stream_, MAX_WBITS + gzip_only) != Z_OK) throw std::bad_alloc{};
    }
    ~Gunzip() { inflateEnd(&stream_); }
    Gunzip(const Gunzip&) = delete;
    Gunzip& operator=(const Gunzip&) = delete;

    struct Step {
        std::size_t in;   ///< packed bytes used
        std::size_t out;  ///< unpacked bytes made
    };
    [[nodiscard]] Step inflate(char* in, std::size_t in_size, char* out, std::size_t out_size) {
        stream_.next_in = reinterpret_cast<Bytef*>(in);
        stream_.avail_in = static_cast<uInt>(in_size);
        stream_.next_out = reinterpret_cast<Bytef*>(out);
        stream_.avail_out = static_cast<uInt>(out_size);
        const int result = ::inflate(&stream_, Z_NO_FLUSH);
        // Z_BUF_ERROR: no progress without more input, which is the caller's to get.
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
            throw broken(name_, std::string("the gzip data are damaged") +
                                    (stream_.msg != nullptr ? std::string(": ") + stream_.msg : std::string{}));
        between_members_ = result == Z_STREAM_END;
        return {in_size - stream_.avail_in, out_size - stream_.avail_out};
    }

    /// Whether a member has ended and no other has begun.
    [[nodiscard]] bool between_members() const noexcept { return between_members_; }
    void begin_member() {
        inflateReset(&stream_);
        between_members_ = false;
    }

private:
    std::string name_;
    z_stream stream_{};
    bool between_members_ = false;
};

ByteSource::ByteSource(const std::string& path, const Interrupt& interrupt)
    : interrupt_(interrupt),
      cancel_pipe_(File::pipe()),
      name_(path == "-" ? "standard input" : path),
      file_(open_source(path)),
      buffer_(std::make_unique<char[]>(read_buffer_bytes)) {
    struct stat about {};
    if (!cancel_pipe_.first.is_open()) throw broken(name_, std::strerror(errno));
    if (::fstat(file_.fd(), &about) != 0) throw broken(name_, std::strerror(errno));
    if (S_ISDIR(about.st_mode)) throw broken(name_, "this is a folder; expected a file of events");
    waits_ = !S_ISREG(about.st_mode);
    size_ = waits_ ? 0 : about.st_size;
}

ByteSource::~ByteSource() = default;

void ByteSource::cancel() noexcept {
    cancelled_ = true;
    cancel_pipe_.second = File{};  // its other end becomes readable
}

std::int64_t ByteSource::taken() const noexcept { return raw_ - static_cast<std::int64_t>(filled_ - at_); }

// Reads behind what is in the buffer, moving that to the front first. Returns how many bytes came; 0 at the end.
std::size_t ByteSource::read_raw() {
    std::copy(buffer_.get() + at_, buffer_.get() + filled_, buffer_.get());
    filled_ -= at_;
    at_ = 0;
    if (waits_) static_cast<void>(wait_readable(file_.fd(), {interrupt_.fd(), cancel_pipe_.first.fd()}));
    if (interrupt_.requested() || cancelled_) throw ReadInterrupted{};
    const auto got = file_.read(buffer_.get() + filled_, read_buffer_bytes - filled_);
    if (got < 0) throw broken(name_, std::strerror(errno));
    filled_ += static_cast<std::size_t>(got);
    raw_ += got;
    return static_cast<std::size_t>(got);
}

// Reads until so many bytes are in the buffer, or the end.
void ByteSource::fill_to(std::size_t bytes) {
    while (filled_ - at_ < bytes && read_raw() > 0) {
    }
}

std::size_t ByteSource::read_plain(char* to, std::size_t size) {
    if (at_ == filled_) fill_to(1);
    const std::size_t n = std::min(size, filled_ - at_);
    std::copy_n(buffer_.get() + at_, n, to);
    at_ += n;
    return n;
}

// Between two members of gzip. Returns false at the end of the file.
bool ByteSource::next_member() {
    fill_to(2);
    // Zeros behind the last member are padding, as tapes and block devices leave it.
    while (at_ < filled_ && buffer_[at_] == '\0') {
        ++at_;
        fill_to(2);
    }
    if (at_ == filled_) return false;
    if (!is_gzip(buffer_.get() + at_, filled_ - at_))
        throw broken(name_,
                     "byte " + std::to_string(taken()) + ": what stands there, behind gzip data, is no gzip");
    gunzip_->begin_member();
    return true;
}

std::size_t ByteSource::read(char* to, std::size_t size) {
    if (!started_) {
        fill_to(2);
        started_ = true;
        if (is_gzip(buffer_.get(), filled_)) gunzip_ = std::make_unique<Gunzip>(name_);
    }
    if (!gunzip_) return read_plain(to, size);

    while (true) {
        if (gunzip_->between_members() && !next_member()) return 0;
        if (at_ == filled_ && read_raw() == 0)
            throw broken(name_, "the gzip data end in the middle: the file is incomplete");
        const auto step = gunzip_->inflate(buffer_.get() + at_, filled_ - at_, to, size);
        at_ += step.in;
        if (step.out > 0) return step.out;
    }
}

}  // namespace stele::tool
