#include <stele/schema/schema_inference.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stele {
namespace {

constexpr int max_levels = 60;  // each takes two of the schema's own
constexpr std::size_t max_members = 200;
constexpr std::size_t max_name_bytes = 100;
constexpr std::size_t max_places = 20'000;

// When a string is taken for one of a few.
constexpr std::size_t max_choices = 8;
constexpr std::size_t max_choice_bytes = 24;
constexpr std::uint64_t least_repeats = 5;  // of all of them together, for each
constexpr std::uint64_t least_of_each = 2;

/// Whether `text` has the form of `model`, in which 0 stands for a digit, f for a hexadecimal one.
bool has_form(std::string_view text, std::string_view model) {
    if (text.size() != model.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool same = model[i] == '0'   ? std::isdigit(byte) != 0
                          : model[i] == 'f' ? std::isxdigit(byte) != 0
                                            : text[i] == model[i];
        if (!same) return false;
    }
    return true;
}

bool is_uuid(std::string_view text) { return has_form(text, "ffffffff-ffff-ffff-ffff-ffffffffffff"); }

bool is_date_time(std::string_view text) {
    constexpr std::string_view start = "0000-00-00T00:00:00";
    if (!has_form(text.substr(0, start.size()), start)) return false;
    auto rest = text.substr(start.size());
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        const auto digits = rest.find_first_not_of("0123456789");
        if (digits == 0 || digits == std::string_view::npos) return false;
        rest.remove_prefix(digits);
    }
    return rest == "Z" || has_form(rest, "+00:00") || has_form(rest, "-00:00");
}

/// What was seen at one place.
struct Place {
    std::uint64_t nulls = 0, booleans = 0, integers = 0, fractions = 0, strings = 0, arrays = 0, objects = 0;
    bool all_uuids = true;
    bool all_times = true;
    bool open_choice = false;                      ///< too many strings, or too long ones, to list
    std::map<std::string, std::uint64_t> choices;  ///< and how often each came

    struct Member {
        std::unique_ptr<Place> place;
        std::uint64_t objects = 0;  ///< how many had it
    };
    std::map<std::string, Member> members;  ///< none where is_map
    std::unique_ptr<Place> long_named;      ///< what members with long names have in common; none where is_map
    bool is_map = false;                    ///< members are not told apart by their names,
    std::unique_ptr<Place> values;          ///< and this is what they have in common
    std::unique_ptr<Place> items;

    // Places beyond the bounds are not made, and nobody knows what they would have held. From then on,
    bool members_cut = false;  ///< members that are not among `members` have not all been looked at
    bool items_cut = false;    ///< items have not all been looked at
};

/// "string", or ["string", "null"].
nlohmann::ordered_json types_of(const Place& place) {
    auto types = nlohmann::ordered_json::array();
    if (place.objects > 0) types.push_back("object");
    if (place.arrays > 0) types.push_back("array");
    if (place.strings > 0) types.push_back("string");
    if (place.fractions > 0) {
        types.push_back("number");
    } else if (place.integers > 0) {
        types.push_back("integer");
    }
    if (place.booleans > 0) types.push_back("boolean");
    if (place.nulls > 0) types.push_back("null");
    return types.size() == 1 ? types.front() : types;
}

nlohmann::ordered_json schema_of(const Place& place);

void describe_strings(const Place& place, nlohmann::ordered_json& schema) {
    const bool others = place.objects + place.arrays + place.integers + place.fractions + place.booleans > 0;
    if (place.all_uuids) {
        schema["format"] = "uuid";
    } else if (place.all_times) {
        schema["format"] = "date-time";
    } else if (!others && !place.open_choice && place.choices.size() > 1 &&
               place.strings >= least_repeats * place.choices.size() &&
               std::all_of(place.choices.begin(), place.choices.end(),
                           [](const auto& choice) { return choice.second >= least_of_each; })) {
        auto& choices = schema["enum"] = nlohmann::ordered_json::array();
        for (const auto& [text, times] : place.choices) choices.push_back(text);
        if (place.nulls > 0) schema["enum"].push_back(nullptr);
    }
}

