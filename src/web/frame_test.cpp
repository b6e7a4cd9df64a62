#include "web/frame.h"

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "web/test_support.h"

namespace chappe::web {
namespace {

using test::binary;
using test::client_frame;
using namespace std::string_literals;

struct Decoded {
    std::string data;
    std::vector<std::string> pings;
    std::optional<CloseCode> close;
    std::optional<CloseCode> violation;

    friend bool operator==(const Decoded&, const Decoded&) = default;
};

// In pieces of `size` bytes.
Decoded decode(const std::string& text, std::size_t size) {
    FrameReader reader;
    Decoded decoded;
    for (std::size_t at = 0; at < text.size(); at += size) {
        auto piece = text.substr(at, size);
        const auto outcome = reader.decode({reinterpret_cast<std::uint8_t*>(piece.data()), piece.size()});
        decoded.data += piece.substr(0, outcome.size);
        if (outcome.ping) decoded.pings.emplace_back(as_text(outcome.ping->bytes()));
        decoded.close = outcome.close;
        if (outcome.violation) decoded.violation = outcome.violation->code;
        if (outcome.close || outcome.violation) break;
    }
    return decoded;
}

Decoded decode(const std::string& text) { return decode(text, text.size()); }

TEST(FrameReader, HandsOnData) {
    EXPECT_EQ(decode(binary("hello")).data, "hello");
    EXPECT_EQ(decode(binary("")).data, "");
    EXPECT_EQ(decode(binary("he") + binary("llo")).data, "hello");
    for (const std::size_t size : {125U, 126U, 127U, 65'535U, 65'536U, 200'000U}) {
        const std::string payload(size, 'x');
        EXPECT_TRUE(decode(binary(payload)).data == payload) << size;
    }
}

TEST(FrameReader, PutsFragmentsTogether) {
    const auto text = client_frame(0x02, "one ") + client_frame(0x89, "are you there") + client_frame(0x00, "two ") +
                      client_frame(0x8A, "unasked") + client_frame(0x80, "three") + binary(" four");
    EXPECT_EQ(decode(text), (Decoded{.data = "one two three four", .pings = {"are you there"}}));
}

TEST(FrameReader, DoesNotMindWhereItIsCut) {
    const auto text = client_frame(0x02, std::string(130, 'a')) + client_frame(0x89, "ping") + client_frame(0x00, "") +
                      client_frame(0x80, std::string(65'536, 'b')) + binary("c") + client_frame(0x88, "\x03\xe8 bye"s);
    const auto whole = decode(text);
    EXPECT_EQ(whole.data.size(), 130U + 65'536U + 1U);
    EXPECT_EQ(whole.close, CloseCode::Normal);
    for (const std::size_t size : {1U, 2U, 3U, 5U, 7U, 13U, 100U}) EXPECT_EQ(decode(text, size), whole) << size;
}

TEST(FrameReader, TakesAFrameOfAnyLengthAsItComes) {
    const auto head = "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff"s + std::string(test::mask);
    EXPECT_EQ(decode(head + test::masked("it goes on")), (Decoded{.data = "it goes on"}));
}

struct Refusal {
    std::string_view name;
    std::string text;
    CloseCode code;
};

void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.name; }

class Refusals : public testing::TestWithParam<Refusal> {};

TEST_P(Refusals, EndTheConnection) {
    const auto& [name, text, code] = GetParam();
    const auto after = binary("data before");
    for (std::size_t size = 1; size <= std::min<std::size_t>(after.size() + text.size(), 40); ++size) {
        const auto decoded = decode(after + text + binary("and behind"), size);
        EXPECT_EQ(decoded.violation, code);
        EXPECT_EQ(decoded.data, "data before");
    }
}

INSTANTIATE_TEST_SUITE_P(
    Frame, Refusals,
    testing::ValuesIn(std::vector<Refusal>{
        {"FirstReservedBit", client_frame(0xC2, "x"), CloseCode::ProtocolError},
        {"SecondReservedBit", client_frame(0xA2, "x"), CloseCode::ProtocolError},
        {"ThirdReservedBit", client_frame(0x92, "x"), CloseCode::ProtocolError},
        {"UnknownDataOpcode", client_frame(0x83, "x"), CloseCode::ProtocolError},
        {"LastDataOpcode", client_frame(0x87, "x"), CloseCode::ProtocolError},
        {"UnknownControlOpcode", client_frame(0x8B, "x"), CloseCode::ProtocolError},
        {"LastControlOpcode", client_frame(0x8F, "x"), CloseCode::ProtocolError},
        {"NotMasked", "\x82\x01x"s, CloseCode::ProtocolError},
        {"PingNotMasked", "\x89\x00"s, CloseCode::ProtocolError},
        {"Text", client_frame(0x81, "x"), CloseCode::UnsupportedData},  // [MQTT-6.0.0-1]
        {"TextInFragments", client_frame(0x01, "x"), CloseCode::UnsupportedData},
        {"ContinuationOfNothing", client_frame(0x80, "x"), CloseCode::ProtocolError},
        {"BinaryWithinAMessage", client_frame(0x02, "") + client_frame(0x82, "x"), CloseCode::ProtocolError},
        {"TextWithinAMessage", client_frame(0x02, "") + client_frame(0x81, "x"), CloseCode::ProtocolError},
        {"PingInFragments", client_frame(0x09, "x"), CloseCode::ProtocolError},
        {"LongPing", client_frame(0x89, std::string(126, 'x')), CloseCode::ProtocolError},
        {"LongClose", client_frame(0x88, std::string(70'000, 'x')), CloseCode::ProtocolError},
        {"ShortLengthIn16Bits", "\x82\xfe\x00\x7d"s + std::string(4, 'm'), CloseCode::ProtocolError},
        {"ShortLengthIn64Bits", "\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff"s + std::string(4, 'm'),
         CloseCode::ProtocolError},
        {"HighestBitOfTheLength", "\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00"s + std::string(4, 'm'),
         CloseCode::ProtocolError},
        {"CloseOfOneByte", client_frame(0x88, "x"), CloseCode::ProtocolError},
        {"Close999", client_frame(0x88, "\x03\xe7"s), CloseCode::ProtocolError},
        {"Close1004", client_frame(0x88, "\x03\xec"s), CloseCode::ProtocolError},
        {"Close1005", client_frame(0x88, "\x03\xed"s), CloseCode::ProtocolError},
        {"Close1006", client_frame(0x88, "\x03\xee"s), CloseCode::ProtocolError},
        {"Close1015", client_frame(0x88, "\x03\xf7"s), CloseCode::ProtocolError},
        {"Close5000", client_frame(0x88, "\x13\x88"s), CloseCode::ProtocolError},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(FrameReader, KnowsClosing) {
    EXPECT_EQ(decode(client_frame(0x88, "")).close, CloseCode::None);
    EXPECT_EQ(decode(client_frame(0x88, "\x03\xe9"s)).close, CloseCode{1001});
    EXPECT_EQ(decode(client_frame(0x88, "\x0f\xa0why"s)).close, CloseCode{4000});
    EXPECT_EQ(decode(binary("x") + client_frame(0x88, "") + binary("y")),
              (Decoded{.data = "x", .close = CloseCode::None}));
}

TEST(FrameHead, IsAsShortAsItCanBe) {
    const auto head = [](std::size_t size) { return std::string(as_text(FrameHead(Opcode::Binary, size).bytes())); };
    EXPECT_EQ(head(0), "\x82\x00"s);
    EXPECT_EQ(head(125), "\x82\x7d"s);
    EXPECT_EQ(head(126), "\x82\x7e\x00\x7e"s);
    EXPECT_EQ(head(65'535), "\x82\x7e\xff\xff"s);
}

TEST(CloseFrame, HoldsAsMuchAsItCan) {
    Buffer out;
    append_close(CloseCode::ProtocolError, std::string(200, 'x'), out);
    EXPECT_EQ(as_text(out.bytes()), "\x88\x7d\x03\xea"s + std::string(123, 'x'));
    out.clear();
    append_close(CloseCode::None, "", out);
    EXPECT_EQ(as_text(out.bytes()), "\x88\x00"s);
}

}  // namespace
}  // namespace chappe::web
