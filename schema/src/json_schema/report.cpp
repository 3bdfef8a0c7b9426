#include "report.hpp"

#include "machine.hpp"
#include "subschemas.hpp"

#include <set>
#include <utility>

namespace stele::detail::json_schema {
namespace {

/// `nodes`, and all that these ask about the same value.
std::set<NodeId> with_in_place(const Program& program, std::set<NodeId> nodes) {
    std::vector<NodeId> open(nodes.begin(), nodes.end());
    while (!open.empty()) {
        const auto id = open.back();
        open.pop_back();
        for_each_in_place(program.at(id), [&](NodeId other) {
            if (nodes.insert(other).second) open.push_back(other);
        });
    }
    return nodes;
}

void add_speakers(const Node& node, const PointerStep& step, std::set<NodeId>& speakers) {
    const auto add = [&](NodeId id) {
        if (id != no_node) speakers.insert(id);
    };
    if (step.kind == PointerStep::Kind::item && node.arrays) {
        add(step.index < node.arrays->tuple.size() ? node.arrays->tuple[step.index] : node.arrays->others);
        add(node.arrays->contains);
    }
    if (step.kind == PointerStep::Kind::member && node.objects) {
        if (const auto* property = node.objects->find(step.name)) add(property->node);
        for (const auto& rule : node.objects->patterns) add(rule.node);
        add(node.objects->additional);
    }
}

}  // namespace

std::uint64_t length_of(std::string_view utf8) noexcept {
    std::uint64_t length = 0;
    for (const char byte : utf8) length += (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U;
    return length;
}

std::string Report::pointer_of(const Path& path) {
    std::string pointer;
    for (const auto& step : path) {
        pointer +=
            step.kind == PointerStep::Kind::item ? '/' + std::to_string(step.index) : pointer_step(step.name);
    }
    return pointer;
}

void Report::add_at(const Path& path, Statement statement) {
    if (may_be_forbidden(program_, path)) statement.found = "a value that is not to be shown";
    violations_.push_back({pointer_of(path), std::move(statement.expected), std::move(statement.found),
                           std::move(statement.schema_pointer)});
}

bool may_be_forbidden(const Program& program, const Path& path) {
    if (!program.forbids) return false;
    const auto forbidden = [&](const std::set<NodeId>& nodes) {
        for (const auto id : nodes) {
            if (program.at(id).forbidden) return true;
        }
        return false;
    };
    auto speakers = with_in_place(program, {program.root});
    for (const auto& step : path) {
        if (forbidden(speakers)) return true;
        std::set<NodeId> next;
        for (const auto id : speakers) add_speakers(program.at(id), step, next);
        speakers = with_in_place(program, std::move(next));
    }
    return forbidden(speakers);
}

}  // namespace stele::detail::json_schema
