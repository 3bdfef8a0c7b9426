#include "compiler.hpp"

#include "../text.hpp"
#include "keywords.hpp"
#include "machine.hpp"
#include "nlohmann_value.hpp"

#include <deque>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace stele::detail::json_schema {
namespace {

bool is_marked_forbidden(const Place& place) {
    constexpr const char* keyword = "x-stele";
    if (!place.schema->is_object()) return false;
    const auto mark = place.schema->find(keyword);
    if (mark == place.schema->end()) return false;
    if (*mark != "forbidden") {
        throw SchemaFault{place.pointer + "/" + keyword, "\"forbidden\"", brief(NlohmannValue{*mark}), {}};
    }
    return true;
}

/// Turns places in a document into nodes, each once, and those that they name after them.
class Compiler {
public:
    explicit Compiler(const nlohmann::json& document) : document_(document) {}

    Program run() {
        program_.root = node_of(document_.root());
        while (!waiting_.empty()) {
            const auto [id, place] = std::move(waiting_.front());
            waiting_.pop_front();
            fill(id, place);
        }
        refuse_circles();
        return std::move(program_);
    }

private:
    /// The node of a place, or of where its reference leads.
    NodeId node_of(Place place) {
        bool forbidden = is_marked_forbidden(place);
        const auto start = place;
        std::unordered_set<const nlohmann::json*> passed;
        while (is_reference(*place.schema)) {
            if (!passed.insert(place.schema).second) {
                throw SchemaFault{start.pointer, "references that lead somewhere", "references in a circle", {}};
            }
            place = document_.follow(place, place.schema->at("$ref").get<std::string>());
            forbidden = is_marked_forbidden(place) || forbidden;
        }
        // The mark beside a reference is about this place, and not about all that refer there.
        if (forbidden) return fresh(start, true);
        const auto known = known_.find(place.schema);
        if (known != known_.end()) return known->second;
        const auto id = fresh(place, false);
        known_.emplace(place.schema, id);
        waiting_.emplace_back(id, place);
        return id;
    }

    NodeId fresh(const Place& place, bool forbidden) {
        auto& node = program_.nodes.emplace_back();
        node.pointer = place.pointer;
        node.forbidden = forbidden;
        program_.forbids = program_.forbids || forbidden;
        return static_cast<NodeId>(program_.nodes.size() - 1);
    }

    void fill(NodeId id, const Place& place) {
        Node node;
        node.pointer = place.pointer;
        if (place.schema->is_boolean()) {
            node.refuses_all = !place.schema->get<bool>();
        } else {
            try {
                read_keywords(*place.schema, node, [&](const std::string& step, const nlohmann::json& schema) {
                    return node_of(document_.child(place, step, schema));
                });
            } catch (SchemaFault& fault) {
                if (!fault.pointer.starts_with(place.pointer)) fault.pointer = place.pointer + fault.pointer;
                throw;
            }
        }
        program_.nodes[id] = std::move(node);
    }

    /// A node that asks itself about the very value that it was asked about would never come to an end.
    void refuse_circles() const {
        enum class Colour : std::uint8_t { unseen, open, done };
        struct Visit {
            NodeId id;
            std::vector<NodeId> others;
        };
        std::vector<Colour> colours(program_.nodes.size(), Colour::unseen);
        std::vector<Visit> path;
        const auto open = [&](NodeId id) {
            colours[id] = Colour::open;
            path.push_back({id, {}});
            for_each_in_place(program_.at(id), [&](NodeId other) { path.back().others.push_back(other); });
        };
        for (NodeId start = 0; start < program_.nodes.size(); ++start) {
            if (colours[start] == Colour::unseen) open(start);
            while (!path.empty()) {
                auto& last = path.back();
                if (last.others.empty()) {
                    colours[last.id] = Colour::done;
                    path.pop_back();
                    continue;
                }
                const auto next = last.others.back();
                last.others.pop_back();
                if (colours[next] == Colour::open) {
                    throw SchemaFault{program_.at(next).pointer,
                                      "a schema that comes to an end",
                                      "one that asks itself about the same value for ever, by way of \"" +
                                          program_.at(last.id).pointer + "\"",
                                      {}};
                }
                if (colours[next] == Colour::unseen) open(next);
            }
        }
    }

    Document document_;
    Program program_;
    std::unordered_map<const nlohmann::json*, NodeId> known_;
    std::deque<std::pair<NodeId, Place>> waiting_;
};

/// A schema that names another draft would mean something else here.
void refuse_other_drafts(const nlohmann::json& document) {
    if (!document.is_object()) return;
    const auto named = document.find("$schema");
    if (named == document.end() || !named->is_string()) return;
    auto uri = named->get<std::string>();
    while (!uri.empty() && uri.back() == '#') uri.pop_back();
    for (const auto* known : {"json-schema.org/draft-07/schema", "json-schema.org/draft-06/schema"}) {
        if (uri == std::string("http://") + known || uri == std::string("https://") + known) return;
    }
    throw SchemaFault{"/$schema", "draft-07, \"http://json-schema.org/draft-07/schema#\"",
                      detail::quoted(named->get_ref<const std::string&>()),
                      "write it for draft-07; where it says the same there, change \"$schema\" or leave it out"};
}

/// The document's own mistakes are found by the schema of schemas.
void refuse_what_is_no_schema(const nlohmann::json& document) {
    Report report{metaprogram(), 1};
    Machine<NlohmannValue> machine{metaprogram(), Budget{JsonSchema::max_steps}, &report};
    if (machine.fits(metaprogram().root, NlohmannValue{document})) return;
    const auto violation = machine.gave_up() ? *machine.gave_up() : report.violations().front();
    throw SchemaFault{violation.pointer, violation.expected, violation.found, {}};
}

}  // namespace

const Program& metaprogram() {
    static const Program program = Compiler{metaschema()}.run();
    return program;
}

Program compile(const nlohmann::json& document) {
    refuse_other_drafts(document);
    refuse_what_is_no_schema(document);
    return Compiler{document}.run();
}

}  // namespace stele::detail::json_schema
