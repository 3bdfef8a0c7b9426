#include "json_paths.hpp"

#include <simdjson.h>

#include <locale.h>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

namespace stele::sql {
namespace ondemand = simdjson::ondemand;
namespace {

// The paths as a tree: what is asked for below a value, by name or by index.
struct Node {
    int number = -1;  // of the path that ends here
    std::vector<std::pair<std::string, std::unique_ptr<Node>>> members;
    std::vector<std::pair<std::size_t, std::unique_ptr<Node>>> elements;

    [[nodiscard]] bool is_leaf() const noexcept { return members.empty() && elements.empty(); }
};

template <class Key>
Node& child(std::vector<std::pair<Key, std::unique_ptr<Node>>>& children, const Key& key) {
    for (auto& [known, node] : children) {
        if (known == key) return *node;
    }
    return *children.emplace_back(key, std::make_unique<Node>()).second;
}

// ---- The grammar of paths: step ('.' name | '[' index ']')*, where the first step is either.

std::string found_at(std::string_view path, std::size_t at) {
    if (at >= path.size()) return "the end of the path \"" + std::string{path} + "\"";
    return "\"" + std::string{path.substr(at)} + "\" in the path \"" + std::string{path} + "\"";
}

std::string read_name(std::string_view path, std::size_t& at) {
    if (at < path.size() && path[at] == '"') {
        auto end = at + 1;
        while (end < path.size() && path[end] != '"') end += path[end] == '\\' ? 2 : 1;
        if (end >= path.size()) throw BadPath{"a closing double quote", found_at(path, at)};
        const auto literal = path.substr(at, end + 1 - at);
        simdjson::dom::parser parser;
        std::string_view name;
        if (parser.parse(simdjson::padded_string{literal}).get(name) != simdjson::SUCCESS) {
            throw BadPath{"a name in double quotes as JSON writes strings", found_at(path, at)};
        }
        at = end + 1;
        return std::string{name};
    }
    const auto end = std::min(path.find_first_of(".[]\"()", at), path.size());
    if (end == at) throw BadPath{"a name", found_at(path, at)};
    const auto start = std::exchange(at, end);
    return std::string{path.substr(start, end - start)};
}

std::size_t read_index(std::string_view path, std::size_t& at) {
    const auto start = at;
    std::size_t index = 0;
    ++at;  // the bracket
    const auto digits = at;
    for (; at < path.size() && path[at] >= '0' && path[at] <= '9' && at - digits < 9; ++at) {
        index = index * 10 + static_cast<std::size_t>(path[at] - '0');
    }
    if (at == digits || at >= path.size() || path[at] != ']') {
        throw BadPath{"an array index such as [0]", found_at(path, start)};
    }
    ++at;
    return index;
}

// ---- From simdjson's values to ours.

locale_t c_locale() {
    static const locale_t locale = newlocale(LC_ALL_MASK, "C", nullptr);
    return locale;
}

// What fits neither 64 bits nor simdjson's double: like SQLite, the nearest double, or infinity.
double nearest_double(std::string_view token) {
    const std::string digits{token.substr(0, token.find_last_not_of(" \t\r\n") + 1)};
    return strtod_l(digits.c_str(), nullptr, c_locale());
}

JsonValue number(ondemand::value value) {
    const auto token = value.raw_json_token();
    if (std::int64_t integer = 0; value.get_int64().get(integer) == simdjson::SUCCESS) {
        return {JsonValue::Kind::integer, integer, 0, {}};
    }
    double real = 0;
    if (value.get_double().get(real) != simdjson::SUCCESS) real = nearest_double(token);
    return {JsonValue::Kind::real, 0, real, {}};
}

JsonValue text(std::string_view text) { return {JsonValue::Kind::text, 0, 0, text}; }

std::string_view trimmed(std::string_view json) { return json.substr(0, json.find_last_not_of(" \t\r\n") + 1); }

}  // namespace

struct JsonPaths::State {
    Node root;
    ondemand::parser parser;
    std::string buffer;  // the text that is read, with the padding behind it that simdjson needs
    std::vector<JsonValue>* values = nullptr;

