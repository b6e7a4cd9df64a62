// What the packet cases cannot show: limits, buffers with several packets, what a decoded Publish leaves behind.

#include "mqtt/decoder.h"

#include <cstdlib>
#include <new>
#include <string>

#include <gtest/gtest.h>

#include "mqtt/encoder.h"
#include "tests/packet_cases/notation.h"

namespace {

std::size_t& allocations() {
    static std::size_t count = 0;
    return count;
}

}  // namespace

// Counts, so that a test can say that there was none. Replaces the operators of the whole test program.
void* operator new(std::size_t size) {
    ++allocations();
    if (void* memory = std::malloc(size != 0 ? size : 1)) return memory;
    std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace chappe::mqtt {
namespace {

using cases::bytes_of;

Frame only_frame(std::string_view bytes) {
    const auto found = frame(as_bytes(bytes), packet_size_limit);
    EXPECT_TRUE(found.has_value() && found->has_value());
    return **found;
}

TEST(Frame, IsTheFirstPacketOfSeveral) {
    const auto bytes = bytes_of("C0 {} 40 { 0001 } 30 { s'a' }");
    auto rest = as_bytes(bytes);
    std::string types;
    while (!rest.empty()) {
        const auto found = frame(rest, 100);
        ASSERT_TRUE(found.has_value() && found->has_value());
        types += std::string(to_string((*found)->type)) + ' ';
        rest = rest.subspan((*found)->size);
    }
    EXPECT_EQ(types, "PINGREQ PUBACK PUBLISH ");
}

TEST(Frame, SaysHowManyBytesItNeeds) {
    std::size_t needed = 0;
    const auto needs = [&](std::string_view bytes) {
        const auto found = frame(as_bytes(bytes), packet_size_limit, &needed);
        EXPECT_TRUE(found.has_value() && !found->has_value());
        return needed;
    };
    EXPECT_EQ(needs(""), 2U);
    EXPECT_EQ(needs("\x30"), 2U);
    EXPECT_EQ(needs("\x30\x80"), 3U);
    EXPECT_EQ(needs("\x30\x80\x80"), 4U);
    EXPECT_EQ(needs("\x30\x80\x80\x80"), 5U);
    EXPECT_EQ(needs("\x30\x05"), 7U);
    EXPECT_EQ(needs("\x30\x05xxxx"), 7U);
    EXPECT_EQ(needs("\x30\xFF\xFF\xFF\x7F"), packet_size_limit);
}

TEST(Frame, RefusesALargePacketByItsLength) {
    EXPECT_EQ(frame(as_bytes("\x30\x64"), 101).error().code, ReasonCode::PacketTooLarge);
    EXPECT_TRUE(frame(as_bytes("\x30\x64"), 102).has_value());
    EXPECT_EQ(frame(as_bytes("\x30\xFF\xFF\xFF\x7F"), packet_size_limit - 1).error().code, ReasonCode::PacketTooLarge);
}

TEST(Frame, SeesWrongFlagsInTheFirstByte) {  // [MQTT-2.1.3-1] [MQTT3-2.2.2-2]
    for (int first = 0; first < 256; ++first) {
        const std::string bytes(1, static_cast<char>(first));
        const auto type = first >> 4;
        const auto flags = first & 0x0F;
        const auto asks = type == 6 || type == 8 || type == 10;
        const auto legal =
            type == 3 || (asks && (flags == 0b0010 || flags == 0b1010)) || (type != 0 && !asks && flags == 0);
        EXPECT_EQ(frame(as_bytes(bytes), 100).has_value(), legal) << first;
    }
}

TEST(Decode, LeavesNothingOfThePublishBefore) {
    Publish publish;
    const auto full =
        bytes_of("3D { s'a' 0001 { 02 0000003C 0B 05 23 0007 01 01 03 s'c' 08 s'r' 09 s'd' 26 s'k' s'v' } 'x' }");
    ASSERT_TRUE(decode(only_frame(full), ProtocolVersion::V5, Sender::Server, publish).has_value());
    EXPECT_EQ(publish.properties.user_properties.size(), 1U);
    const auto plain = bytes_of("30 { s'b' }");
    ASSERT_TRUE(decode(only_frame(plain), ProtocolVersion::V311, Sender::Server, publish).has_value());
    EXPECT_TRUE(publish == Publish{.topic = "b"});
}

TEST(Decode, DoesNotAllocateForPublish) {
    const auto bytes = bytes_of("32 { s'a/b/c' 0001 { 02 0000003C 01 01 03 s'c' 08 s'r' 09 s'd' } x100'x' }");
    const auto found = only_frame(bytes);
    Publish publish;
    const auto before = allocations();
    const auto result = decode(found, ProtocolVersion::V5, Sender::Client, publish);
    EXPECT_EQ(allocations(), before);
    EXPECT_TRUE(result.has_value());
}

TEST(Decode, ReadsNoMoreUserPropertiesThanAllowed) {
    std::string properties;
    for (int i = 0; i != 100; ++i) properties += "26 s'' s'' ";
    const auto fails = [&](const std::string& notation) {
        const auto bytes = bytes_of(notation);
        const auto found = only_frame(bytes);
        EXPECT_TRUE(decode(found, ProtocolVersion::V5, Sender::Client, {.user_properties_max = 100}).has_value());
        const auto packet = decode(found, ProtocolVersion::V5, Sender::Client, {.user_properties_max = 99});
        EXPECT_FALSE(packet.has_value());
        return packet.error();
    };
    for (const auto& notation :
         {"30 { s'a' { " + properties + "} }", "10 { s'MQTT' 05 02 0000 { " + properties + "} s'a' }",
          "10 { s'MQTT' 05 06 0000 {} s'a' { " + properties + "} s'a' 0000 }",
          "82 { 0001 { " + properties + "} s'a' 00 }", "E0 { 00 { " + properties + "} }"}) {
        EXPECT_EQ(fails(notation).code, ReasonCode::QuotaExceeded) << notation;
        EXPECT_EQ(fails(notation).reason, too_many_user_properties) << notation;
    }
    const auto bytes = bytes_of("30 { s'a' { " + properties + "} }");
    Publish publish;
    EXPECT_FALSE(decode(only_frame(bytes), ProtocolVersion::V5, Sender::Client, publish, {.user_properties_max = 4})
                     .has_value());
    EXPECT_LE(publish.properties.user_properties.capacity(), 4U);
}

TEST(Decode, ReadsNoMoreSubscriptionIdentifiersThanUserProperties) {
    const auto bytes = bytes_of("30 { s'a' { 0B 01 0B 01 0B 01 } }");
    Publish publish;
    const auto result =
        decode(only_frame(bytes), ProtocolVersion::V5, Sender::Client, publish, {.user_properties_max = 2});
    EXPECT_EQ(result.error().code, ReasonCode::ProtocolError);
    EXPECT_EQ(publish.subscription_identifiers.size(), 2U);
}

TEST(Decode, ReadsNoMoreFiltersThanAllowed) {
    for (const auto* notation : {"82 { 0001 {} s'a' 00 s'b' 00 s'c' 00 }", "A2 { 0001 {} s'a' s'b' s'c' }"}) {
        const auto bytes = bytes_of(notation);
        const auto found = only_frame(bytes);
        EXPECT_TRUE(decode(found, ProtocolVersion::V5, Sender::Client, {.filters_max = 3}).has_value());
        const auto packet = decode(found, ProtocolVersion::V5, Sender::Client, {.filters_max = 2});
        ASSERT_FALSE(packet.has_value());
        EXPECT_EQ(packet.error().code, ReasonCode::QuotaExceeded);
        EXPECT_EQ(packet.error().reason, too_many_filters);
    }
}

TEST(Decode, TakesTheVersionOfConnectFromItself) {
    const auto bytes = bytes_of("10 { s'MQTT' 05 02 0000 { 21 0001 } s'a' }");
    const auto packet = decode(only_frame(bytes), ProtocolVersion::V31, Sender::Client);
    ASSERT_TRUE(packet.has_value());
    EXPECT_EQ(std::get<Connect>(*packet).receive_maximum, 1);
}

TEST(RefusalVersion, IsTheClientsWhereItExists) {
    const auto version = [](std::string_view notation) { return refusal_version(only_frame(bytes_of(notation))); };
    EXPECT_EQ(version("10 { s'MQTT' 05 03 0000 }"), ProtocolVersion::V5);
    EXPECT_EQ(version("10 { s'MQTT' 04 03 0000 }"), ProtocolVersion::V311);
    EXPECT_EQ(version("10 { s'MQTT' 84 03 0000 }"), ProtocolVersion::V311);
    EXPECT_EQ(version("10 { s'MQIsdp' 03 03 }"), ProtocolVersion::V31);
    EXPECT_EQ(version("10 { s'MQTT' 06 02 }"), ProtocolVersion::V5);
    EXPECT_EQ(version("10 { s'MQTT' 03 02 }"), ProtocolVersion::V311);
    EXPECT_EQ(version("10 { s'HTTP' 06 02 }"), ProtocolVersion::V311);
    EXPECT_EQ(version("10 { s'MQTT' }"), ProtocolVersion::V311);
    EXPECT_EQ(version("10 {}"), ProtocolVersion::V311);
}

}  // namespace
}  // namespace chappe::mqtt
