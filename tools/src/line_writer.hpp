// LineWriter: lines into a file that appears complete or not at all.
#pragma once

#include "file.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace stele::tool {

/// Writes FILE.tmp, gzip where the name ends in .gz, and renames it to FILE in commit(). Without a commit the
/// destructor removes it, and a FILE that was there stays as it was.
///
/// Throws Failure where the disk fails.
class LineWriter {
public:
    explicit LineWriter(std::string path);
    ~LineWriter();
    LineWriter(const LineWriter&) = delete;
    LineWriter& operator=(const LineWriter&) = delete;

    void line(std::string_view text);
    /// After it, the file survives a power cut.
    void commit();

private:
    class Gzip;

    void put(std::string_view bytes);
    void flush();

    std::string path_;
    std::string temporary_;
    File file_;
    std::string buffer_;
    std::unique_ptr<Gzip> gzip_;
    bool committed_ = false;
};

}  // namespace stele::tool
