// Machine: asks a program about a value.
//
// What would be recursion, of schemas and of values, is a stack of frames on the heap: one frame for each node that
// waits for the verdict of another one. A machine without a Report only finds out whether the value fits, and stops
// at the first violation; that is the quick run, which nearly always suffices. With a Report it goes on and says
// what is wrong where.
//
// A check is bounded: whatever takes time is paid for from one budget, and where that is spent the check is given
// up.
#pragma once

#include "budget.hpp"
#include "canonical.hpp"
#include "program.hpp"
#include "report.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace stele::detail::json_schema {

/// Characters, not bytes.
[[nodiscard]] std::uint64_t length_of(std::string_view utf8) noexcept;

template <class Value>
class Machine {
public:
    /// `report` may be null. `nested`: how many machines wait for this one's account of an alternative.
    Machine(const Program& program, Budget budget, Report* report = nullptr, int nested = 0)
        : program_(program), budget_(budget), report_(report), nested_(nested) {}

    /// Whether `value` fits the node. False as well where finding out was given up: see gave_up().
    [[nodiscard]] bool fits(NodeId node, const Value& value) {
        push(program_.at(node), value, report_ == nullptr);
        for (;;) {
            charge(frames_.size() > max_frames ? everything : 1);
            if (gave_up_) return false;
            switch (step(frames_.back())) {
                case Step::descend:
                    push(*child_, child_value_, child_quiet_);
                    break;
                case Step::passed:
                case Step::failed: {
                    if (gave_up_) return false;
                    const bool passed = !frames_.back().failed;
                    frames_.pop_back();
                    if (frames_.empty()) return passed;
                    frames_.back().verdict = passed ? Verdict::passed : Verdict::failed;
                }
            }
        }
    }

    /// Why the check was given up, if it was.
    [[nodiscard]] const std::optional<SchemaViolation>& gave_up() const noexcept { return gave_up_; }

private:
    static constexpr std::size_t max_frames = 1'000'000;
    static constexpr auto everything = unlimited;

    enum class Verdict : std::uint8_t { none, passed, failed };
    enum class Step : std::uint8_t { descend, passed, failed };

    /// The rules of a node that ask other nodes, in the order in which they are looked at.
    enum class Stage : std::uint8_t {
        own,
        members,
        names,
        dependencies,
        items,
        contains,
        all_of,
        any_of,
        one_of,
        negated,
        condition,
        branch,
        end
    };

    struct Frame {
        const Node* node;
        Value value;
        Kind kind = Kind::other;
        Stage stage = Stage::own;
        bool quiet;  ///< only the verdict counts: a violation here need not be one of the whole
        bool failed = false;
        bool matched = false;  ///< members: some rule speaks for this member
        Verdict verdict = Verdict::none;
        std::size_t index = 0;    ///< of the next child within the stage, or within the member
        std::size_t matches = 0;  ///< how many children have passed
        std::size_t position = 0;
        typename Value::Members members;
        typename Value::Items items;
        PointerStep at;  ///< from this value to the child's
    };

    void push(const Node& node, const Value& value, bool quiet) {
        frames_.push_back(Frame{.node = &node, .value = value, .quiet = quiet});
    }

    /// Until a node must be asked, or the frame has its verdict.
    Step step(Frame& frame) {
        if (frame.stage == Stage::own) {
            frame.kind = frame.value.kind();
            if (!own(*frame.node, frame.value, frame.kind, frame.quiet)) {
                frame.failed = true;
                if (!collecting(frame.quiet)) return Step::failed;
                // Of a value that is not even of the right kind, no more need be said.
                if (frame.node->leaf || refuses_kind(*frame.node, frame.kind)) return Step::failed;
            }
            if (frame.node->leaf) return verdict(frame);
            enter(frame, Stage::members);
        }
        for (;;) {
            if (frame.verdict != Verdict::none && !take_verdict(frame)) return Step::failed;
            const bool asks = !gave_up_ && next_child(frame);
            if (gave_up_) return Step::failed;
            if (asks) {
                if (!child_->leaf) return Step::descend;
                const bool fits = own(*child_, child_value_, child_value_.kind(), child_quiet_);
                frame.verdict = fits ? Verdict::passed : Verdict::failed;
                continue;
            }
            if (!close(frame)) {
                frame.failed = true;
                if (!collecting(frame.quiet)) return Step::failed;
            }
            const auto next = static_cast<Stage>(static_cast<int>(frame.stage) + 1);
            if (next == Stage::end) return verdict(frame);
            enter(frame, next);
        }
    }

