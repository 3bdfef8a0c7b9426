#include <stele/schema/sql/event_binder.hpp>

#include "json_paths.hpp"
#include "tokens.hpp"

#include <simdjson.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <optional>

namespace stele::sql {
namespace {

// What a placeholder takes its value from: one of these, or from here on a path of one of the documents.
enum Source : int {
    position,
    version,
    schema_version,
    stream,
    aggregate_type,
    aggregate_id,
    tenant,
    type,
    event_id,
    occurred_at,
    recorded_at,
    data,
    metadata,
    tags,
    state,
    paths,  // paths + 3 * number + the place in `documents`
};

// What has paths, in the order of Source.
enum Document : int { in_data, in_metadata, in_state };
constexpr std::array<std::string_view, 3> documents{"$data", "$metadata", "$state"};

Document document_of(int source) { return static_cast<Document>((source - paths) % 3); }

constexpr std::array<std::string_view, paths> names{
    "$position",     "$version", "$schema_version", "$stream",   "$aggregate_type",
    "$aggregate_id", "$tenant",  "$type",           "$event_id", "$occurred_at",
    "$recorded_at",  "$data",    "$metadata",       "$tags",     "$state"};

std::optional<int> place_of(std::string_view name) {
    const auto* const found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<int>(found - names.begin());
}

std::string known_names(const std::vector<std::string>& extra, bool has_state) {
    std::string list;
    if (has_state) list += "$state ";
    for (const auto& name : extra) list += name + " ";
    for (const auto name : names)
        if (name != names[state]) list += std::string{name} + " ";
    return list + "$data(path) $metadata(path)" + (has_state ? " $state(path)" : "");
}

std::string json_array(const std::vector<std::string>& texts) { return nlohmann::json(texts).dump(); }

// The line of a placeholder: where its text stands in the statement.
int line_of(const Statement& statement, std::string_view placeholder) {
    const SqlText text{sqlite3_sql(statement.get()), "", 1};
    const auto first = first_word(text.text);
    for (const auto& token : tokenize(text.text)) {
        if (token.kind == Token::Kind::variable && token.text == placeholder) {
            return statement.line() + text.line_at(token.offset) - text.line_at(first);
        }
    }
    return statement.line();
}

}  // namespace

struct EventBinder::State {
    std::vector<std::string> extra;
    bool has_state = false;
    Uses uses;
    const Event* event = nullptr;
    std::string_view state_text = "{}";
    std::array<JsonPaths, documents.size()> document_paths;
    std::array<bool, documents.size()> has_read{};
    // Texts that are made of an event, once each where they are asked for; empty: not made yet.
    std::string id_text;
    std::string occurred_text;
    std::string recorded_text;
    std::string tags_text;

    int source_of(std::string_view name) {
        const auto is_known = [&](int place) { return place != state || has_state; };
        if (const auto place = place_of(name); place && is_known(*place)) return *place;
        const auto open = name.find('(');
        const auto base = name.substr(0, open);
        const auto document = std::find(documents.begin(), documents.end(), base) - documents.begin();
        const bool has_paths = document < (has_state ? 3 : 2);
        if (open != std::string_view::npos && has_paths) {
            const auto path = name.substr(open + 1, name.size() - open - 2);
            return paths + 3 * document_paths[static_cast<std::size_t>(document)].add(path) +
                   static_cast<int>(document);
        }
        if (const auto place = place_of(base); open != std::string_view::npos && place && is_known(*place)) {
            throw BadPath{std::string{base} + " without a path: only $data" +
                              (has_state ? ", $metadata and $state have one" : " and $metadata have one"),
                          std::string{name}};
        }
        std::vector<std::string_view> known{names.begin(), has_state ? names.end() : names.end() - 1};
        known.insert(known.end(), extra.begin(), extra.end());
        const auto hint = nearest(base, known.data(), known.size());
        throw BadPath{"a placeholder (" + known_names(extra, has_state) + ")", std::string{name},
                      hint.empty() ? "" : "did you mean " + hint + "?"};
    }

    void note_use(int source) {
        uses.id = uses.id || source == event_id;
        uses.tags = uses.tags || source == tags;
        const bool is_path = source >= paths;
        uses.data = uses.data || source == data || (is_path && document_of(source) == in_data);
        uses.metadata = uses.metadata || source == metadata || (is_path && document_of(source) == in_metadata);
    }

    static const std::string& text_of(std::string& text, const auto& make) {
        if (text.empty()) text = make();
        return text;
    }

    [[nodiscard]] std::string_view text_of(Document document) const {
        if (document == in_state) return state_text;
        return document == in_data ? event->data.text() : event->metadata.text();
    }

