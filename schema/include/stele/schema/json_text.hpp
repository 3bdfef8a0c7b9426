// JsonText: JSON kept as it was given, byte for byte, and known to be valid.
#pragma once

#include <nlohmann/json.hpp>

#include <memory>
#include <ostream>
#include <string>
#include <string_view>

namespace stele {

/// One JSON value (RFC 8259, strictly) in valid UTF-8, nested at most 1,000 deep.
///
/// The bytes stay as they came: white space, key order and the form of numbers are part of the history. They
/// are parsed when asked for, not before. What was made from a value keeps it, and is written when its text is
/// asked for: who passes values on, as upcasters do, neither parses nor writes.
///
/// Threads  const members may be called from several threads at once.
class JsonText {
public:
    static constexpr int max_depth = 1000;

    /// The empty object, `{}`.
    JsonText() : text_("{}") {}

    /// Written compactly. Throws InvalidInput when `value` is nested too deep or holds what JSON cannot say: a
    /// string that is not UTF-8, an infinite number or NaN, binary data.
    JsonText(const nlohmann::json& value);  // NOLINT(google-explicit-constructor): events are written with literals

    /// The same, with the field for the message.
    [[nodiscard]] static JsonText write(const nlohmann::json& value, std::string_view field);

    /// The same without writing it yet: value() gives it back without parsing, and text() writes it at its first
    /// call. Throws InvalidInput as write() does.
    [[nodiscard]] static JsonText keep(nlohmann::json value, std::string_view field = "data");

    /// Checks `text` and keeps it. Throws InvalidInput naming `field`, the byte (from 0) and what is wrong there.
    ///
    /// Strictly means: no byte order mark, no comments, no surrogate escaped without its other half. Numbers may be
    /// of any size and precision: they are kept, not computed. So are members of the same name.
    [[nodiscard]] static JsonText parse(std::string text, std::string_view field = "data");

    /// The same, and the value must be an object.
    [[nodiscard]] static JsonText parse_object(std::string text, std::string_view field = "metadata");

    /// Keeps bytes that were checked before, such as those read from a store.
    [[nodiscard]] static JsonText trusted(std::string text) { return JsonText{Trusted{}, std::move(text)}; }

    /// Replaces the value by bytes that were checked before, reusing memory.
    void assign_trusted(std::string_view text) {
        text_.assign(text);
        kept_.reset();
    }

    [[nodiscard]] const std::string& text() const { return kept_ == nullptr ? text_ : written_text(); }

    /// The value, where it is kept: a look at it without a copy. Null where value() would parse.
    [[nodiscard]] const nlohmann::json* kept() const noexcept;

    /// Parsed, afresh at each call, or a copy of the value that is kept. Integers beyond 64 bits become doubles, of
    /// several members of one name the last one stays. Throws InvalidInput where a number is beyond what a double
    /// holds, such as 1e999.
    [[nodiscard]] nlohmann::json value() const;

    [[nodiscard]] bool is_object() const noexcept;

    /// By their texts.
    friend bool operator==(const JsonText& a, const JsonText& b) { return a.text() == b.text(); }
    friend std::ostream& operator<<(std::ostream& out, const JsonText& json) { return out << json.text(); }

private:
    struct Trusted {};
    JsonText(Trusted, std::string text) : text_(std::move(text)) {}

    struct Kept;
    [[nodiscard]] const std::string& written_text() const;

    std::string text_;
    std::shared_ptr<const Kept> kept_;  ///< where there is one, it holds the value, and text_ nothing
};

}  // namespace stele