    static Step verdict(const Frame& frame) { return frame.failed ? Step::failed : Step::passed; }

    void enter(Frame& frame, Stage stage) {
        frame.stage = stage;
        frame.index = 0;
        frame.position = 0;
        if (stage != Stage::branch) frame.matches = 0;
        frame.at = {};
        const bool object = frame.kind == Kind::object && frame.node->objects;
        const bool array = frame.kind == Kind::array && frame.node->arrays;
        if (object && (stage == Stage::members || stage == Stage::names))
            frame.members = typename Value::Members{frame.value};
        if (array && (stage == Stage::items || stage == Stage::contains))
            frame.items = typename Value::Items{frame.value};
    }

    /// Sets child_, child_value_ and child_quiet_ to what the stage asks next; false where it asks no more.
    bool next_child(Frame& frame) {
        const auto* objects = frame.kind == Kind::object ? frame.node->objects.get() : nullptr;
        const auto* arrays = frame.kind == Kind::array ? frame.node->arrays.get() : nullptr;
        const auto* in_place = frame.node->in_place.get();
        switch (frame.stage) {
            case Stage::members:
                return objects && objects->has_members() && next_member(frame, *objects);
            case Stage::names:
                return objects && objects->names != no_node && next_name(frame, *objects);
            case Stage::dependencies:
                return objects && next_dependency(frame, *objects);
            case Stage::items:
                return arrays && next_item(frame, *arrays);
            case Stage::contains:
                return arrays && arrays->contains != no_node && next_candidate(frame, *arrays);
            case Stage::all_of:
                return in_place && next_of(frame, in_place->all_of, frame.quiet);
            case Stage::any_of:
                return in_place && next_of(frame, in_place->any_of, true);
            case Stage::one_of:
                return in_place && next_of(frame, in_place->one_of, true);
            case Stage::negated:
                return in_place && once(frame, in_place->negated, true);
            case Stage::condition:
                return in_place && once(frame, in_place->condition, true);
            case Stage::branch:
                return in_place && in_place->condition != no_node &&
                       once(frame, frame.matches > 0 ? in_place->consequence : in_place->alternative, frame.quiet);
            case Stage::own:
            case Stage::end:
                break;
        }
        return false;
    }

    bool ask(NodeId node, const Value& value, bool quiet) {
        charge(1);
        child_ = &program_.at(node);
        child_value_ = value;
        child_quiet_ = quiet;
        return true;
    }

    bool next_member(Frame& frame, const ObjectRules& rules) {
        const auto patterns = rules.patterns.size();
        for (; !frame.members.done() && !gave_up_; frame.members.next(), frame.index = 0) {
            charge(1);
            const auto name = frame.members.name();
            frame.at.name = name;
            frame.at.kind = PointerStep::Kind::member;
            if (frame.index == 0) {
                frame.index = 1;
                frame.matched = false;
                if (const auto* property = rules.find(name)) {
                    frame.matched = true;
                    return ask(property->node, frame.members.value(), frame.quiet);
                }
            }
            while (frame.index <= patterns) {
                const auto& rule = rules.patterns[frame.index++ - 1];
                if (!found(rule.pattern, name)) continue;
                frame.matched = true;
                return ask(rule.node, frame.members.value(), frame.quiet);
            }
            if (frame.index == patterns + 1) {
                ++frame.index;
                if (frame.matched || rules.additional == no_node) continue;
                if (program_.at(rules.additional).refuses_all && !frame.quiet) {
                    report(*frame.node, "only members that the schema names", "another one",
                           "/additionalProperties");
                    frame.failed = true;
                    continue;
                }
                return ask(rules.additional, frame.members.value(), frame.quiet);
            }
        }
        return false;
    }

    bool next_name(Frame& frame, const ObjectRules& rules) {
        if (frame.index++ > 0) frame.members.next();
        if (frame.members.done()) return false;
        return ask(rules.names, Value::of_name(frame.members.name()), frame.quiet);
    }

    bool next_dependency(Frame& frame, const ObjectRules& rules) {
        while (frame.index < rules.dependencies.size() && !gave_up_) {
            const auto& dependency = rules.dependencies[frame.index++];
            if (dependency.node == no_node || !has_member(frame.value, dependency.name)) continue;
            return ask(dependency.node, frame.value, frame.quiet);
        }
        return false;
    }

