#pragma once

// Writes the fields of a packet as properties. `Out` is a ByteCounter or a ByteWriter. Internal to mqtt.

#include <ranges>

#include "mqtt/byte_writer.h"
#include "mqtt/properties.h"

namespace chappe::mqtt {

// A visitor for visit_properties(): writes each property that is there.
template <class Out>
class PropertyWriter {
public:
    explicit PropertyWriter(Out& out) : out_(out) {}

    template <class Value>
    void operator()(PropertyId id, const std::optional<Value>& field) {
        if (field) write(id, *field);
    }

    template <std::ranges::range Values>
    void operator()(PropertyId id, const Values& field) {
        for (const auto& value : field) write(id, value);
    }

    template <class Value>
    void operator()(PropertyId id, Value field, Value absent) {
        if (field != absent) write(id, field);
    }

private:
    template <class Value>
    void write(PropertyId id, const Value& value) {
        out_.u8(static_cast<std::uint8_t>(id));
        write_value(id, value);
    }

    void write_value(PropertyId, std::string_view value) { out_.string(value); }
    void write_value(PropertyId, Bytes value) { out_.binary(value); }
    void write_value(PropertyId, const UserProperties::value_type& value) {
        out_.string(value.first);
        out_.string(value.second);
    }
    void write_value(PropertyId id, std::uint32_t value) {
        if (is_variable_byte_integer(id)) return out_.variable_byte_integer(value);
        out_.u32(value);
    }
    void write_value(PropertyId, std::uint16_t value) { out_.u16(value); }
    void write_value(PropertyId, std::uint8_t value) { out_.u8(value); }
    void write_value(PropertyId, bool value) { out_.u8(value ? 1 : 0); }
    void write_value(PropertyId, QoS value) { out_.u8(static_cast<std::uint8_t>(value)); }

    Out& out_;
};

// The size of the properties without the length before them.
template <class Packet>
[[nodiscard]] std::size_t properties_size(const Packet& packet) {
    ByteCounter counter;
    visit_properties(packet, PropertyWriter(counter));
    return counter.size();
}

// Property Length and the properties (2.2.2).
template <class Packet, class Out>
void write_properties(const Packet& packet, Out& out) {
    const auto size = properties_size(packet);
    out.variable_byte_integer(size);
    if (size != 0) visit_properties(packet, PropertyWriter(out));
}

}  // namespace chappe::mqtt
