// JsonSchema: what the data of one event type and version must look like, as a JSON Schema of draft-07.
//
//     const auto schema = JsonSchema::compile(JsonText::parse(R"({"properties": {"amount": {"type":
//     "integer"}}})")); if (const auto wrong = schema.check(event.data)) …  // wrong->pointer "/amount",
//     wrong->expected "integer"
//
// What is understood: all of draft-07, with these decisions.
//   - `format`, `contentEncoding` and `contentMediaType` are notes to the reader: nothing is checked by them.
//   - `$ref` points into the same document (or to the metaschema of draft-07). Nothing is ever fetched.
//   - Beside `$ref` all other keywords are without effect, as draft-07 has it; our own "x-stele" counts there too.
//   - `pattern` is a regular expression of ECMAScript in UTF-8, found anywhere in the string. Matching is bounded:
//     a pattern that backtracks without end refuses the value, with a message that says so.
//   - Numbers are compared as what they stand for: 1 is 1.0, and 4.35 is a multiple of 0.01.
//   - `"x-stele": "forbidden"` on a subschema: the presence of a value there is a violation, and the value is never
//     part of any message.
//   - Of several members with one name, each must fit.
//   - Other keywords that draft-07 does not know are without effect.
//
// A document that cannot be used is refused by compile(), never half understood: one written for another draft, a
// reference out of the document, references in a circle (a value would be checked for ever), a broken pattern.
//
// Threads: immutable; any number of threads may check with one schema. Copies share one compiled form.
// Stack: neither compile() nor check() recurses, so that no document or value overflows a small stack.
#pragma once

#include <stele/schema/error.hpp>
#include <stele/schema/json_text.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace stele {

/// Where a value does not fit its schema.
struct SchemaViolation {
    std::string pointer;         ///< into the value, a JSON Pointer (RFC 6901); empty: the whole value
    std::string expected;        ///< such as `integer`, or `a member "domain"`
    std::string found;           ///< short, such as `"12.50"` or `an object`; nothing of what is forbidden
    std::string schema_pointer;  ///< the subschema that refuses it

    friend bool operator==(const SchemaViolation&, const SchemaViolation&) = default;
};

/// `/amount: expected integer, found "12.50"`.
[[nodiscard]] std::string to_string(const SchemaViolation& violation);
std::ostream& operator<<(std::ostream& out, const SchemaViolation& violation);

/// A document is no JSON Schema that can be used. Code "schema"; facts file, pointer, expected, found.
class SchemaError : public Error {
public:
    /// "<file>: <pointer>: expected <expected>, found <found>; <advice>". `file` and `advice` may be empty.
    SchemaError(std::string file, std::string pointer, const std::string& expected, const std::string& found,
                const std::string& advice = {});

    [[nodiscard]] const std::string& file() const noexcept { return file_; }
    /// Into the schema document; empty: the whole of it.
    [[nodiscard]] const std::string& pointer() const noexcept { return pointer_; }

private:
    std::string file_;
    std::string pointer_;
};

class JsonSchema {
public:
    /// Schemas are nested at most this deep.
    static constexpr int max_depth = 128;

    /// Compiles `document`. `file` is where it came from, for messages.
    ///
    /// Throws  SchemaError: the file, the place in the document, what was expected and found, and what to do.
    /// Cost    some microseconds a keyword, once.
    [[nodiscard]] static JsonSchema compile(JsonText document, std::string file = {});

    /// The first violation; nothing where `value` fits.
    ///
    /// A value that takes more than `max_steps` steps of about 100 nanoseconds is refused as well: some schemas ask
    /// the same question of one value over and over, or one that takes long. Everything counts: the questions, the
    /// items that are compared (an array of "uniqueItems" may hold some two million numbers), the names that are
    /// looked for, the characters that patterns pass over. Steps are counted and no clock is asked, so that a value
    /// is refused everywhere or nowhere; a check takes a second, or on a slow machine a few, at most. Of these
    /// steps, the search for a pattern in one string may take 100,000, and two more for each byte of the string.
    /// Refused as well is a value that holds a number beyond what a double holds, such as 1e999.
    ///
    /// Cost  about a microsecond for a flat object of ten members, reading the text included.
    [[nodiscard]] std::optional<SchemaViolation> check(const JsonText& value) const;
    [[nodiscard]] std::optional<SchemaViolation> check(const nlohmann::json& value) const;

    /// All violations, in the order in which they are met, at most `limit`. Of alternatives (anyOf, oneOf) that all
    /// fail, the one that came nearest is told.
    [[nodiscard]] std::vector<SchemaViolation> violations(const JsonText& value, std::size_t limit = 100) const;
    [[nodiscard]] std::vector<SchemaViolation> violations(const nlohmann::json& value,
                                                          std::size_t limit = 100) const;

    static constexpr std::size_t max_steps = 10'000'000;

    /// As it was given.
    [[nodiscard]] const JsonText& document() const noexcept;

    /// Where it came from; empty where that was not said.
    [[nodiscard]] const std::string& file() const noexcept;

    /// SHA-256, as 64 hexadecimal digits, of the document in canonical form: white space, the order of members
    /// and the form of numbers (1 or 1.0) make no difference, anything else does.
    [[nodiscard]] const std::string& fingerprint() const noexcept;

    /// Whether something is marked `"x-stele": "forbidden"`.
    [[nodiscard]] bool forbids_something() const noexcept;

private:
    struct Compiled;
    explicit JsonSchema(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}

    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace stele