    bool next_item(Frame& frame, const ArrayRules& rules) {
        if (rules.tuple.empty() && rules.others == no_node) return false;
        if (frame.index > 0) frame.items.next();
        if (frame.items.done()) return false;
        frame.at.index = frame.index;
        frame.at.kind = PointerStep::Kind::item;
        const auto node = frame.index < rules.tuple.size() ? rules.tuple[frame.index] : rules.others;
        ++frame.index;
        return node != no_node && ask(node, frame.items.value(), frame.quiet);
    }

    bool next_candidate(Frame& frame, const ArrayRules& rules) {
        if (frame.matches > 0) return false;
        if (frame.index++ > 0) frame.items.next();
        return !frame.items.done() && ask(rules.contains, frame.items.value(), true);
    }

    bool next_of(Frame& frame, const std::vector<NodeId>& nodes, bool quiet) {
        const bool decided = (frame.stage == Stage::any_of && frame.matches > 0) ||
                             (frame.stage == Stage::one_of && frame.matches > 1);
        if (decided || frame.index == nodes.size()) return false;
        return ask(nodes[frame.index++], frame.value, quiet);
    }

    bool once(Frame& frame, NodeId node, bool quiet) {
        if (node == no_node || frame.index++ > 0) return false;
        return ask(node, frame.value, quiet);
    }

    /// What the child's verdict means for the frame. False: the frame has failed, and there is no more to find out.
    bool take_verdict(Frame& frame) {
        const bool passed = frame.verdict == Verdict::passed;
        frame.verdict = Verdict::none;
        switch (frame.stage) {
            case Stage::contains:
            case Stage::any_of:
            case Stage::one_of:
            case Stage::negated:
            case Stage::condition:
                if (passed) ++frame.matches;
                return true;
            default:
                if (passed) return true;
                frame.failed = true;
                return collecting(frame.quiet);
        }
    }

    /// Whether a stage that asks no more has gone well. Stages whose children speak for themselves always have.
    bool close(Frame& frame) {
        frame.at = {};
        const auto& node = *frame.node;
        const auto refuse = [&](const char* keyword, const std::string& expected, const std::string& found) {
            if (!frame.quiet) report(node, expected, found, keyword);
            return false;
        };
        switch (frame.stage) {
            case Stage::contains:
                if (frame.kind != Kind::array || !node.arrays || node.arrays->contains == no_node) return true;
                if (frame.matches > 0) return true;
                return refuse("/contains", "an item that fits what the schema says under \"contains\"", "none");
            case Stage::any_of:
                if (!node.in_place || node.in_place->any_of.empty() || frame.matches > 0) return true;
                return no_alternative(frame, node.in_place->any_of, "/anyOf");
            case Stage::one_of:
                if (!node.in_place || node.in_place->one_of.empty() || frame.matches == 1) return true;
                if (frame.matches == 0) return no_alternative(frame, node.in_place->one_of, "/oneOf");
                return refuse("/oneOf",
                              "what fits one of " + std::to_string(node.in_place->one_of.size()) + " alternatives",
                              brief_of(frame.value) + " that fits more than one");
            case Stage::negated:
                if (!node.in_place || node.in_place->negated == no_node || frame.matches == 0) return true;
                return refuse("/not", "what does not fit the schema under \"not\"", brief_of(frame.value));
            default:
                return true;
        }
    }

    /// No alternative fits: tells of the one that came nearest, that is, whose violation lies deepest.
    bool no_alternative(Frame& frame, const std::vector<NodeId>& nodes, const char* keyword) {
        constexpr int most_nested = 2;
        constexpr std::size_t most_told = 4;
        if (!collecting(frame.quiet)) return false;
        if (nested_ < most_nested) {
            std::vector<SchemaViolation> firsts;
            for (const NodeId alternative : nodes) {
                charge(1 + frames_.size() + (program_.forbids ? program_.nodes.size() : 0));
                if (gave_up_) return false;
                Report account{program_, 1, report_->path(frames_)};
                Machine inner{program_, budget_, &account, nested_ + 1};
                const bool passed = inner.fits(alternative, frame.value);
                budget_ = inner.budget_;
                if (inner.gave_up_) {
                    gave_up_ = inner.gave_up_;
                    return false;
                }
                if (!passed && !account.violations().empty()) firsts.push_back(account.violations().front());
            }
            const auto here = report_->pointer(frames_);
            const SchemaViolation* nearest = nullptr;
            std::vector<std::string> wanted;
            for (const auto& first : firsts) {
                if (first.pointer == here) {
                    if (std::find(wanted.begin(), wanted.end(), first.expected) == wanted.end())
                        wanted.push_back(first.expected);
                } else if (!nearest || first.pointer.size() > nearest->pointer.size()) {
                    nearest = &first;
                }
            }
            if (nearest) {
                report_->add(*nearest);
                return false;
            }
            if (!wanted.empty() && wanted.size() <= most_told) {
                std::string expected;
                for (const auto& one : wanted) (expected += expected.empty() ? "" : ", or ") += one;
                report(*frame.node, expected, brief_of(frame.value), keyword);
                return false;
            }
        }
        report(*frame.node, "what fits one of " + std::to_string(nodes.size()) + " alternatives",
               brief_of(frame.value), keyword);
        return false;
    }