    const JsonValue& value_at(int source) {
        const auto document = document_of(source);
        auto& values = document_paths[document];
        if (!has_read[document]) {
            try {
                values.read(text_of(document));
            } catch (const simdjson::simdjson_error& error) {
                throw InvalidInput{std::string{documents[document].substr(1)}, "JSON", error.what()};
            }
            has_read[document] = true;
        }
        return values[(source - paths) / 3];
    }

    void bind_path(Statement& statement, int parameter, int source) {
        const auto& value = value_at(source);
        switch (value.kind) {
            case JsonValue::Kind::null:
                return statement.bind(parameter, nullptr);
            case JsonValue::Kind::integer:
                return statement.bind(parameter, value.integer);
            case JsonValue::Kind::real:
                return statement.bind(parameter, value.real);
            case JsonValue::Kind::text:
                return statement.bind(parameter, value.text);
        }
    }

    void bind(Statement& statement, int parameter, int source) {
        const auto& e = *event;
        switch (source) {
            case position:
                return statement.bind(parameter, e.position.value());
            case version:
                return statement.bind(parameter, e.version.value());
            case schema_version:
                return statement.bind(parameter, e.schema_version);
            case stream:
                return statement.bind(parameter, e.stream.name());
            case aggregate_type:
                return statement.bind(parameter, e.stream.aggregate_type());
            case aggregate_id:
                return statement.bind(parameter, e.stream.aggregate_id());
            case tenant:
                if (e.stream.tenant().empty()) return statement.bind(parameter, nullptr);
                return statement.bind(parameter, e.stream.tenant());
            case type:
                return statement.bind(parameter, e.type);
            case event_id:
                return statement.bind(parameter, text_of(id_text, [&] { return e.id.to_string(); }));
            case occurred_at:
                return statement.bind(parameter, text_of(occurred_text, [&] { return to_rfc3339(e.occurred_at); }));
            case recorded_at:
                return statement.bind(parameter, text_of(recorded_text, [&] { return to_rfc3339(e.recorded_at); }));
            case data:
                return statement.bind(parameter, e.data.text());
            case metadata:
                return statement.bind(parameter, e.metadata.text());
            case tags:
                return statement.bind(parameter, text_of(tags_text, [&] { return json_array(e.tags); }));
            case state:
                return statement.bind(parameter, state_text);
            default:
                return bind_path(statement, parameter, source);
        }
    }
};

EventBinder::EventBinder(std::vector<std::string> extra) : state_(std::make_unique<State>()) {
    state_->extra = std::move(extra);
}
EventBinder EventBinder::with_state() {
    EventBinder binder;
    binder.state_->has_state = true;
    return binder;
}
EventBinder::~EventBinder() = default;
EventBinder::EventBinder(EventBinder&&) noexcept = default;
EventBinder& EventBinder::operator=(EventBinder&&) noexcept = default;

EventBinder::Plan EventBinder::plan(const Statement& statement) {
    const auto& extra = state_->extra;
    Plan plan;
    const int count = sqlite3_bind_parameter_count(statement.get());
    for (int parameter = 1; parameter <= count; ++parameter) {
        const char* name = sqlite3_bind_parameter_name(statement.get(), parameter);
        if (name == nullptr) {
            throw DefinitionError{statement.file(), line_of(statement, "?"),
                                  "a placeholder (" + known_names(extra, state_->has_state) + ")", "?"};
        }
        if (std::find(extra.begin(), extra.end(), name) != extra.end()) continue;
        try {
            plan.items_.push_back({parameter, state_->source_of(name)});
            state_->note_use(plan.items_.back().source);
        } catch (const BadPath& bad) {
            throw DefinitionError{statement.file(), line_of(statement, name), bad.expected, bad.found, bad.advice};
        }
    }
    return plan;
}

EventBinder::Uses EventBinder::uses() const noexcept { return state_->uses; }

void EventBinder::take(const Event& event) noexcept {
    state_->event = &event;
    state_->has_read[in_data] = state_->has_read[in_metadata] = false;
    for (auto* text : {&state_->id_text, &state_->occurred_text, &state_->recorded_text, &state_->tags_text}) {
        text->clear();
    }
}

void EventBinder::take_state(std::string_view state) noexcept {
    state_->state_text = state;
    state_->has_read[in_state] = false;
}

void EventBinder::bind(const Plan& plan, Statement& statement) {
    for (const auto& [parameter, source] : plan.items_) state_->bind(statement, parameter, source);
}

}  // namespace stele::sql
