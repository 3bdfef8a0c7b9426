// Log: writes a line for each event.
//
//   [[listener]]
//   name = "show"
//   sink = { type = "log", format = "json" }
//
// As text: `2026-01-05T10:00:00.000000Z show: 42 Site/site-42 v3 BackupFailed {"error":"no space"}`, in which
// characters that a terminal might obey are blanks, and of data no more than 1,000 bytes. As JSON: the event as in
// `stele events --json`, with `listener` and `delivery_key`.
#pragma once

#include <functional>
#include <string_view>

namespace stele::sinks {

struct Log {
    enum class Format { text, json };
    Format format = Format::text;  ///< TOML format ("text", "json")
    /// Takes each line, without its line feed; empty: standard error, a line in one write. Called by any worker,
    /// also by several at once. What it throws fails the delivery.
    std::function<void(std::string_view line)> write{};
};

}  // namespace stele::sinks
