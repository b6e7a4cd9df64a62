#pragma once

// For the table in keys/: makes an Access from the path of members that leads to a setting, and converts between the
// member's own type and Value.

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/assert.h"
#include "server/settings/key.h"

namespace chappe::server {

// The words for the values of an enumeration, in their order. Each Choice specialises it.
template <class Enum>
inline constexpr std::array<std::string_view, 0> words{};

inline Value to_value(bool value) { return value; }
inline Value to_value(const std::string& value) { return value; }
inline Value to_value(const std::vector<std::string>& value) { return value; }

template <std::unsigned_integral Number>
Value to_value(Number value) {
    return std::uint64_t{value};
}

template <class Enum>
    requires std::is_enum_v<Enum>
Value to_value(Enum value) {
    return std::string(words<Enum>[static_cast<std::size_t>(value)]);
}

template <class Member>
Value to_value(const std::optional<Member>& value) {
    return value ? to_value(*value) : Value();
}

inline void assign(bool& member, const Value& value) { member = std::get<bool>(value); }
inline void assign(std::string& member, const Value& value) { member = std::get<std::string>(value); }
inline void assign(std::vector<std::string>& member, const Value& value) {
    member = std::get<std::vector<std::string>>(value);
}

template <std::unsigned_integral Number>
void assign(Number& member, const Value& value) {
    const auto number = std::get<std::uint64_t>(value);
    ASSERT(std::in_range<Number>(number));  // The row's range is within the member's.
    member = static_cast<Number>(number);
}

template <class Enum>
    requires std::is_enum_v<Enum>
void assign(Enum& member, const Value& value) {
    const auto found = std::ranges::find(words<Enum>, std::get<std::string>(value));
    ASSERT(found != words<Enum>.end());  // read_value() accepts the row's choices only, which are these words.
    member = static_cast<Enum>(found - words<Enum>.begin());
}

template <class Member>
void assign(std::optional<Member>& member, const Value& value) {
    if (std::holds_alternative<std::monostate>(value)) return member.reset();
    assign(member.emplace(), value);
}

// The member at the end of a path: member<&Settings::limits, &broker::Limits::sessions_max>(settings).
template <auto First, auto... Rest>
auto& member(auto& object) {
    if constexpr (sizeof...(Rest) == 0) {
        return object.*First;
    } else {
        return member<Rest...>(object.*First);
    }
}

template <class Owner, auto... Path>
constexpr Access<Owner> at() {
    return {.get = [](const Owner& owner) { return to_value(member<Path...>(owner)); },
            .set = [](Owner& owner, const Value& value) { assign(member<Path...>(owner), value); }};
}

}  // namespace chappe::server
