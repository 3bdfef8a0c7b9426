#include "catalog.hpp"

#include <cctype>

namespace stele::tool {
namespace {

using nlohmann::ordered_json;

/// Keys of AsyncAPI's maps: letters, digits, '.', '-' and '_'. Others become '_', and equal ones get a number.
class Keys {
public:
    const std::string& of(const std::string& name) {
        const auto known = keys_.find(name);
        if (known != keys_.end()) return known->second;
        std::string key;
        for (const char c : name) {
            const auto byte = static_cast<unsigned char>(c);
            const bool kept = byte < 0x80 && (std::isalnum(byte) != 0 || c == '.' || c == '-' || c == '_');
            key += kept ? c : '_';
        }
        const auto plain = key;
        for (int number = 2; !taken_.insert(key).second; ++number) key = plain + '_' + std::to_string(number);
        return keys_.emplace(name, key).first->second;
    }

private:
    std::map<std::string, std::string> keys_;
    std::set<std::string> taken_;
};

/// A schema as it stands among others: references within it lead there, and it names no document of its own.
void relocate(ordered_json& schema, const std::string& pointer) {
    if (schema.is_array()) {
        for (auto& part : schema) relocate(part, pointer);
    }
    if (!schema.is_object()) return;
    schema.erase("$id");
    schema.erase("$schema");
    for (auto& [name, part] : schema.items()) {
        if (name == "enum" || name == "const" || name == "default" || name == "examples") continue;
        if (name == "$ref" && part.is_string()) {
            const auto reference = part.get<std::string>();
            if (reference.starts_with('#')) part = pointer + reference.substr(1);
        } else {
            relocate(part, pointer);
        }
    }
}

ordered_json reference(const std::string& to) { return {{"$ref", to}}; }

class Document {
public:
    explicit Document(const Catalog& catalog) : catalog_(catalog) {}

    ordered_json make() {
        for (const auto& entry : catalog_.entries) add_message(entry);
        ordered_json document{{"asyncapi", "3.0.0"},
                              {"info",
                               {{"title", "Events of " + catalog_.name},
                                {"version", "1.0.0"},
                                {"description",
                                 "The events of a Stele store: each channel is a type of stream, whose "
                                 "events come in the order of their versions."}}},
                              {"defaultContentType", "application/json"}};
        document["channels"] = std::move(channels_);
        document["operations"] = std::move(operations_);
        document["components"] = {{"messages", std::move(messages_)}, {"schemas", std::move(schemas_)}};
        return document;
    }

private:
    void add_message(const CatalogEntry& entry) {
        const auto& key = message_keys_.of(entry.type);
        ordered_json message{{"name", entry.type}, {"contentType", "application/json"}};
        if (!entry.title.empty()) message["title"] = entry.title;
        message["summary"] = summary_of(entry);
        if (!entry.description.empty()) message["description"] = entry.description;
        if (entry.schema.is_object()) {
            auto schema = entry.schema;
            relocate(schema, "#/components/schemas/" + key);
            schemas_[key] = std::move(schema);
            message["payload"] = reference("#/components/schemas/" + key);
        }
        if (!entry.versions.empty()) message["x-stele-version"] = entry.versions.back();
        messages_[key] = std::move(message);

        if (entry.aggregate_types.empty()) add_to_channel(entry, "events", true);
        for (const auto& type : entry.aggregate_types) add_to_channel(entry, type, false);
    }

    static std::string summary_of(const CatalogEntry& entry) {
        std::string text = std::to_string(entry.events) + (entry.events == 1 ? " event so far" : " events so far");
        if (entry.inferred) text += "; no schema is declared, this is what the latest look like";
        return text;
    }

    void add_to_channel(const CatalogEntry& entry, const std::string& aggregate_type, bool unknown) {
        const auto& channel = channel_keys_.of((unknown ? "unknown " : "") + aggregate_type);
        const auto& message = message_keys_.of(entry.type);
        if (!channels_.contains(channel)) {
            auto& made = channels_[channel];
            if (unknown) {
                made = {{"address", nullptr}, {"description", "Types of which no event is there yet."}};
            } else {
                made = {{"address", aggregate_type + "/{id}"},
                        {"description", "The streams of " + aggregate_type + '.'},
                        {"parameters", {{"id", {{"description", "which " + aggregate_type}}}}}};
            }
            made["messages"] = ordered_json::object();
        }
        channels_[channel]["messages"][message] = reference("#/components/messages/" + message);

        if (!unknown)
            add_to_operation("append." + channel, "send", "What is appended" + actors_of(entry), channel, message);
        for (const auto& name : entry.projections) {
            add_to_operation("projection." + name + '.' + channel, "receive", "The projection " + name, channel,
                             message);
        }
        for (const auto& name : entry.listeners) {
            add_to_operation("listener." + name + '.' + channel, "receive", "The listener " + name, channel,
                             message);
        }
    }

    static std::string actors_of(const CatalogEntry& entry) {
        std::string text;
        for (const auto& actor : entry.actors) (text += text.empty() ? ", by " : ", ") += actor;
        return text;
    }

    void add_to_operation(const std::string& name, const char* action, const std::string& summary,
                          const std::string& channel, const std::string& message) {
        const auto& key = operation_keys_.of(name);
        if (!operations_.contains(key)) {
            operations_[key] = {{"action", action},
                                {"channel", reference("#/channels/" + channel)},
                                {"summary", summary},
                                {"messages", ordered_json::array()}};
        }
        operations_[key]["messages"].push_back(reference("#/channels/" + channel + "/messages/" + message));
    }

    const Catalog& catalog_;
    Keys message_keys_;
    Keys channel_keys_;
    Keys operation_keys_;
    ordered_json channels_ = ordered_json::object();
    ordered_json operations_ = ordered_json::object();
    ordered_json messages_ = ordered_json::object();
    ordered_json schemas_ = ordered_json::object();
};

}  // namespace

ordered_json as_asyncapi(const Catalog& catalog) { return Document{catalog}.make(); }

}  // namespace stele::tool
