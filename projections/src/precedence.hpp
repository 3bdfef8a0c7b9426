// Precedence: who needs a generation for a moment gets it before who advances it.
//
// SQLite's write lock has no queue: who waits for it looks now and then, and who commits one transaction after the
// other leaves it free for a microsecond in between. So who catches up on a long log would keep out whoever wants
// to pause it. Therefore who wants something short says so, by a lock of the system on a byte of NAME.lock, and who
// advances the generation looks there before each of his transactions, and waits. Nothing is written for that, and
// the system lets go of the byte when the process ends.
//
// It is a courtesy: who cannot say so, or is not waited for any longer, has SQLite's lock to wait for as ever.
#pragma once

#include "models_folder.hpp"

#include <chrono>
#include <filesystem>
#include <stop_token>

namespace stele {

/// Held by who wants something short, from before he asks for the write lock until he has given it back. Any
/// number may hold it; not by who waits for others himself.
class Precedence {
public:
    explicit Precedence(const ModelsFolder& models);
    ~Precedence();
    Precedence(const Precedence&) = delete;
    Precedence& operator=(const Precedence&) = delete;

private:
    int descriptor_;
};

/// For who advances a generation. One thread at a time.
class LetOthersFirst {
public:
    /// How long one waits for others: then they hang, or are at something long.
    static constexpr std::chrono::seconds longest{5};

    explicit LetOthersFirst(const ModelsFolder& models);
    ~LetOthersFirst();
    LetOthersFirst(LetOthersFirst&& other) noexcept;
    LetOthersFirst& operator=(LetOthersFirst&&) = delete;
    LetOthersFirst(const LetOthersFirst&) = delete;
    LetOthersFirst& operator=(const LetOthersFirst&) = delete;

    /// Returns when nobody holds a Precedence, `stop` is requested, or `longest` has passed. Costs a call of the
    /// system where nobody does.
    void wait(const std::stop_token& stop) const;

private:
    [[nodiscard]] bool is_anybody_there() const;

    int descriptor_;
};

}  // namespace stele
