#include "crypto/password_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/password_hash.h"

namespace chappe::crypto {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string hash =
    "$6$IbDh+kpuO57RbK6J$O9067XtRGwyuekFDM+zNCAeaZ3VWqKxomhG0kjlqY59hjjsmpk/Bi7XP6FQapdLxkjTxsp1u8u9Jj//WCTvg2g==";

TEST(PasswordFile, HasNamesAndHashes) {
    const auto file =
        parse_password_file("# users\n\nalice:" + hash + "\r\n  \n b\xC3\xB6 b : " + hash + " \ncarol:" + hash);
    EXPECT_TRUE(file.findings.empty());
    ASSERT_EQ(file.entries.size(), 3);
    EXPECT_EQ(file.entries[0].name, "alice");
    EXPECT_EQ(file.entries[0].hash, hash);
    EXPECT_EQ(file.entries[0].line, 3);
    EXPECT_EQ(file.entries[1].name, "b\xC3\xB6 b");
    EXPECT_EQ(file.entries[1].hash, hash);
    EXPECT_EQ(file.entries[1].line, 5);
    EXPECT_EQ(file.entries[2].name, "carol");
    EXPECT_EQ(verify_password("correct horse", file.entries[2].hash), PasswordCheck::Match);
    EXPECT_TRUE(parse_password_file("").entries.empty());
}

std::string finding_in(const std::string& line) {
    const auto file = parse_password_file("alice:" + hash + "\n" + line + "\nbob:" + hash + "\n");
    EXPECT_EQ(file.entries.size(), 2) << line;
    if (file.findings.size() != 1 || file.findings[0].line != 2) return "not one finding";
    return file.findings[0].text;
}

TEST(PasswordFile, SaysWhichLinesCannotBeUsed) {
    EXPECT_THAT(finding_in("hunter2"), HasSubstr("NAME:HASH"));
    EXPECT_THAT(finding_in(":" + hash), HasSubstr("no name"));
    EXPECT_THAT(finding_in("carol:"), HasSubstr("no hash"));
    EXPECT_THAT(finding_in("carol:hunter2"), HasSubstr("mosquitto_passwd -U"));
    EXPECT_THAT(finding_in("carol:hunter2"), Not(HasSubstr("hunter2")));
    EXPECT_THAT(finding_in("carol:$5$hunter2"), HasSubstr("unknown kind"));
    EXPECT_THAT(finding_in("carol:$7$4000000000" + hash.substr(2)), HasSubstr("too much"));
    EXPECT_THAT(finding_in("ca\trol:" + hash), HasSubstr("control character"));
    EXPECT_THAT(finding_in(std::string("ca\0rol:", 7) + hash), HasSubstr("control character"));
    EXPECT_THAT(finding_in("ca\xFFrol:" + hash), HasSubstr("UTF-8"));
    EXPECT_THAT(finding_in(std::string(65'536, 'x') + ":" + hash), HasSubstr("65,535"));
    EXPECT_THAT(finding_in("alice:" + hash), HasSubstr("line 1"));
}

TEST(PasswordFile, TakesTheLongestName) {
    EXPECT_EQ(parse_password_file(std::string(65'535, 'x') + ":" + hash).entries.size(), 1);
}

}  // namespace
}  // namespace chappe::crypto