void describe_members(const Place& place, nlohmann::ordered_json& schema) {
    if (place.is_map) {
        if (place.values && !place.members_cut) schema["additionalProperties"] = schema_of(*place.values);
        return;
    }
    auto required = nlohmann::ordered_json::array();
    auto properties = nlohmann::ordered_json::object();
    for (const auto& [name, member] : place.members) {
        if (member.objects == place.objects) required.push_back(name);
        properties[name] = schema_of(*member.place);
    }
    if (!required.empty()) schema["required"] = std::move(required);
    if (!properties.empty()) schema["properties"] = std::move(properties);
}

nlohmann::ordered_json schema_of(const Place& place) {
    auto schema = nlohmann::ordered_json::object();
    const auto others =
        place.objects + place.arrays + place.strings + place.integers + place.fractions + place.booleans;
    if (others == 0) return schema;  // never seen, or always null: nobody knows what else it may be
    schema["type"] = types_of(place);
    if (place.strings > 0) describe_strings(place, schema);
    if (place.objects > 0) describe_members(place, schema);
    if (place.items && !place.items_cut) {
        auto items = schema_of(*place.items);
        if (!items.empty()) schema["items"] = std::move(items);
    }
    return schema;
}

}  // namespace

// Invariants:
//   B1  `places` is how many there are, and never more than max_places. A member has its place.
//   B2  What a place says is true of every value that was there: where some were not looked at, it is marked as
//   cut,
//       and what they could contradict is neither kept nor made again.
struct SchemaInference::Seen {
    SchemaInferenceOptions options;
    std::uint64_t count = 0;
    std::size_t places = 1;
    Place root;

    // ---- One value

    void add(Place& place, const nlohmann::json& value, int level) {
        switch (value.type()) {
            case nlohmann::json::value_t::boolean:
                ++place.booleans;
                return;
            case nlohmann::json::value_t::number_integer:
            case nlohmann::json::value_t::number_unsigned:
                ++place.integers;
                return;
            case nlohmann::json::value_t::number_float:
                ++(std::trunc(value.get<double>()) == value.get<double>() ? place.integers : place.fractions);
                return;
            case nlohmann::json::value_t::string:
                return add_string(place, value.get_ref<const std::string&>());
            case nlohmann::json::value_t::array:
                return add_items(place, value, level);
            case nlohmann::json::value_t::object:
                return add_members(place, value, level);
            default:
                ++place.nulls;
        }
    }

    void add_string(Place& place, const std::string& text) const {
        ++place.strings;
        place.all_uuids = place.all_uuids && is_uuid(text);
        place.all_times = place.all_times && is_date_time(text);
        if (!options.enums || place.open_choice) return;
        if (text.size() <= max_choice_bytes) ++place.choices[text];
        if (text.size() <= max_choice_bytes && place.choices.size() <= max_choices) return;
        place.open_choice = true;
        place.choices.clear();
    }

    void add_items(Place& place, const nlohmann::json& array, int level) {
        ++place.arrays;
        if (array.empty() || place.items_cut) return;
        if (!may_look_into(place.items, level)) {
            place.items_cut = true;
            return;
        }
        for (const auto& item : array) add(*place.items, item, level + 1);
    }

    void add_members(Place& place, const nlohmann::json& object, int level) {
        ++place.objects;
        for (const auto& [name, value] : object.items()) add_member(place, name, value, level);
    }

    void add_member(Place& place, const std::string& name, const nlohmann::json& value, int level) {
        if (const auto known = place.members.find(name); known != place.members.end()) {
            ++known->second.objects;
            return add(*known->second.place, value, level + 1);
        }
        if (place.members_cut) return;
        const bool is_long = name.size() > max_name_bytes;
        if (!place.is_map && !is_long && place.members.size() >= max_members) make_map(place);

        std::unique_ptr<Place> made;
        auto& to = place.is_map ? place.values : is_long ? place.long_named : made;
        if (!may_look_into(to, level)) return cut_members(place);
        add(*to, value, level + 1);
        if (made) place.members[name] = {std::move(made), 1};
    }

