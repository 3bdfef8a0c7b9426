// LogWalk: a read, page by page.
//
// Where a read goes along is chosen once, by what it names:
//   a stream                    along (stream, version)
//   tags, or few enough types   from one event of the query to the next, by seeks (finder.hpp), or, for one type
//                               forward, along its index
//   anything else               along the log, skipping what does not match before its payload is touched
// A query of types alone starts by the index and watches how dense its events stand: where it is one in a few,
// going along the log is faster than fetching each by itself; where they thin out, it goes back.
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

    std::size_t look(std::vector<Event>& page) override;
    [[nodiscard]] bool finished() const noexcept override { return rest_.done || rest_.left == 0; }
    [[nodiscard]] Position looked_to() const noexcept override {
        return rest_.done ? rest_.last : rest_.first.previous();
    }

private:
    enum class Way { stream, seek, log };
    struct Page;

    void start(Reader& reader);
    [[nodiscard]] static Way choose_way(const Read& read);
    void along_stream(Reader& reader, Page& page);
    void along_log(Reader& reader, Page& page);
    void by_scans(Reader& reader, Page& page, bool filters);
    void along_type(Reader& reader, Page& page, std::int64_t type);
    void by_seeks(Reader& reader, Page& page);
    void reconsider(std::int64_t passed, std::size_t found);
    bool may_match(std::int64_t stream, std::int64_t type, Reader& reader);
    bool matches(const Event& event) const;

    ReaderPool& readers_;
    Read read_;
    bool adaptive_;  ///< types alone: seek and log are both ways to go
    bool checks_whole_event_;
    EventParts parts_;

    /// What is left of the read. A page that fails half-way puts it back to where it was.
    struct Rest {
        Way way{};
        bool started = false;
        bool done = false;
        bool open_end =
            false;  ///< a whole stream: its end is looked up only where the first page turns out to be full
        std::size_t left = 0;  ///< how many events may still be returned
        Position first{1};     ///< the lowest position of what is left
        Position last{};       ///< the highest
        Version from{};        ///< the same in versions, where the way is the stream
        Version to{};
    };
    Rest rest_;
};

}  // namespace stele::sqlite
