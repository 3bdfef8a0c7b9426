#include "pattern.hpp"

#include "ecma_pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <new>
#include <utility>

namespace stele::detail::json_schema {
namespace {

template <auto free_it>
struct Free {
    template <class T>
    void operator()(T* thing) const noexcept {
        free_it(thing);
    }
};

/// What a search needs beside the pattern. One a thread: making it costs more than most searches.
struct Workspace {
    std::unique_ptr<pcre2_match_data, Free<pcre2_match_data_free>> data{pcre2_match_data_create(1, nullptr)};
    std::unique_ptr<pcre2_match_context, Free<pcre2_match_context_free>> context{
        pcre2_match_context_create(nullptr)};

    Workspace() {
        if (!data || !context) throw std::bad_alloc{};
        pcre2_set_heap_limit(context.get(), 64 * 1024);  // kilobytes
    }
};

}  // namespace

namespace {

using Compiled = std::unique_ptr<pcre2_code, Free<pcre2_code_free>>;

struct Fault {
    int number = 0;

    [[nodiscard]] std::string text() const {
        std::array<PCRE2_UCHAR, 256> message{};
        pcre2_get_error_message(number, message.data(), message.size());
        return reinterpret_cast<const char*>(message.data());
    }
};

/// Empty, and `fault` set, where it does not compile.
Compiled compiled(const std::string& translated, std::uint32_t more_options, Fault& fault) {
    // UTF without UCP: \d and \w are of ASCII, as in ECMAScript. `$` is the very end, [] matches nothing.
    constexpr std::uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY |
                                      PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C;
    const std::unique_ptr<pcre2_compile_context, Free<pcre2_compile_context_free>> context{
        pcre2_compile_context_create(nullptr)};
    if (!context) throw std::bad_alloc{};
    pcre2_set_newline(context.get(), PCRE2_NEWLINE_ANYCRLF);
    PCRE2_SIZE at = 0;
    return Compiled{pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                  options | more_options, &fault.number, &at, context.get())};
}

/// How often something must be there at least, at most over the whole pattern: the 64 of `[0-9a-f]{64}`. What looks
/// like a count and is none, as between brackets, counts as well.
std::uint64_t largest_count(std::string_view translated) {
    std::uint64_t largest = 0;
    for (std::size_t at = 0; at < translated.size(); ++at) {
        if (translated[at] == '\\') {
            const auto named = translated.substr(at + 1, 2);
            ++at;
            if (named == "x{" || named == "p{" || named == "P{") at = translated.find('}', at);
            if (at == std::string_view::npos) break;
        } else if (translated[at] == '{') {
            std::uint64_t count = 0;
            const auto* const digits = translated.data() + at + 1;
            std::from_chars(digits, translated.data() + translated.size(), count);
            largest = std::max(largest, count);
        }
    }
    return largest;
}

bool has_property(const pcre2_code* code, std::uint32_t what) {
    std::uint32_t value = 0;
    return pcre2_pattern_info(code, what, &value) == 0 && value != 0;
}

bool is_anchored(const pcre2_code* code) {
    std::uint32_t options = 0;
    return pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &options) == 0 && (options & PCRE2_ANCHORED) != 0;
}

// Work is counted in nanoseconds, as they would be on a usual machine.
constexpr std::uint64_t per_step = 100;
constexpr std::uint64_t per_item = 30;
constexpr std::uint64_t per_character = 1;

std::uint64_t steps_of(std::uint64_t work) { return work / per_step + 1; }

/// The work of one search, as its callouts tell.
struct Work {
    std::uint64_t spent;
    std::uint64_t most;
    std::uint64_t unseen;  ///< characters that an item may look at and fail, which no callout tells of
    bool compares_groups;  ///< and as many as a group has caught, where the pattern refers back
    std::size_t at = 0;    ///< where the last callout was

