#include <stele/replay/blame.hpp>

#include "feed.hpp"
#include "pointer.hpp"

#include <algorithm>
#include <cassert>
#include <map>
#include <utility>

namespace stele {

using nlohmann::json;

// ---- The book: a tree of the state's form

// A value of the state. `set_by` counts where it is a field: of a container, it is the event that made it, or that
// last took something out of it.
struct BlameBook::Node {
    using Setter = std::shared_ptr<const EventFacts>;

    Setter set_by;
    bool is_array = false;
    std::map<std::string, std::unique_ptr<Node>, std::less<>> members;
    std::vector<std::unique_ptr<Node>> elements;

    static std::unique_ptr<Node> of(const json& value, const Setter& setter) {
        auto node = std::make_unique<Node>();
        node->set_by = setter;
        if (value.is_object()) {
            for (const auto& [name, member] : value.items()) node->members.emplace(name, of(member, setter));
        } else if (value.is_array()) {
            node->is_array = true;
            node->elements.reserve(value.size());
            for (const auto& element : value) node->elements.push_back(of(element, setter));
        }
        return node;
    }

    std::unique_ptr<Node>& child(const std::string& name) {
        return is_array ? elements.at(index_of(name)) : members.at(name);
    }

    void add(const std::string& name, std::unique_ptr<Node> node) {
        if (!is_array) {
            members.insert_or_assign(name, std::move(node));
            return;
        }
        const auto place = std::min(index_of(name), elements.size());
        elements.insert(elements.begin() + static_cast<std::ptrdiff_t>(place), std::move(node));
    }

    void remove(const std::string& name, const Setter& setter) {
        set_by = setter;
        if (!is_array)
            members.erase(name);
        else
            elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(index_of(name)));
    }

    void list(const json& value, std::string& pointer, std::vector<BlamedField>& fields) const {
        const auto below = [&](std::string_view name, const Node& node, const json& child) {
            const auto length = pointer.size();
            append_name(pointer, name);
            node.list(child, pointer, fields);
            pointer.resize(length);
        };
        if (value.is_object() && !value.empty()) {
            for (const auto& [name, member] : value.items()) below(name, *members.at(name), member);
        } else if (value.is_array() && !value.empty()) {
            for (std::size_t i = 0; i < value.size(); ++i) below(std::to_string(i), *elements.at(i), value[i]);
        } else {
            fields.push_back({pointer, value, set_by});
        }
    }
};

BlameBook::BlameBook(const json& initial) : root_(Node::of(initial, nullptr)) {}
BlameBook::~BlameBook() = default;
BlameBook::BlameBook(BlameBook&&) noexcept = default;
BlameBook& BlameBook::operator=(BlameBook&&) noexcept = default;

void BlameBook::enter(const Event& event, const json& changes) {
    if (changes.empty()) return;
    const auto setter = std::make_shared<const EventFacts>(event);
    for (const auto& change : changes) {
        const auto& operation = change.at("op").get_ref<const std::string&>();
        auto names = names_of_pointer(change.at("path").get_ref<const std::string&>());
        if (names.empty()) {
            root_ = Node::of(change.at("value"), setter);
            continue;
        }
        const auto last = std::move(names.back());
        names.pop_back();
        auto* parent = &root_;
        for (const auto& name : names) parent = &(*parent)->child(name);
        if (operation == "remove") {
            (*parent)->remove(last, setter);
        } else if (operation == "replace") {
            (*parent)->child(last) = Node::of(change.at("value"), setter);
        } else {
            assert(operation == "add");
            (*parent)->add(last, Node::of(change.at("value"), setter));
        }
    }
}

std::vector<BlamedField> BlameBook::fields(const json& state, std::string_view pointer) const {
    const auto names = names_of_pointer(pointer);
    const auto* value = value_at(state, names);
    if (value == nullptr) return {};
    const auto* node = &root_;
    for (const auto& name : names) node = &(*node)->child(name);
    std::vector<BlamedField> fields;
    std::string at{pointer};
    (*node)->list(*value, at, fields);
    return fields;
}

// ---- Over a store

namespace {

NotFound nothing_there(const EventStore& store, const State& state, std::string_view pointer,
                       const std::shared_ptr<const EventFacts>& taken_by) {
    auto message = store.name() + ": " + state.stream.name() + " at version " +
                   std::to_string(state.version.value()) + " has nothing at " + std::string{pointer};
    json facts{{"store", store.name()},
               {"stream", state.stream.name()},
               {"version", state.version.value()},
               {"pointer", pointer}};
    if (taken_by) {
        const auto version = taken_by->version.value();
        message += "; version " + std::to_string(version) + ", " + taken_by->type + ", took it away";
        facts["removed_by_version"] = version;
        facts["removed_by_type"] = taken_by->type;
    }
    return NotFound{message, std::move(facts)};
}

}  // namespace

Blamed blame(const EventStore& store, const StreamId& id, const Aggregate& aggregate, std::string_view pointer,
             const ReplayOptions& options) {
    const auto names = names_of_pointer(pointer);
    Replay run{id, aggregate};
    auto state = value_of(run.state());
    BlameBook book{state};
    bool is_there = value_at(state, names) != nullptr;
    std::shared_ptr<const EventFacts> taken_by;
    feed(store, id, options, [&](const Event& event) {
        return run.step(event, [&](const Step& step) {
            if (step.changes.empty()) return true;
            book.enter(event, step.changes);
            // In place: the patch is as large as what changed, and the state may be larger.
            state.patch_inplace(step.changes);
            const bool was_there = std::exchange(is_there, value_at(state, names) != nullptr);
            if (was_there && !is_there) taken_by = std::make_shared<const EventFacts>(event);
            return true;
        });
    });
    Blamed blamed{run.state(), {}};
    if (!is_there) throw nothing_there(store, blamed.state, pointer, taken_by);
    blamed.fields = book.fields(state, pointer);
    return blamed;
}

}  // namespace stele
