#pragma once

// An integer with a meaning: Id<struct PacketIdTag, std::uint16_t> and Id<struct ShardIdTag, std::uint16_t> do not mix.

#include <compare>
#include <cstddef>
#include <functional>

namespace chappe {

template <class Tag, class Rep>
struct Id {
    using rep = Rep;

    Rep value{};

    friend constexpr auto operator<=>(const Id&, const Id&) = default;
};

}  // namespace chappe

template <class Tag, class Rep>
struct std::hash<chappe::Id<Tag, Rep>> {
    std::size_t operator()(const chappe::Id<Tag, Rep>& id) const noexcept { return std::hash<Rep>{}(id.value); }
};
