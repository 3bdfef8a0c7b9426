#include "line_writer.hpp"

#include "failure.hpp"
#include "output.hpp"

#include <zlib.h>

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <vector>

namespace stele::tool {
namespace {

constexpr std::size_t line_buffer_bytes = std::size_t{256} << 10;

Failure failed(const std::string& path, int reason) {
    return Failure{Exit::failed, "output", path + ": " + std::strerror(reason), {{"file", path}}};
}

}  // namespace

class LineWriter::Gzip {
public:
    Gzip() {
        constexpr int gzip_header = 16;
        if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + gzip_header, 8,
                         Z_DEFAULT_STRATEGY) != Z_OK)
            throw std::bad_alloc{};
    }
    ~Gzip() { deflateEnd(&stream_); }
    Gzip(const Gzip&) = delete;
    Gzip& operator=(const Gzip&) = delete;

    /// Compresses `bytes`, all that is left of them with `flush` Z_FINISH, handing what comes of it to `write`.
    template <class Write>
    void deflate(std::string_view bytes, int flush, Write write) {
        input_.assign(bytes.begin(), bytes.end());
        stream_.next_in = input_.data();
        stream_.avail_in = static_cast<uInt>(input_.size());
        do {
            stream_.next_out = out_.data();
            stream_.avail_out = static_cast<uInt>(out_.size());
            ::deflate(&stream_, flush);
            write(std::string_view{reinterpret_cast<const char*>(out_.data()), out_.size() - stream_.avail_out});
        } while (stream_.avail_out == 0);
    }

private:
    z_stream stream_{};
    std::vector<Bytef> input_;
    std::vector<Bytef> out_ = std::vector<Bytef>(line_buffer_bytes);
};

LineWriter::LineWriter(std::string path)
    : path_(std::move(path)), temporary_(path_ + ".tmp"), file_(File::create(temporary_)) {
    if (!file_.is_open()) throw failed(temporary_, errno);
    if (path_.size() > 3 && path_.compare(path_.size() - 3, 3, ".gz") == 0) gzip_ = std::make_unique<Gzip>();
}

LineWriter::~LineWriter() {
    if (!committed_) ::unlink(temporary_.c_str());
}

void LineWriter::line(std::string_view text) {
    buffer_ += text;
    buffer_ += '\n';
    if (buffer_.size() >= line_buffer_bytes) flush();
}

void LineWriter::put(std::string_view bytes) {
    if (!write_all(file_.fd(), bytes)) throw failed(temporary_, errno);
}

void LineWriter::flush() {
    if (gzip_) {
        gzip_->deflate(buffer_, Z_NO_FLUSH, [this](std::string_view bytes) { put(bytes); });
    } else {
        put(buffer_);
    }
    buffer_.clear();
}

void LineWriter::commit() {
    flush();
    if (gzip_) gzip_->deflate({}, Z_FINISH, [this](std::string_view bytes) { put(bytes); });
    // The name must not reach the disk before what it names.
    if (!file_.sync()) throw failed(temporary_, errno);
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) throw failed(path_, errno);
    committed_ = true;
    if (!sync_folder_of(path_)) throw failed(path_, errno);
}

}  // namespace stele::tool
