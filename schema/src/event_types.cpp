#include <stele/schema/event_types.hpp>

#include "text.hpp"
#include "upcast_step.hpp"

#include <algorithm>
#include <limits>
#include <mutex>

namespace stele {

namespace {

constexpr auto in_program = "C++";

// A type as it may be appended, a version that counts from 1.
void require_sound(const TypeVersion& kind, const std::string& place) {
    try {
        Limits{}.check_type(kind.type, "type");
    } catch (const InvalidInput& error) {
        throw EventTypesError{place, error.what()};
    }
    if (kind.version < 1) {
        throw EventTypesError{
            place, "expected a version of " + kind.type + " from 1 on, found " + std::to_string(kind.version)};
    }
}

// Of which there can be a next one.
void require_next_exists(const TypeVersion& from, const std::string& place) {
    if (from.version < std::numeric_limits<int>::max()) return;
    throw EventTypesError{place, "expected an upcaster of a version that has a next one, found one of " +
                                     detail::name_of(from) + ", the greatest there can be"};
}

// Of the same type an upcaster gives the next version: a chain has no leaps, so that every version has one way on.
void require_next_version(const TypeVersion& from, const detail::UpcastStep& step) {
    for (const auto& into : step.into) {
        require_sound(into, step.place);
        if (into.type != from.type || into.version == from.version + 1) continue;
        throw EventTypesError{step.place, "expected " + detail::name_of({from.type, from.version + 1}) +
                                              " or another type to be made of " + detail::name_of(from) +
                                              ", found " + detail::name_of(into)};
    }
}

void add_rename(std::map<std::string, detail::Rename>& renames, std::string type, detail::Rename rename) {
    if (type == rename.to) {
        throw EventTypesError{rename.place, "expected another name for " + type + ", found the same one"};
    }
    const auto [known, inserted] = renames.try_emplace(type, rename);
    if (inserted) return;
    throw EventTypesError{rename.place, "expected each name to be renamed once, found " + type + " renamed to " +
                                            rename.to + ", and to " + known->second.to + " by " +
                                            known->second.place};
}

}  // namespace

EventTypesError::EventTypesError(const std::string& place, const std::string& what, nlohmann::json facts)
    : Error("event_types", place + ": " + what, std::move(facts)) {}

/// What is compiled when somebody first asks for it.
struct EventTypes::Lazy {
    std::mutex mutex;
    std::optional<Upcasters> upcasters;
};

EventTypes::EventTypes() : lazy_(std::make_shared<Lazy>()), parts_(std::make_shared<const Parts>()) {}

const Upcasters& EventTypes::upcasters() const {
    const std::lock_guard lock{lazy_->mutex};
    if (!lazy_->upcasters) lazy_->upcasters.emplace(*this);
    return *lazy_->upcasters;
}

EventTypes::Parts& EventTypes::changed() {
    lazy_ = std::make_shared<Lazy>();
    auto copy = std::make_shared<Parts>(*parts_);
    parts_ = copy;
    return *copy;
}

void EventTypes::add_step(TypeVersion from, detail::UpcastStep step) {
    require_sound(from, step.place);
    require_next_exists(from, step.place);
    require_next_version(from, step);
    const auto known = parts_->steps.find(from);
    if (known != parts_->steps.end()) {
        throw EventTypesError{step.place, "expected one upcaster of " + detail::name_of(from) +
                                              ", found another one in " + known->second.place};
    }
    changed().steps.emplace(std::move(from), std::move(step));
}

EventTypes& EventTypes::add_function(TypeVersion from, TypeVersion into, One function, bool looks_at_event) {
    add_step(std::move(from), {.place = in_program,
                               .into = {std::move(into)},
                               .one = std::move(function),
                               .looks_at_event = looks_at_event});
    return *this;
}

EventTypes& EventTypes::add_functions(TypeVersion from, std::vector<TypeVersion> into, Several function,
                                      bool looks_at_event) {
    add_step(std::move(from), {.place = in_program,
                               .into = std::move(into),
                               .several = std::move(function),
                               .looks_at_event = looks_at_event});
    return *this;
}

EventTypes& EventTypes::rename(std::string type, std::string to) {
    return rename(std::move(type), std::move(to), in_program);
}

EventTypes& EventTypes::rename_aggregate(std::string type, std::string to) {
    return rename_aggregate(std::move(type), std::move(to), in_program);
}

EventTypes& EventTypes::rename(std::string type, std::string to, std::string place) {
    require_sound({type}, place);
    require_sound({to}, place);
    add_rename(changed().renames, std::move(type), {std::move(to), std::move(place)});
    return *this;
}

EventTypes& EventTypes::rename_aggregate(std::string type, std::string to, std::string place) {
    try {
        (void)StreamId{type, "1"};
        (void)StreamId{to, "1"};
    } catch (const InvalidInput& error) {
        throw EventTypesError{place, error.what()};
    }
    add_rename(changed().aggregate_renames, std::move(type), {std::move(to), std::move(place)});
    return *this;
}

EventTypes& EventTypes::add(std::string type, int version, JsonSchema schema) {
    TypeVersion kind{std::move(type), version};
    const auto place_of = [](const JsonSchema& one) { return one.file().empty() ? in_program : one.file(); };
    require_sound(kind, place_of(schema));
    if (const auto known = parts_->schemas.find(kind); known != parts_->schemas.end()) {
        throw EventTypesError{place_of(schema), "expected one schema of " + detail::name_of(kind) +
                                                    ", found another one in " + place_of(known->second)};
    }
    changed().schemas.emplace(std::move(kind), std::move(schema));
    return *this;
}

EventTypes& EventTypes::add(const EventTypes& other) {
    const auto& others = *other.parts_;
    for (const auto& [kind, schema] : others.schemas) add(kind.type, kind.version, schema);
    for (const auto& [from, step] : others.steps) add_step(from, step);
    for (const auto& [type, to] : others.renames) rename(type, to.to, to.place);
    for (const auto& [type, to] : others.aggregate_renames) rename_aggregate(type, to.to, to.place);
    if (!others.revision.empty()) revision(parts_->revision + others.revision);
    return *this;
}

const JsonSchema* EventTypes::schema(const std::string& type, int version) const {
    const auto found = parts_->schemas.find({type, version});
    return found == parts_->schemas.end() ? nullptr : &found->second;
}

const std::map<TypeVersion, JsonSchema>& EventTypes::schemas() const noexcept { return parts_->schemas; }

EventTypes EventTypes::without_schemas() const {
    auto copy = *this;
    copy.changed().schemas.clear();
    return copy;
}

EventTypes EventTypes::without_upcasters() const {
    EventTypes copy;
    copy.changed().schemas = parts_->schemas;
    return copy;
}

EventTypes& EventTypes::revision(std::string text) {
    changed().revision = std::move(text);
    return *this;
}

const std::string& EventTypes::today(const std::string& type) const {
    const auto* name = &type;
    // As many steps as there are renames: check() refuses circles, and this is asked before it, too.
    for (std::size_t step = 0; step < parts_->renames.size(); ++step) {
        const auto rename = parts_->renames.find(*name);
        if (rename == parts_->renames.end()) break;
        name = &rename->second.to;
    }
    return *name;
}

std::optional<int> EventTypes::newest_version(const std::string& type) const {
    std::optional<int> newest;
    for (const auto& one : known()) {
        if (one.kind.type == type) newest = std::max(newest.value_or(1), one.kind.version);
    }
    return newest;
}

std::vector<EventTypes::Known> EventTypes::known() const {
    std::map<TypeVersion, Known> all;
    const auto of = [&](const TypeVersion& kind) -> Known& {
        return all.try_emplace(kind, Known{kind, {}, {}}).first->second;
    };
    for (const auto& [kind, schema] : parts_->schemas) {
        of(kind).schema = schema.file().empty() ? in_program : schema.file();
    }
    for (const auto& [from, step] : parts_->steps) {
        of(from).upcaster = step.place;
        for (const auto& into : step.into) of(into);
    }
    std::vector<Known> list;
    list.reserve(all.size());
    for (auto& [kind, one] : all) list.push_back(std::move(one));
    return list;
}

std::string EventTypes::fingerprint() const { return upcasters().fingerprint(); }

}  // namespace stele