    int count(const pcre2_callout_block& here) {
        const auto position = here.current_position;
        const auto passed = position > at ? position - at : at - position;
        at = position;
        auto looked_at = unseen;
        if (compares_groups) {
            std::uint64_t longest = 0;
            for (std::uint32_t group = 1; group < here.capture_top; ++group) {
                const auto* const ends = here.offset_vector + 2 * group;
                if (ends[0] != PCRE2_UNSET && ends[1] > ends[0])
                    longest = std::max<std::uint64_t>(longest, ends[1] - ends[0]);
            }
            looked_at = std::max<std::uint64_t>(unseen, 1) * longest;
        }
        spent += per_item + per_character * (passed + std::min<std::uint64_t>(looked_at, here.subject_length));
        return spent > most ? PCRE2_ERROR_CALLOUT : 0;
    }
};

int count_work(pcre2_callout_block* here, void* work) { return static_cast<Work*>(work)->count(*here); }

Match match(const pcre2_code* code, std::string_view text, const Workspace& workspace, std::uint32_t limit) {
    pcre2_set_match_limit(workspace.context.get(), limit);
    const int found = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0,
                                  workspace.data.get(), workspace.context.get());
    if (found >= 0) return Match::yes;
    const bool broken = found <= PCRE2_ERROR_UTF8_ERR1 && found >= PCRE2_ERROR_UTF8_ERR21;
    return found == PCRE2_ERROR_NOMATCH || broken ? Match::no : Match::gave_up;
}

const Workspace& workspace() {
    thread_local const Workspace of_this_thread;
    return of_this_thread;
}

}  // namespace

struct Pattern::Code {
    Compiled plain;
    Compiled counted;  ///< with callouts; empty where the pattern is too large for them
    std::uint64_t unseen = 0;
    bool compares_groups = false;

    [[nodiscard]] Searched search_counted(std::string_view text, std::uint64_t most) const;
    [[nodiscard]] Searched search_plain(std::string_view text, std::uint64_t most) const;
};

Pattern::Pattern(std::string_view source) : source_(source) {
    if (source.size() > max_bytes) {
        throw PatternError("a pattern of at most " + std::to_string(max_bytes) + " bytes",
                           std::to_string(source.size()));
    }
    const auto translated = pcre2_of(source);
    Fault fault;
    auto code = std::make_shared<Code>();
    code->plain = compiled(translated, 0, fault);
    if (!code->plain) throw PatternError("a regular expression", fault.text());
    code->counted = compiled(translated, PCRE2_AUTO_CALLOUT, fault);
    code->unseen = largest_count(translated);
    code->compares_groups = has_property(code->plain.get(), PCRE2_INFO_BACKREFMAX);
    code_ = std::move(code);
}

Match Pattern::glance(std::string_view text) const {
    constexpr std::uint32_t attempts = 30;  // for each place where a match may begin
    return match(code_->plain.get(), text, workspace(), attempts);
}

Searched Pattern::search(std::string_view text, std::uint64_t most) const {
    const auto work = most < UINT64_MAX / per_step ? most * per_step : UINT64_MAX;
    return code_->counted ? code_->search_counted(text, work) : code_->search_plain(text, work);
}

Searched Pattern::Code::search_counted(std::string_view text, std::uint64_t most) const {
    // PCRE2 reads the whole text before it begins, whether it is UTF-8.
    Work work{per_item + per_character * text.size(), most, unseen, compares_groups};
    if (work.spent > most) return {Match::gave_up, steps_of(work.spent)};
    pcre2_set_callout(workspace().context.get(), count_work, &work);
    const auto found = match(counted.get(), text, workspace(), UINT32_MAX);
    pcre2_set_callout(workspace().context.get(), nullptr, nullptr);
    return {found, steps_of(work.spent)};
}

// Nothing tells what it takes, but for PCRE2's limit: what it may take at most is what is paid.
Searched Pattern::Code::search_plain(std::string_view text, std::uint64_t most) const {
    const std::uint64_t beginnings = is_anchored(plain.get()) ? 1 : text.size() + 1;
    const auto per_attempt = per_item + per_character * text.size();
    std::uint64_t spent = std::min(per_attempt, most);
    for (std::uint32_t attempts = 1'000; attempts < 100'000'000; attempts *= 10) {
        if (per_attempt > (most - spent) / (beginnings * attempts)) break;
        spent += beginnings * attempts * per_attempt;
        const auto found = match(plain.get(), text, workspace(), attempts);
        if (found != Match::gave_up) return {found, steps_of(spent)};
    }
    return {Match::gave_up, steps_of(most)};
}

}  // namespace stele::detail::json_schema
