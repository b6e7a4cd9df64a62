#pragma once

// Reads the properties of a packet into its fields. Internal to mqtt.

#include <concepts>
#include <type_traits>

#include "mqtt/byte_reader.h"
#include "mqtt/decoder.h"
#include "mqtt/properties.h"

namespace chappe::mqtt {

namespace detail {

template <class Field>
struct ValueOf {
    using type = Field;
    static constexpr bool repeats = false;
};
template <class Value>
struct ValueOf<std::optional<Value>> {
    using type = Value;
    static constexpr bool repeats = false;
};
template <class Value>
struct ValueOf<std::vector<Value>> {
    using type = Value;
    static constexpr bool repeats = true;
};

[[nodiscard]] Result<> check_number(PropertyId id, std::uint32_t value);
[[nodiscard]] Result<> check_text(PropertyId id, std::string_view value);
[[nodiscard]] std::unexpected<Error> property_repeated();
[[nodiscard]] std::unexpected<Error> property_not_allowed();
[[nodiscard]] std::unexpected<Error> property_too_often(PropertyId id);

// The numbers: one, two or four bytes wide, or of variable width.
template <class Value>
[[nodiscard]] Result<std::uint32_t> read_number(PropertyId id, ByteReader& in) {
    if constexpr (sizeof(Value) == 4) {
        if (is_variable_byte_integer(id)) return in.variable_byte_integer();
        return in.u32();
    } else if constexpr (sizeof(Value) == 2) {
        return TRY(in.u16());
    } else {
        return TRY(in.u8());
    }
}

template <class Value>
[[nodiscard]] Result<Value> read_value(PropertyId id, ByteReader& in) {
    if constexpr (std::same_as<Value, std::string_view>) {
        const auto text = TRY(in.string());
        TRY(check_text(id, text));
        return text;
    } else if constexpr (std::same_as<Value, Bytes>) {
        return in.binary();
    } else if constexpr (std::same_as<Value, UserProperties::value_type>) {
        const auto name = TRY(in.string());
        const auto value = TRY(in.string());
        return Value{name, value};
    } else {
        const auto number = TRY(read_number<Value>(id, in));
        TRY(check_number(id, number));
        return static_cast<Value>(number);
    }
}

// Reads one value, whose id has just been read, into the field of that id.
class PropertyVisitor {
public:
    PropertyVisitor(PropertyId id, std::uint64_t& seen, ByteReader& in, DecodeLimits limits)
        : id_(id), seen_(seen), in_(in), limits_(limits) {}

    template <class Field, class... Absent>
    void operator()(PropertyId id, Field& field, Absent...) {
        if (id == id_) result_ = read(field);
    }

    // What happened; the id belongs to no field of the packet if nothing did.
    [[nodiscard]] Result<> result() && { return std::move(result_); }

private:
    template <class Field>
    [[nodiscard]] Result<> read(Field& field) {
        using Value = typename ValueOf<Field>::type;
        auto value = TRY(read_value<Value>(id_, in_));
        if constexpr (ValueOf<Field>::repeats) {
            if (field.size() >= limits_.user_properties_max) return property_too_often(id_);
            field.push_back(value);
        } else {
            const auto bit = std::uint64_t{1} << static_cast<unsigned>(id_);
            if ((seen_ & bit) != 0) return property_repeated();
            seen_ |= bit;
            field = value;
        }
        return {};
    }

    PropertyId id_;
    std::uint64_t& seen_;
    ByteReader& in_;
    DecodeLimits limits_;
    Result<> result_ = property_not_allowed();
};

}  // namespace detail

// Reads properties until the end of `in`. `visit_fields` is visit_properties() or one of its parts.
template <class Packet, class VisitFields>
[[nodiscard]] Result<> read_properties(ByteReader in, Packet& packet, DecodeLimits limits, VisitFields visit_fields) {
    std::uint64_t seen = 0;
    while (!in.empty()) {
        const auto id = static_cast<PropertyId>(TRY(in.u8()));
        detail::PropertyVisitor visitor(id, seen, in, limits);
        visit_fields(packet, visitor);
        TRY(std::move(visitor).result());
    }
    return {};
}

// Property Length, then so many bytes of properties (2.2.2.1).
template <class Packet>
[[nodiscard]] Result<> read_properties(ByteReader& in, Packet& packet, DecodeLimits limits) {
    const auto length = TRY(in.variable_byte_integer());
    if (length == 0) return {};
    const auto bytes = TRY(in.take(length));
    return read_properties(ByteReader(bytes), packet, limits,
                           [](Packet& fields, auto& visitor) { visit_properties(fields, visitor); });
}

}  // namespace chappe::mqtt
