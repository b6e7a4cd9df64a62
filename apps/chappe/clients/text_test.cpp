#include "apps/chappe/clients/text.h"

#include <gtest/gtest.h>

namespace chappe::app {
namespace {

TEST(Text, Base64) {  // The rows of RFC 4648, section 10.
    const std::pair<const char*, const char*> rows[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xfe\xfd", "//79"},
    };
    for (const auto& [bytes, text] : rows) EXPECT_EQ(to_base64(as_bytes(bytes)), text);
}

TEST(Text, Hex) {
    EXPECT_EQ(to_hex(as_bytes("\x01\xab"), HexCase::Lower), "01ab");
    EXPECT_EQ(to_hex(as_bytes("\x01\xab"), HexCase::Upper), "01AB");
}

TEST(Text, PercentDecoding) {
    EXPECT_EQ(percent_decode("a%40b%2fc%25").value(), "a@b/c%");
    for (const auto* wrong : {"%", "%4", "%zz", "%+1", "a% 1"})
        EXPECT_FALSE(percent_decode(wrong).has_value()) << wrong;
}

TEST(Text, Numbers) {
    EXPECT_EQ(parse_number("0", 0, 5).value(), 0);
    EXPECT_EQ(parse_number("5", 0, 5).value(), 5);
    for (const auto* wrong : {"", "6", "-1", "1.5", "1x", " 1", "99999999999999999999"}) {
        EXPECT_FALSE(parse_number(wrong, 0, 5).has_value()) << wrong;
    }
    EXPECT_EQ(parse_number("x", 1, 5).error(), "\"x\" is not a whole number from 1 to 5");
}

TEST(Text, Seconds) {
    EXPECT_EQ(parse_seconds("2").value(), 2s);
    EXPECT_EQ(parse_seconds("0.5").value(), 500ms);
    for (const auto* wrong : {"", "-1", "inf", "nan", "1s", "1e300"})
        EXPECT_FALSE(parse_seconds(wrong).has_value()) << wrong;
}

TEST(Text, ControlCharactersAreMadeVisible) {
    EXPECT_EQ(without_control_characters("a\tb\nc"), "a\tb\nc");
    EXPECT_EQ(without_control_characters("\x1b[2J\x7f\r"), "\\x1b[2J\\x7f\\x0d");
    EXPECT_EQ(without_control_characters("\xc2\x9b"
                                         "31m \xc3\xa9"),
              "\\x9b31m \xc3\xa9");
}

TEST(Text, ReasonsHaveNameAndNumber) {
    EXPECT_EQ(reason_text(mqtt::ReasonCode::QuotaExceeded, ""), "Quota exceeded (0x97)");
    EXPECT_EQ(reason_text(mqtt::ReasonCode::NotAuthorized, "rule 7"), "Not authorized (0x87): rule 7");
}

}  // namespace
}  // namespace chappe::app
