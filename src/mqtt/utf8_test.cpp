#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "mqtt/topic.h"

namespace chappe::mqtt {
namespace {

struct CodePoint {
    std::uint32_t value;
    std::size_t size;
};

// A plain decoder to compare with: takes the bits as the lead byte announces them, and judges the value afterwards.
std::optional<CodePoint> first_code_point(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const auto lead = byte(0);
    const std::size_t size = lead < 0x80            ? 1
                             : lead >> 5 == 0b110   ? 2
                             : lead >> 4 == 0b1110  ? 3
                             : lead >> 3 == 0b11110 ? 4
                                                    : 0;
    if (size == 0 || size > text.size()) return std::nullopt;
    std::uint32_t value = size == 1 ? lead : lead & (0xFFU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        if (byte(i) >> 6 != 0b10) return std::nullopt;
        value = value << 6 | (byte(i) & 0x3FU);
    }
    return CodePoint{value, size};
}

bool is_valid_by_the_book(std::string_view text) {
    constexpr std::array<std::uint32_t, 5> smallest = {0, 1, 0x80, 0x800, 0x1'0000};
    while (!text.empty()) {
        const auto point = first_code_point(text);
        if (!point || point->value < smallest[point->size] || point->value > 0x10'FFFF) return false;
        if (point->value >= 0xD800 && point->value <= 0xDFFF) return false;
        text.remove_prefix(point->size);
    }
    return true;
}

std::string utf8(std::uint32_t point) {
    const auto tail = [&](int shift) { return static_cast<char>(0x80 | (point >> shift & 0x3F)); };
    if (point < 0x80) return {static_cast<char>(point)};
    if (point < 0x800) return {static_cast<char>(0xC0 | point >> 6), tail(0)};
    if (point < 0x1'0000) return {static_cast<char>(0xE0 | point >> 12), tail(6), tail(0)};
    return {static_cast<char>(0xF0 | point >> 18), tail(12), tail(6), tail(0)};
}

TEST(Utf8, AllowsEveryCodePointButNullAndSurrogates) {  // [MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT3-1.5.3-1] [MQTT3-1.5.3-2]
    std::uint32_t wrong = 0;
    for (std::uint32_t point = 0; point <= 0x10'FFFF; ++point) {
        const auto allowed = point != 0 && (point < 0xD800 || point > 0xDFFF);
        if (is_valid_utf8(utf8(point)) != allowed) ++wrong;
    }
    EXPECT_EQ(wrong, 0U);
}

// All texts of up to four bytes out of those at which the rules change.
TEST(Utf8, AgreesWithTheBookOnAllShortTexts) {
    constexpr std::array<unsigned char, 28> edges = {0x00, 0x01, 0x2B, 0x7F, 0x80, 0x81, 0x8F, 0x90, 0x9F, 0xA0,
                                                     0xBE, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED,
                                                     0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
    EXPECT_TRUE(is_valid_utf8(""));
    std::size_t wrong = 0;
    std::size_t texts = 1;
    std::string text;
    for (std::size_t size = 1; size <= 4; ++size) {
        texts *= edges.size();
        text.resize(size);
        for (std::size_t number = 0; number < texts; ++number) {
            auto rest = number;
            for (auto& c : text) {
                c = static_cast<char>(edges[rest % edges.size()]);
                rest /= edges.size();
            }
            if (is_valid_utf8(text) != is_valid_by_the_book(text)) ++wrong;
        }
    }
    EXPECT_EQ(wrong, 0U);
}

// The fast path takes eight bytes at a time: each fault is seen at every place in and around such a step.
TEST(Utf8, SeesAFaultAtEveryPlace) {
    constexpr std::array<std::string_view, 6> faults = {std::string_view("\0", 1), "\x80", "\xC0\xAF", "\xED\xA0\x80",
                                                        "\xF4\x90\x80\x80",        "\xFF"};
    for (std::size_t before = 0; before < 20; ++before) {
        for (std::size_t after = 0; after < 20; ++after) {
            EXPECT_TRUE(is_valid_utf8(std::string(before, 'a') + "\xE2\x82\xAC" + std::string(after, '\x01')));
            EXPECT_TRUE(is_valid_utf8(std::string(before, '\x7F') + "\x01" + std::string(after, '\x7F')));
            for (const auto fault : faults) {
                EXPECT_FALSE(is_valid_utf8(std::string(before, 'a').append(fault) + std::string(after, 'a')));
            }
        }
    }
}

TEST(Utf8, SeesACodePointCutOffAtTheEnd) {
    for (std::size_t before = 0; before < 10; ++before) {
        for (const std::string_view cut : {"\xC3", "\xE2\x82", "\xF0\x9F\x98", "\xF0"}) {
            EXPECT_FALSE(is_valid_utf8(std::string(before, 'a').append(cut)));
        }
    }
}

}  // namespace
}  // namespace chappe::mqtt