    void set(const Node& node, JsonValue value) const {
        if (node.number >= 0) (*values)[static_cast<std::size_t>(node.number)] = value;
    }

    void visit(const Node& node, ondemand::value value) {
        switch (ondemand::json_type{value.type()}) {
            case ondemand::json_type::object:
                return visit_object(node, value.get_object());
            case ondemand::json_type::array:
                return visit_array(node, value.get_array());
            case ondemand::json_type::string:
                return set(node, text(value.get_string()));
            case ondemand::json_type::number:
                return set(node, number(value));
            case ondemand::json_type::boolean:
                return set(node, {JsonValue::Kind::integer, bool{value.get_bool()} ? 1 : 0, 0, {}});
            case ondemand::json_type::null:
                return set(node, {});
        }
    }

    void visit_object(const Node& node, ondemand::object object) {
        if (!node.members.empty()) {
            std::vector<bool> seen(node.members.size());  // of a name that is there twice, the first counts
            std::size_t missing = node.members.size();
            for (auto field : object) {
                const std::string_view key = field.unescaped_key();
                for (std::size_t i = 0; i < node.members.size(); ++i) {
                    if (seen[i] || node.members[i].first != key) continue;
                    seen[i] = true;
                    --missing;
                    visit(*node.members[i].second, field.value());
                    break;
                }
                if (missing == 0) break;
            }
        }
        if (node.number < 0) return;
        if (!node.members.empty()) object.reset();
        set(node, text(trimmed(object.raw_json())));
    }

    void visit_array(const Node& node, ondemand::array array) {
        if (!node.elements.empty()) {
            std::size_t index = 0;
            for (auto element : array) {
                for (const auto& [wanted, below] : node.elements) {
                    if (wanted != index) continue;
                    visit(*below, element.value());
                    break;
                }
                ++index;
            }
        }
        if (node.number < 0) return;
        if (!node.elements.empty()) array.reset();
        set(node, text(trimmed(array.raw_json())));
    }
};

JsonPaths::JsonPaths() : state_(std::make_unique<State>()) {}
JsonPaths::~JsonPaths() = default;
JsonPaths::JsonPaths(JsonPaths&&) noexcept = default;
JsonPaths& JsonPaths::operator=(JsonPaths&&) noexcept = default;

int JsonPaths::add(std::string_view path) {
    Node* node = &state_->root;
    std::size_t at = 0;
    do {
        if (at < path.size() && path[at] == '[') {
            node = &child(node->elements, read_index(path, at));
        } else {
            if (at > 0 && (at >= path.size() || path[at++] != '.')) {
                throw BadPath{"a dot or [ between the names", found_at(path, at - 1)};
            }
            node = &child(node->members, read_name(path, at));
        }
    } while (at < path.size());
    if (node->number < 0) {
        node->number = static_cast<int>(values_.size());
        values_.emplace_back();
    }
    return node->number;
}

void JsonPaths::read(std::string_view json) {
    std::fill(values_.begin(), values_.end(), JsonValue{});
    auto& [root, parser, buffer, values] = *state_;
    values = &values_;
    if (buffer.size() < json.size() + simdjson::SIMDJSON_PADDING) {
        buffer.resize(2 * json.size() + simdjson::SIMDJSON_PADDING);
    }
    std::memcpy(buffer.data(), json.data(), json.size());
    std::memset(buffer.data() + json.size(), 0, simdjson::SIMDJSON_PADDING);

    ondemand::document document = parser.iterate(buffer.data(), json.size(), buffer.size());
    const ondemand::json_type type = document.type();
    if (type == ondemand::json_type::object) state_->visit_object(root, document.get_object());
    if (type == ondemand::json_type::array) state_->visit_array(root, document.get_array());
}

}  // namespace stele::sql