    /// Makes the place where there is none yet, within the bounds.
    bool may_look_into(std::unique_ptr<Place>& place, int level) {
        if (level >= max_levels) return false;
        if (place) return true;
        if (places >= max_places) return false;
        ++places;
        place = std::make_unique<Place>();
        return true;
    }

    // ---- What is given up

    void drop(std::unique_ptr<Place> place) {
        if (!place) return;
        --places;
        for (auto& [name, member] : place->members) drop(std::move(member.place));
        drop(std::move(place->long_named));
        drop(std::move(place->values));
        drop(std::move(place->items));
    }

    /// What holds for members that are not told apart is not known any more.
    void cut_members(Place& place) {
        place.members_cut = true;
        drop(std::move(place.long_named));
        drop(std::move(place.values));
    }

    void keep_only_members_of(const Place& other, Place& place) {
        for (auto member = place.members.begin(); member != place.members.end();) {
            if (other.members.contains(member->first)) {
                ++member;
                continue;
            }
            drop(std::move(member->second.place));
            member = place.members.erase(member);
        }
    }

    // ---- Two places that become one

    /// From now on, members are not told apart by their names.
    void make_map(Place& place) {
        if (place.is_map) return;
        place.is_map = true;
        merge(place.values, std::move(place.long_named));
        for (auto& [name, member] : place.members) merge(place.values, std::move(member.place));
        place.members.clear();
        if (place.members_cut) drop(std::move(place.values));
    }

    void merge(std::unique_ptr<Place>& place, std::unique_ptr<Place> other) {
        if (!other) return;
        if (!place) {
            place = std::move(other);
            return;
        }
        merge(*place, std::move(*other));
        --places;
    }

    /// Adds to `place` what `other` has seen, and leaves nothing in `other`.
    void merge(Place& place, Place&& other) {
        place.nulls += other.nulls;
        place.booleans += other.booleans;
        place.integers += other.integers;
        place.fractions += other.fractions;
        place.strings += other.strings;
        place.arrays += other.arrays;
        place.objects += other.objects;
        place.all_uuids = place.all_uuids && other.all_uuids;
        place.all_times = place.all_times && other.all_times;
        for (const auto& [text, times] : other.choices) place.choices[text] += times;
        place.open_choice = place.open_choice || other.open_choice || place.choices.size() > max_choices;
        if (place.open_choice) place.choices.clear();

        merge(place.items, std::move(other.items));
        place.items_cut = place.items_cut || other.items_cut;
        if (place.items_cut) drop(std::move(place.items));

        if (place.is_map || other.is_map) {
            make_map(place);
            make_map(other);
        }
        if (place.members_cut) keep_only_members_of(place, other);
        if (other.members_cut) keep_only_members_of(other, place);
        for (auto& [name, member] : other.members) {
            auto& known = place.members[name];
            known.objects += member.objects;
            merge(known.place, std::move(member.place));
        }
        merge(place.long_named, std::move(other.long_named));
        merge(place.values, std::move(other.values));
        if (place.members_cut || other.members_cut) cut_members(place);
        if (place.members.size() > max_members) make_map(place);
    }
};

SchemaInference::SchemaInference(SchemaInferenceOptions options) : seen_(std::make_unique<Seen>()) {
    seen_->options = options;
}
SchemaInference::SchemaInference(SchemaInference&&) noexcept = default;
SchemaInference& SchemaInference::operator=(SchemaInference&&) noexcept = default;
SchemaInference::~SchemaInference() = default;

void SchemaInference::add(const JsonText& value) { add(value.value()); }

void SchemaInference::add(const nlohmann::json& value) {
    ++seen_->count;
    seen_->add(seen_->root, value, 0);
}

std::uint64_t SchemaInference::count() const noexcept { return seen_->count; }

JsonText SchemaInference::schema() const {
    nlohmann::ordered_json schema{{"$schema", "http://json-schema.org/draft-07/schema#"}};
    schema.update(schema_of(seen_->root));
    return JsonText::trusted(schema.dump(2) + "\n");
}

}  // namespace stele
