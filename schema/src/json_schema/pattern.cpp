#include "pattern.hpp"

#include "ecma_pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <new>

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

struct Pattern::Code {
    std::unique_ptr<pcre2_code, Free<pcre2_code_free>> code;
};

Pattern::Pattern(std::string_view source) : source_(source) {
    if (source.size() > max_bytes) {
        throw PatternError("a pattern of at most " + std::to_string(max_bytes) + " bytes",
                           std::to_string(source.size()));
    }
    const auto translated = pcre2_of(source);
    // UTF without UCP: \d and \w are of ASCII, as in ECMAScript. `$` is the very end, [] matches nothing.
    constexpr std::uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY |
                                      PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C;
    std::unique_ptr<pcre2_compile_context, Free<pcre2_compile_context_free>> context{
        pcre2_compile_context_create(nullptr)};
    if (!context) throw std::bad_alloc{};
    pcre2_set_newline(context.get(), PCRE2_NEWLINE_ANYCRLF);

    int error = 0;
    PCRE2_SIZE at = 0;
    auto* const code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(), options,
                                     &error, &at, context.get());
    if (!code) {
        std::array<PCRE2_UCHAR, 256> message{};
        pcre2_get_error_message(error, message.data(), message.size());
        throw PatternError("a regular expression", reinterpret_cast<const char*>(message.data()));
    }
    code_ = std::make_shared<const Code>(Code{decltype(Code::code){code}});
}

Match Pattern::search(std::string_view text, unsigned steps) const {
    thread_local const Workspace workspace;
    pcre2_set_match_limit(workspace.context.get(), steps);
    const int found = pcre2_match(code_->code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0,
                                  workspace.data.get(), workspace.context.get());
    if (found >= 0) return Match::yes;
    const bool broken = found <= PCRE2_ERROR_UTF8_ERR1 && found >= PCRE2_ERROR_UTF8_ERR21;
    return found == PCRE2_ERROR_NOMATCH || broken ? Match::no : Match::gave_up;
}

}  // namespace stele::detail::json_schema
