#include "crypto/preshared_keys.h"

#include <gmock/gmock.h>

namespace chappe::crypto {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string good_key = "000102030405060708090a0B0C0D0E0F";

std::string error_of(const std::string& text) {
    const auto parsed = PresharedKeys::parse(text);
    return parsed ? "no error" : parsed.error();
}

TEST(PresharedKeys, AreFoundByTheirIdentity) {
    const auto keys = PresharedKeys::parse("# of the pumps\n\npump-7:" + good_key + "\r\n urn:dev:8 : " + good_key +
                                           "ff \npump-9:" + good_key);
    ASSERT_TRUE(keys.has_value()) << keys.error();
    ASSERT_NE(keys->find("pump-7"), nullptr);
    EXPECT_EQ(keys->find("pump-7")->reveal(),
              std::string_view("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F", 16));
    ASSERT_NE(keys->find("urn:dev:8"), nullptr);
    EXPECT_EQ(keys->find("urn:dev:8")->size(), 17U);
    EXPECT_NE(keys->find("pump-9"), nullptr);
    EXPECT_EQ(keys->find("pump-"), nullptr);
    EXPECT_EQ(keys->find(""), nullptr);
}

TEST(PresharedKeys, SayWhatIsWrongWithoutTheKey) {
    const auto wrong = [](const std::string& key) { return error_of("pump-7:" + good_key + "\npump-8:" + key); };
    EXPECT_THAT(wrong("cafe"),
                AllOf(StartsWith("line 2: "), HasSubstr("shorter than 16 bytes"), Not(HasSubstr("cafe"))));
    EXPECT_THAT(wrong(good_key + "0"), HasSubstr("odd number"));
    EXPECT_THAT(wrong("passwordpasswordpasswordpassword"),
                AllOf(HasSubstr("not written in hexadecimal"), Not(HasSubstr("password"))));
    EXPECT_THAT(wrong(std::string(130, 'a')), HasSubstr("longer than 64 bytes"));
    EXPECT_THAT(error_of(":" + good_key), HasSubstr("no identity"));
    EXPECT_THAT(error_of(std::string(129, 'x') + ":" + good_key), HasSubstr("longer than 128 bytes"));
    EXPECT_THAT(error_of("\xFF:" + good_key), HasSubstr("not UTF-8"));
    EXPECT_THAT(error_of("a\tb:" + good_key), HasSubstr("control character"));
    EXPECT_THAT(error_of(good_key), AllOf(HasSubstr("no colon"), Not(HasSubstr(good_key))));
    EXPECT_THAT(error_of("a:" + good_key + "\na:" + good_key), AllOf(StartsWith("line 2: "), HasSubstr("already")));
    EXPECT_THAT(error_of("# nothing\n"), HasSubstr("no key"));
}

}  // namespace
}  // namespace chappe::crypto
