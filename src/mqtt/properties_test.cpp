// Which property may stand in which packet, how often, and how it ends: every property identifier against every packet.

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mqtt/decoder.h"
#include "tests/packet_cases/notation.h"

namespace chappe::mqtt {
namespace {

// A packet with a place for properties, in the notation of the packet cases.
struct Holder {
    std::string_view name;
    Sender sender;
    std::string_view before;
    std::string_view after;
    // What a packet needs with some properties, or always.
    std::string_view method;

    [[nodiscard]] std::string notation(const std::string& properties) const {
        return std::string(before).append(" { ").append(properties).append(" } ").append(after);
    }
};

const std::vector<Holder> holders = {
    {"CONNECT", Sender::Client, "10 { s'MQTT' 05 02 0000", "s'a' }", "15 s'M'"},
    {"Will", Sender::Client, "10 { s'MQTT' 05 06 0000 {} s'a'", "s'w' s'x' }"},
    {"CONNACK", Sender::Server, "20 { 00 00", "}"},
    {"PUBLISH", Sender::Server, "30 { s'a'", "'x' }"},
    {"PUBACK", Sender::Client, "40 { 0001 00", "}"},
    {"PUBREC", Sender::Client, "50 { 0001 00", "}"},
    {"PUBREL", Sender::Client, "62 { 0001 00", "}"},
    {"PUBCOMP", Sender::Client, "70 { 0001 00", "}"},
    {"SUBSCRIBE", Sender::Client, "82 { 0001", "s'a' 00 }"},
    {"SUBACK", Sender::Server, "90 { 0001", "00 }"},
    {"UNSUBSCRIBE", Sender::Client, "A2 { 0001", "s'a' }"},
    {"UNSUBACK", Sender::Server, "B0 { 0001", "00 }"},
    {"DISCONNECT", Sender::Client, "E0 { 00", "}"},
    {"AUTH", Sender::Client, "F0 { 18", "}", "15 s'M'"},
};

// Table 2-4 of the standard once more, in its own form, with a legal value for each property.
struct PropertyRow {
    unsigned id;
    std::string_view notation;
    std::vector<std::string_view> packets;
};

const std::vector<PropertyRow> properties = {
    {0x01, "01 01", {"PUBLISH", "Will"}},
    {0x02, "02 0000003C", {"PUBLISH", "Will"}},
    {0x03, "03 s'x'", {"PUBLISH", "Will"}},
    {0x08, "08 s'x'", {"PUBLISH", "Will"}},
    {0x09, "09 s'x'", {"PUBLISH", "Will"}},
    {0x0B, "0B 8001", {"PUBLISH", "SUBSCRIBE"}},
    {0x11, "11 0000003C", {"CONNECT", "CONNACK", "DISCONNECT"}},
    {0x12, "12 s'x'", {"CONNACK"}},
    {0x13, "13 003C", {"CONNACK"}},
    {0x15, "15 s'M'", {"CONNECT", "CONNACK", "AUTH"}},
    {0x16, "16 s'x'", {"CONNECT", "CONNACK", "AUTH"}},
    {0x17, "17 01", {"CONNECT"}},
    {0x18, "18 0000003C", {"Will"}},
    {0x19, "19 01", {"CONNECT"}},
    {0x1A, "1A s'x'", {"CONNACK"}},
    {0x1C, "1C s'x'", {"CONNACK", "DISCONNECT"}},
    {0x1F, "1F s'x'", {"CONNACK", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBACK", "UNSUBACK", "DISCONNECT", "AUTH"}},
    {0x21, "21 0001", {"CONNECT", "CONNACK"}},
    {0x22, "22 0001", {"CONNECT", "CONNACK"}},
    {0x23, "23 0001", {"PUBLISH"}},
    {0x24, "24 01", {"CONNACK"}},
    {0x25, "25 01", {"CONNACK"}},
    {0x26,
     "26 s'x' s'y'",
     {"CONNECT", "CONNACK", "PUBLISH", "Will", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK",
      "UNSUBSCRIBE", "UNSUBACK", "DISCONNECT", "AUTH"}},
    {0x27, "27 00000001", {"CONNECT", "CONNACK"}},
    {0x28, "28 01", {"CONNACK"}},
    {0x29, "29 01", {"CONNACK"}},
    {0x2A, "2A 01", {"CONNACK"}},
};

const PropertyRow* find_property(unsigned id) {
    const auto found = std::ranges::find(properties, id, &PropertyRow::id);
    return found != properties.end() ? &*found : nullptr;
}

bool is_allowed_in(const PropertyRow& property, const Holder& holder) {
    return std::ranges::find(property.packets, holder.name) != property.packets.end();
}

// Success, or the reason code of the refusal.
ReasonCode outcome(const Holder& holder, std::string properties_notation, unsigned id) {
    if (!holder.method.empty() && id != 0x15) properties_notation.append(" ").append(holder.method);
    const auto bytes = cases::bytes_of(holder.notation(properties_notation));
    const auto found = frame(as_bytes(bytes), packet_size_limit);
    const auto packet = decode(**found, ProtocolVersion::V5, holder.sender);
    return packet ? ReasonCode::Success : packet.error().code;
}

std::string hexadecimal(unsigned byte) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    return {digits[byte / 16], digits[byte % 16]};
}

TEST(Properties, AreTwentySeven) { EXPECT_EQ(properties.size(), 27U); }

TEST(Properties, AreAllowedWhereTheStandardHasThem) {  // 2.2.2.2
    for (const auto& holder : holders) {
        for (unsigned id = 0; id < 256; ++id) {
            const auto* property = find_property(id);
            const auto notation = property != nullptr ? std::string(property->notation) : hexadecimal(id) + "00000000";
            const auto allowed = property != nullptr && is_allowed_in(*property, holder);
            EXPECT_EQ(outcome(holder, notation, id), allowed ? ReasonCode::Success : ReasonCode::MalformedPacket)
                << holder.name << ' ' << notation;
        }
    }
}

TEST(Properties, AppearOnceUnlessTheStandardLetsThemRepeat) {
    for (const auto& holder : holders) {
        for (const auto& property : properties) {
            if (!is_allowed_in(property, holder)) continue;
            const auto repeats = property.id == 0x26 || (property.id == 0x0B && holder.name == "PUBLISH");
            const auto twice = std::string(property.notation).append(" ").append(property.notation);
            EXPECT_EQ(outcome(holder, twice, property.id), repeats ? ReasonCode::Success : ReasonCode::ProtocolError)
                << holder.name << ' ' << twice;
        }
    }
}

TEST(Properties, EndBeforeThePropertyLengthDoes) {  // 2.2.2.1
    for (const auto& holder : holders) {
        for (const auto& property : properties) {
            if (!is_allowed_in(property, holder)) continue;
            const auto whole = cases::bytes_of(property.notation);
            for (std::size_t size = 1; size < whole.size(); ++size) {
                std::string cut(holder.method);
                for (const char byte : whole.substr(0, size))
                    cut += ' ' + hexadecimal(static_cast<unsigned char>(byte));
                if (property.id == 0x15) cut.erase(0, holder.method.size());
                EXPECT_EQ(outcome(holder, cut, 0x15), ReasonCode::MalformedPacket) << holder.name << ' ' << cut;
            }
        }
    }
}

}  // namespace
}  // namespace chappe::mqtt
