// Every row of tests/packet_cases.h: decoded, encoded back, and cut off at every byte.

#include "tests/packet_cases.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <ostream>
#include <set>

#include <gtest/gtest.h>

#include "mqtt/decoder.h"
#include "mqtt/encoder.h"

namespace chappe::mqtt {

namespace cases {

// What GoogleTest calls a row where it would print its bytes in memory.
std::ostream& operator<<(std::ostream& out, const PacketCase& row) { return out << row.name; }

}  // namespace cases

namespace {

using cases::PacketCase;

// The bytes in memory of just their size, so that AddressSanitizer sees a read beyond them.
struct ExactBytes {
    explicit ExactBytes(std::string_view text) : memory(new std::uint8_t[text.size()]), size(text.size()) {
        std::ranges::copy(as_bytes(text), memory.get());
    }
    [[nodiscard]] Bytes bytes() const { return {memory.get(), size}; }

    std::unique_ptr<std::uint8_t[]> memory;
    std::size_t size;
};

// frame() and decode() in one.
Result<Packet> read(Bytes bytes, ProtocolVersion version, Sender sender) {
    const auto found = TRY(frame(bytes, packet_size_limit));
    if (!found) return failure(ReasonCode::UnspecifiedError, "not complete");
    EXPECT_EQ(found->size, bytes.size());
    return decode(*found, version, sender);
}

std::string encoded(const Packet& packet, ProtocolVersion version) {
    Buffer buffer;
    encode(packet, version, buffer);
    return std::string(as_text(buffer.bytes()));
}

class PacketCaseTest : public testing::TestWithParam<PacketCase> {};

TEST_P(PacketCaseTest, DecodesOrIsRefusedWithItsReason) {
    const ExactBytes exact(GetParam().bytes());
    const auto packet = read(exact.bytes(), GetParam().version, GetParam().sender);
    if (const auto reason = GetParam().reason()) {
        ASSERT_FALSE(packet.has_value());
        EXPECT_EQ(to_string(packet.error().code), to_string(*reason)) << packet.error().reason;
    } else {
        ASSERT_TRUE(packet.has_value()) << packet.error().reason;
        EXPECT_EQ(packet->index(), GetParam().packet()->index());
        EXPECT_TRUE(*packet == *GetParam().packet());
    }
}

TEST_P(PacketCaseTest, EncodesToTheSameBytes) {
    const auto& row = GetParam();
    if (row.packet() == nullptr) return;
    const auto bytes = encoded(*row.packet(), row.version);
    EXPECT_EQ(encoded_size(*row.packet(), row.version), bytes.size());
    if (row.form == cases::Form::Canonical) {
        EXPECT_EQ(testing::PrintToString(bytes), testing::PrintToString(row.bytes()));
    } else {
        EXPECT_NE(bytes, row.bytes()) << "The row is marked Form::Other and is canonical.";
        const auto again = read(as_bytes(bytes), row.version, row.sender);
        ASSERT_TRUE(again.has_value()) << again.error().reason;
        EXPECT_TRUE(*again == *row.packet());
    }
}

// A packet that has not arrived whole is waited for; frame() never asks for more than the packet is.
TEST_P(PacketCaseTest, IsIncompleteUntilItsLastByte) {
    const auto bytes = GetParam().bytes();
    if (!frame(as_bytes(bytes), packet_size_limit)) return;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const ExactBytes cut(std::string_view(bytes).substr(0, size));
        std::size_t needed = 0;
        const auto found = frame(cut.bytes(), packet_size_limit, &needed);
        ASSERT_TRUE(found.has_value());
        EXPECT_FALSE(found->has_value());
        EXPECT_GT(needed, size);
        EXPECT_LE(needed, bytes.size());
    }
}

// The body cut short inside a frame of that size: whatever comes out, nothing is read beyond it, and no cut of a packet
// is taken for that packet.
TEST_P(PacketCaseTest, IsNotReadBeyondItsFrame) {
    const auto bytes = GetParam().bytes();
    const auto found = frame(as_bytes(bytes), packet_size_limit);
    if (!found) return;
    const auto whole = decode(**found, GetParam().version, GetParam().sender);
    for (std::size_t size = 0; size < (*found)->body.size(); ++size) {
        const ExactBytes body(as_text((*found)->body.first(size)));
        const Frame cut{(*found)->type, (*found)->flags, body.bytes(), size + 2};
        const auto packet = decode(cut, GetParam().version, GetParam().sender);
        if (!whole || !packet || GetParam().form != cases::Form::Canonical) continue;
        EXPECT_FALSE(*packet == *whole) << "cut to " << size << " bytes";
    }
}

std::string identifier(const testing::TestParamInfo<PacketCase>& info) {
    std::string name;
    for (const unsigned char c : info.param.name) name += std::isalnum(c) ? static_cast<char>(c) : '_';
    return std::to_string(info.index) + "_" + name;
}

INSTANTIATE_TEST_SUITE_P(All, PacketCaseTest, testing::ValuesIn(cases::packet_cases()), identifier);

TEST(PacketCases, HaveNamesOfTheirOwn) {
    std::set<std::string_view> names;
    for (const auto& row : cases::packet_cases()) EXPECT_TRUE(names.insert(row.name).second) << row.name;
}

TEST(PacketCases, CoverEveryPacketInBothResults) {
    std::set<int> legal;
    std::set<int> refused;
    for (const auto& row : cases::packet_cases()) {
        const auto type = static_cast<unsigned char>(row.bytes()[0]) >> 4;
        (row.packet() != nullptr ? legal : refused).insert(type);
    }
    EXPECT_EQ(legal.size(), 15U);
    EXPECT_EQ(refused.size(), 16U);  // Type 0 too.
}

TEST(Notation, CountsLengths) {
    EXPECT_EQ(cases::bytes_of("10 { s'ab' 0a { 'c' } }"), std::string("\x10\x07\x00\x02"
                                                                      "ab\n\x01"
                                                                      "c",
                                                                      9));
    EXPECT_EQ(cases::bytes_of("{ x130'a' }").substr(0, 3),
              "\x82\x01"
              "a");
    EXPECT_EQ(cases::bytes_of("sx3'ab'").size(), 8U);
}

}  // namespace
}  // namespace chappe::mqtt
