// A value to check as simdjson has parsed it: the quick way from text. The same interface as NlohmannValue.
#pragma once

#include "program.hpp"

#include <simdjson.h>

#include <string_view>

namespace stele::detail::json_schema {

class SimdValue {
public:
    SimdValue() = default;
    explicit SimdValue(simdjson::dom::element value) : value_(value) {}

    /// The name of a member, as a string of its own.
    static SimdValue of_name(std::string_view name) {
        SimdValue value;
        value.name_ = name;
        value.is_name_ = true;
        return value;
    }

    [[nodiscard]] bool is_name() const noexcept { return is_name_; }

    [[nodiscard]] Kind kind() const noexcept {
        if (is_name_) return Kind::string;
        switch (value_.type()) {
            case simdjson::dom::element_type::NULL_VALUE:
                return Kind::null;
            case simdjson::dom::element_type::BOOL:
                return Kind::boolean;
            case simdjson::dom::element_type::INT64:
            case simdjson::dom::element_type::UINT64:
                return Kind::integer;
            case simdjson::dom::element_type::DOUBLE:
                return is_whole(number()) ? Kind::integer : Kind::number;
            case simdjson::dom::element_type::STRING:
                return Kind::string;
            case simdjson::dom::element_type::ARRAY:
                return Kind::array;
            case simdjson::dom::element_type::OBJECT:
                return Kind::object;
        }
        return Kind::other;
    }

    [[nodiscard]] bool boolean() const noexcept { return value_.get_bool().value_unsafe(); }

    [[nodiscard]] Number number() const noexcept {
        switch (value_.type()) {
            case simdjson::dom::element_type::INT64:
                return static_cast<Number>(value_.get_int64().value_unsafe());
            case simdjson::dom::element_type::UINT64:
                return static_cast<Number>(value_.get_uint64().value_unsafe());
            default:
                return static_cast<Number>(value_.get_double().value_unsafe());
        }
    }

    [[nodiscard]] std::string_view string() const noexcept {
        return is_name_ ? name_ : value_.get_string().value_unsafe();
    }

    /// How many items or members. simdjson's own number ends at 0xffffff, so a long array is counted.
    [[nodiscard]] std::uint64_t size() const noexcept {
        constexpr std::uint64_t saturated = 0xffffff;
        const bool array = value_.type() == simdjson::dom::element_type::ARRAY;
        std::uint64_t size =
            array ? value_.get_array().value_unsafe().size() : value_.get_object().value_unsafe().size();
        if (size < saturated) return size;
        size = 0;
        if (array) {
            for (Items items{*this}; !items.done(); items.next()) ++size;
        } else {
            for (Members members{*this}; !members.done(); members.next()) ++size;
        }
        return size;
    }

    [[nodiscard]] bool has_member(std::string_view name) const noexcept {
        const simdjson::dom::object object = value_.get_object().value_unsafe();
        for (const auto member : object) {
            if (member.key == name) return true;
        }
        return false;
    }

    /// The members of an object, one after the other.
    class Members {
    public:
        Members() = default;
        explicit Members(const SimdValue& object) : Members(object.value_.get_object().value_unsafe()) {}
        [[nodiscard]] bool done() const noexcept { return at_ == end_; }
        void next() noexcept { ++at_; }
        [[nodiscard]] std::string_view name() const noexcept { return at_.key(); }
        [[nodiscard]] SimdValue value() const noexcept { return SimdValue{at_.value()}; }

    private:
        explicit Members(simdjson::dom::object object) : at_(object.begin()), end_(object.end()) {}
        simdjson::dom::object::iterator at_, end_;
    };

    /// The items of an array.
    class Items {
    public:
        Items() = default;
        explicit Items(const SimdValue& array) : Items(array.value_.get_array().value_unsafe()) {}
        [[nodiscard]] bool done() const noexcept { return at_ == end_; }
        void next() noexcept { ++at_; }
        [[nodiscard]] SimdValue value() const noexcept { return SimdValue{*at_}; }

    private:
        explicit Items(simdjson::dom::array array) : at_(array.begin()), end_(array.end()) {}
        simdjson::dom::array::iterator at_, end_;
    };

private:
    simdjson::dom::element value_;
    std::string_view name_;
    bool is_name_ = false;
};

}  // namespace stele::detail::json_schema
