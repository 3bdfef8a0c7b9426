#include "sql_settings.hpp"

#include <stele/sinks/sink.hpp>

namespace stele::tool {
namespace {

// A listener that is made to see whether what it is made of is sound.
class Probe final : public Listener {
public:
    explicit Probe(Head head) : Listener(std::move(head)) {}
    [[nodiscard]] std::unique_ptr<ListenerHandler> handler() const override { return nullptr; }
};

Listener::Head probe_head() {
    Listener::Head head;
    head.name = "probe";
    return head;
}

void compile_expression(const sql::SqlText& text) {
    auto head = probe_head();
    head.where = text;
    const Probe probe{std::move(head)};
}

void compile_template(const sql::SqlText& text) {
    sinks::Stream stream;
    stream.stream.text = "Probe/1";
    stream.tags = {text};
    (void)sinks::sink_listener(probe_head(), std::move(stream));
}

template <class Compile>
void check(TableReader& reader, const char* key, const TomlValue& value, const Compile& compile) {
    try {
        compile(reader.sql_text(value));
    } catch (const sql::DefinitionError& error) {
        note_invalid(reader, key, value, error);
    }
}

bool is_only_space(const std::string& text) { return text.find_first_not_of(" \t\r\n") == std::string::npos; }

}  // namespace

std::optional<sql::SqlText> read_expression(TableReader& reader, const char* key) {
    const auto* value = reader.find(key);
    if (value == nullptr) return std::nullopt;
    if (value->kind != TomlValue::Kind::text || is_only_space(value->text)) {
        reader.wrong(key, *value, "SQL over the event, in quotes");
        return std::nullopt;
    }
    check(reader, key, *value, compile_expression);
    return reader.sql_text(*value);
}

std::optional<sql::SqlText> read_template(TableReader& reader, const char* key) {
    auto text = reader.sql(key);
    if (text) check(reader, key, *reader.find(key), compile_template);
    return text;
}

std::vector<sql::SqlText> read_templates(TableReader& reader, const char* key) {
    auto texts = reader.sqls(key);
    const auto* value = reader.find(key);
    if (value == nullptr) return texts;
    if (value->kind == TomlValue::Kind::text) check(reader, key, *value, compile_template);
    for (const auto& element : value->list)
        if (element.kind == TomlValue::Kind::text) check(reader, key, element, compile_template);
    return texts;
}

void note_invalid(TableReader& reader, const InvalidInput& error) {
    const auto& field = error.field();
    const auto key = field.substr(0, field.find(" of "));
    const std::string message = error.what();
    const auto rest = message.rfind(field, 0) == 0 ? message.substr(field.size()) : ": " + message;
    reader.mistake(reader.place_of(key.substr(0, key.find('.'))), key + rest);
}

void note_invalid(TableReader& reader, const std::string& key, const TomlValue& value,
                  const sql::DefinitionError& error) {
    const auto prefix = error.file() + ":" + std::to_string(error.line()) + ": ";
    std::string message = error.what();
    if (message.rfind(prefix, 0) == 0) message.erase(0, prefix.size());
    const Place place = error.line() == value.place.line ? value.place : Place{error.line(), 1};
    reader.mistake(place, key + ": " + message);
}

}  // namespace stele::tool
