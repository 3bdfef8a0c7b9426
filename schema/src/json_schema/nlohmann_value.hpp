// A value to check that nlohmann holds. The same interface as SimdValue.
#pragma once

#include "program.hpp"

#include <nlohmann/json.hpp>

#include <string_view>

namespace stele::detail::json_schema {

class NlohmannValue {
public:
    NlohmannValue() = default;
    explicit NlohmannValue(const nlohmann::json& value) : value_(&value) {}

    /// The name of a member, as a string of its own.
    static NlohmannValue of_name(std::string_view name) {
        NlohmannValue value;
        value.name_ = name;
        return value;
    }

    [[nodiscard]] bool is_name() const noexcept { return value_ == nullptr; }

    [[nodiscard]] Kind kind() const noexcept {
        if (is_name()) return Kind::string;
        switch (value_->type()) {
            case nlohmann::json::value_t::null:
                return Kind::null;
            case nlohmann::json::value_t::boolean:
                return Kind::boolean;
            case nlohmann::json::value_t::number_integer:
            case nlohmann::json::value_t::number_unsigned:
                return Kind::integer;
            case nlohmann::json::value_t::number_float:
                return is_whole(number()) ? Kind::integer : Kind::number;
            case nlohmann::json::value_t::string:
                return Kind::string;
            case nlohmann::json::value_t::array:
                return Kind::array;
            case nlohmann::json::value_t::object:
                return Kind::object;
            case nlohmann::json::value_t::binary:
            case nlohmann::json::value_t::discarded:
                break;
        }
        return Kind::other;
    }

    [[nodiscard]] bool boolean() const { return value_->get_ref<const bool&>(); }

    [[nodiscard]] Number number() const noexcept {
        if (value_->is_number_unsigned()) return static_cast<Number>(value_->get<std::uint64_t>());
        if (value_->is_number_integer()) return static_cast<Number>(value_->get<std::int64_t>());
        return static_cast<Number>(value_->get<double>());
    }

    [[nodiscard]] std::string_view string() const {
        return is_name() ? name_ : std::string_view(value_->get_ref<const std::string&>());
    }

    /// How many items or members.
    [[nodiscard]] std::uint64_t size() const noexcept { return value_->size(); }

    [[nodiscard]] bool has_member(std::string_view name) const { return value_->contains(name); }

    /// The members of an object, one after the other.
    class Members {
    public:
        Members() = default;
        explicit Members(const NlohmannValue& object) : at_(object.value_->begin()), end_(object.value_->end()) {}
        [[nodiscard]] bool done() const { return at_ == end_; }
        void next() { ++at_; }
        [[nodiscard]] std::string_view name() const { return at_.key(); }
        [[nodiscard]] NlohmannValue value() const { return NlohmannValue{*at_}; }

    private:
        nlohmann::json::const_iterator at_, end_;
    };

    /// The items of an array.
    class Items {
    public:
        Items() = default;
        explicit Items(const NlohmannValue& array) : at_(array.value_->begin()), end_(array.value_->end()) {}
        [[nodiscard]] bool done() const { return at_ == end_; }
        void next() { ++at_; }
        [[nodiscard]] NlohmannValue value() const { return NlohmannValue{*at_}; }

    private:
        nlohmann::json::const_iterator at_, end_;
    };

private:
    const nlohmann::json* value_ = nullptr;
    std::string_view name_;
};

}  // namespace stele::detail::json_schema
