#include "crypto/base64.h"

#include <array>
#include <utility>

#include <gtest/gtest.h>

#include "base/random.h"

namespace chappe::crypto {
namespace {

TEST(Base64, WritesAndReadsTheExamplesOfRfc4648) {
    using Example = std::pair<std::string_view, std::string_view>;
    constexpr std::array examples = {
        Example{"", ""},
        Example{"f", "Zg=="},
        Example{"fo", "Zm8="},
        Example{"foo", "Zm9v"},
        Example{"foob", "Zm9vYg=="},
        Example{"fooba", "Zm9vYmE="},
        Example{"foobar", "Zm9vYmFy"},
    };
    for (const auto& [bytes, text] : examples) {
        const auto bare = text.substr(0, text.find('='));
        EXPECT_EQ(encode_base64(bytes), text);
        EXPECT_EQ(decode_base64(text), bytes);
        EXPECT_EQ(encode_base64(bytes, Base64::Unpadded), bare);
        EXPECT_EQ(decode_base64(bare, Base64::Unpadded), bytes);
        EXPECT_EQ(decode_base64(bare, Base64::Url), bytes);
        EXPECT_EQ(decode_base64(text, Base64::UrlPadded), bytes);
        if (bare == text) continue;
        EXPECT_EQ(decode_base64(bare), std::nullopt);
        EXPECT_EQ(decode_base64(text, Base64::Unpadded), std::nullopt);
        EXPECT_EQ(decode_base64(text, Base64::Url), std::nullopt);
    }
}

TEST(Base64, HasTwoAlphabets) {
    constexpr std::string_view bytes = "\xFB\xEF\xBE\xFF\xFF\xFF";
    EXPECT_EQ(encode_base64(bytes), "++++////");
    EXPECT_EQ(encode_base64(bytes, Base64::Url), "----____");
    EXPECT_EQ(encode_base64("\xFF", Base64::UrlPadded), "_w==");
    EXPECT_EQ(decode_base64("++++////"), bytes);
    EXPECT_EQ(decode_base64("----____", Base64::Url), bytes);
    EXPECT_EQ(decode_base64("----____"), std::nullopt);
    EXPECT_EQ(decode_base64("++++////", Base64::Url), std::nullopt);
}

TEST(Base64, RefusesWhatItWouldNotWrite) {
    for (const std::string_view text : {"Zg=", "Zg", "Z", "Z===", "====", "=", "==", "Zg==Zg==", "Zg==\n", " Zg==",
                                        "Zm9v\n", "Zm 9", "Zm9*", "Zh==", "Zm9=", "Zg=a", "Z\xC3\xA9=", "Zm9v===="}) {
        EXPECT_EQ(decode_base64(text), std::nullopt) << text;
    }
    EXPECT_EQ(decode_base64(std::string_view("Zm9\0", 4)), std::nullopt);
    EXPECT_EQ(decode_base64("Zh", Base64::Url), std::nullopt);
    EXPECT_EQ(decode_base64("Z", Base64::Url), std::nullopt);
    EXPECT_EQ(decode_base64("Zm9vZ", Base64::Url), std::nullopt);
}

TEST(Base64, ReadsWhatItHasWritten) {
    Random random(1);
    for (std::size_t size = 0; size != 200; ++size) {
        std::string bytes;
        while (bytes.size() != size) bytes += static_cast<char>(random.below(256));
        for (const auto form : {Base64::Padded, Base64::Unpadded, Base64::Url, Base64::UrlPadded}) {
            EXPECT_EQ(decode_base64(encode_base64(bytes, form), form), bytes);
        }
    }
}

}  // namespace
}  // namespace chappe::crypto
