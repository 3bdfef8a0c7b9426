// LogWalk: a read, page by page.
//
// Where a read goes along is chosen once, by what it names:
//   a stream                    along (stream, version)
//   tags, or few enough types   from one event of the query to the next, by seeks (finder.hpp)
//   anything else               along the log, skipping what does not match before its payload is touched
// A query of types alone starts with seeks and watches how dense its events stand: where it is one in a few, going
// along the log is faster than seeking each; where they thin out, it goes back to seeks.
//
// The end of the read is fixed when its first page is fetched. Everything up to there stays as it is (L1, L2), so
// pages need no common transaction.
#pragma once

#include "reader.hpp"

namespace stele::sqlite {

class LogWalk final : public LogCursor {
public:
    /// `readers` outlives the walk.
    LogWalk(ReaderPool& readers, const Read& read);

    std::size_t next(std::vector<Event>& page) override;
    [[nodiscard]] Position looked_to() const noexcept override { return last_; }

private:
    enum class Way { stream, seek, log };
    struct Page;

    void start(Reader& reader);
    [[nodiscard]] static Way choose_way(const Read& read);
    void along_stream(Reader& reader, Page& page);
    void along_log(Reader& reader, Page& page);
    void by_seeks(Reader& reader, Page& page);
    void reconsider(std::int64_t passed, std::size_t found);
    bool may_match(std::int64_t stream, std::int64_t type, Reader& reader);
    bool matches(const Event& event) const;

    ReaderPool& readers_;
    Read read_;
    Way way_;
    bool adaptive_;  ///< types alone: seek and log are both ways to go
    bool checks_whole_event_;
    bool open_end_;  ///< a whole stream: its end is not looked up before the first page turns out to be full

    bool started_ = false;
    bool done_ = false;
    std::size_t left_;  ///< how many events may still be returned
    Position first_;    ///< the lowest position of what is left
    Position last_;     ///< the highest
    Version from_;      ///< the same in versions, where the way is the stream
    Version to_;
};

}  // namespace stele::sqlite