    // ---- what a node says of a value without asking other nodes

    static bool refuses_kind(const Node& node, Kind kind) {
        return node.refuses_all || node.forbidden || !(node.kinds & bit(kind));
    }

    /// Violations are told where not `quiet`.
    bool own(const Node& node, const Value& value, Kind kind, bool quiet) {
        const auto refuse = [&](const char* keyword, const auto& expected, const auto& found_text) {
            if (!quiet) report(node, expected(), found_text(), keyword);
            return false;
        };
        const auto found_value = [&] { return brief_of(value); };
        if (node.forbidden) {
            return refuse(
                "/x-stele", [] { return std::string("no value here: it is marked as forbidden"); },
                [] { return std::string("one"); });
        }
        if (node.refuses_all)
            return refuse(
                "", [] { return std::string("nothing here"); }, found_value);
        if (!(node.kinds & bit(kind)))
            return refuse(
                "/type", [&] { return describe(node.kinds); }, found_value);
        bool well = true;
        const auto note = [&](bool rule_holds) {
            well = well && rule_holds;
            return well || collecting(quiet);
        };
        if (node.constant && !note(allowed(*node.constant, node, value, kind, quiet, "/const"))) return false;
        if (node.enumerated && !note(allowed(*node.enumerated, node, value, kind, quiet, "/enum"))) return false;
        if (node.numbers && (kind == Kind::integer || kind == Kind::number)) {
            note(number(*node.numbers, node, value.number(), quiet));
        } else if (node.strings && kind == Kind::string) {
            note(string(*node.strings, node, value, quiet));
        } else if (node.arrays && kind == Kind::array) {
            note(array(*node.arrays, node, value, quiet));
        } else if (node.objects && kind == Kind::object) {
            note(object(*node.objects, node, value, quiet));
        }
        return well;
    }

    bool allowed(const Allowed& rule, const Node& node, const Value& value, Kind kind, bool quiet,
                 const char* keyword) {
        scratch_.clear();
        if (!append_scalar(scratch_, value, kind)) append_canonical(scratch_, value);
        charge_for_text(scratch_, kind);
        if (gave_up_) return false;
        if (rule.texts.contains(scratch_)) return true;
        if (!quiet) report(node, rule.described, brief_of(value), keyword);
        return false;
    }

    bool number(const NumberRules& rules, const Node& node, Number value, bool quiet) {
        bool well = true;
        const auto rule = [&](const std::optional<Number>& bound, auto holds, const char* words,
                              const char* keyword) {
            if (!bound || holds(*bound)) return;
            well = false;
            if (!quiet) report(node, std::string(words) + text_of(*bound), text_of(value), keyword);
        };
        rule(
            rules.minimum, [&](Number bound) { return value >= bound; }, "at least ", "/minimum");
        rule(
            rules.exclusive_minimum, [&](Number bound) { return value > bound; }, "more than ",
            "/exclusiveMinimum");
        rule(
            rules.maximum, [&](Number bound) { return value <= bound; }, "at most ", "/maximum");
        rule(
            rules.exclusive_maximum, [&](Number bound) { return value < bound; }, "less than ",
            "/exclusiveMaximum");
        rule(
            rules.multiple_of, [&](Number bound) { return is_multiple(value, bound); }, "a multiple of ",
            "/multipleOf");
        return well;
    }

    /// A count with its two bounds.
    bool within(std::uint64_t count, std::uint64_t least, std::uint64_t most, const Node& node, bool quiet,
                const char* thing, const char* least_keyword, const char* most_keyword) {
        if (count >= least && count <= most) return true;
        if (!quiet) {
            const bool too_few = count < least;
            report(node,
                   (too_few ? "at least " : "at most ") + std::to_string(too_few ? least : most) + ' ' + thing,
                   std::to_string(count), too_few ? least_keyword : most_keyword);
        }
        return false;
    }

    bool string(const StringRules& rules, const Node& node, const Value& value, bool quiet) {
        const auto text = value.string();
        bool well = true;
        if (rules.min_length > 0 || rules.max_length < text.size()) {
            charge(text.size() / 128);
            well = within(length_of(text), rules.min_length, rules.max_length, node, quiet, "characters",
                          "/minLength", "/maxLength");
        }
        if (rules.pattern && !found(*rules.pattern, text)) {
            well = false;
            if (!quiet && !gave_up_)
                report(node, "what matches " + detail::quoted(rules.pattern->source()), brief_of(value),
                       "/pattern");
        }
        return well;
    }

    bool array(const ArrayRules& rules, const Node& node, const Value& value, bool quiet) {
        bool well = true;
        if (rules.min_items > 0 || rules.max_items != unlimited) {
            well = within(value.size(), rules.min_items, rules.max_items, node, quiet, "items", "/minItems",
                          "/maxItems");
        }
        if (rules.unique) well = unique(node, value, quiet) && well;
        return well;
    }

    bool unique(const Node& node, const Value& value, bool quiet) {
        std::unordered_set<std::string> seen;
        std::size_t index = 0;
        for (typename Value::Items items{value}; !items.done(); items.next(), ++index) {
            std::string text;
            append_canonical(text, items.value());
            charge_for_text(text, items.value().kind());
            if (gave_up_) return false;
            if (seen.insert(std::move(text)).second) continue;
            if (!quiet) report(node, "each item once", "item " + std::to_string(index) + " again", "/uniqueItems");
            return false;
        }
        return true;
    }

    bool object(const ObjectRules& rules, const Node& node, const Value& value, bool quiet) {
        bool well = true;
        if (rules.min_properties > 0 || rules.max_properties != unlimited) {
            well = within(value.size(), rules.min_properties, rules.max_properties, node, quiet, "members",
                          "/minProperties", "/maxProperties");
        }
        const auto require = [&](const std::string& name, const std::string& because, const char* keyword) {
            if (has_member(value, name)) return !gave_up_;
            well = false;
            if (!quiet) report(node, "a member " + detail::quoted(name) + because, "none", keyword);
            return collecting(quiet);
        };
        for (const auto& name : rules.required) {
            if (!require(name, {}, "/required")) return false;
        }
        for (const auto& dependency : rules.dependencies) {
            if (gave_up_) return false;
            if (dependency.required.empty() || !has_member(value, dependency.name)) continue;
            for (const auto& name : dependency.required) {
                if (!require(name, " beside " + detail::quoted(dependency.name), "/dependencies")) return false;
            }
        }
        return well;
    }

    /// Looks at one member after the other.
    bool has_member(const Value& object, std::string_view name) {
        charge(1 + object.size() / 16);
        return object.has_member(name);
    }

    bool found(const Pattern& pattern, std::string_view text) {
        const auto match = budget_.search(pattern, text);
        charge(0);
        if (match == Match::gave_up) {
            give_up("a string that " + detail::quoted(pattern.source()) + " is matched with in bounded time",
                    "one of " + std::to_string(text.size()) + " bytes that takes too long");
        }
        return match == Match::yes;
    }

    /// Gives up where the budget is spent.
    void charge(std::uint64_t steps) {
        budget_.pay(steps);
        if (budget_.spent()) give_up("a value that is checked in bounded time", "one that takes longer");
    }

    void charge_for_text(const std::string& text, Kind kind) {
        budget_.pay_for_text(text.size(), kind == Kind::string);
        charge(0);
    }

    // ---- telling

    /// Whether more violations are wanted than this one.
    bool collecting(bool quiet) const { return !quiet && report_ && report_->wants_more(); }

    std::string brief_of(const Value& value) const { return report_ ? brief(value) : std::string{}; }

    void report(const Node& node, const std::string& expected, const std::string& found_text, const char* keyword) {
        if (report_) report_->add(frames_, {expected, found_text, node.pointer + keyword});
    }

    void give_up(const std::string& expected, const std::string& found_text) {
        if (gave_up_) return;
        gave_up_ = SchemaViolation{Report{program_, 1}.pointer(frames_), expected, found_text,
                                   frames_.empty() ? std::string{} : frames_.back().node->pointer};
    }

    const Program& program_;
    Budget budget_;
    Report* report_;
    int nested_;
    std::vector<Frame> frames_;
    std::optional<SchemaViolation> gave_up_;
    std::string scratch_;

    // What the frame on top asks.
    const Node* child_ = nullptr;
    Value child_value_;
    bool child_quiet_ = false;
};

}  // namespace stele::detail::json_schema
