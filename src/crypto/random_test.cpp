#include "crypto/random.h"

#include <algorithm>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chappe::crypto {
namespace {

TEST(RandomBytes, AreAsManyAsAskedForAndNeverTheSame) {
    std::set<std::string> seen;
    for (int round = 0; round != 100; ++round) {
        const auto bytes = random_bytes(16);
        EXPECT_EQ(bytes.size(), 16);
        EXPECT_TRUE(seen.insert(bytes).second);
    }
    EXPECT_EQ(random_bytes(0), "");
}

TEST(RandomPassword, IsEasyToRead) {
    std::set<char> seen;
    for (int round = 0; round != 100; ++round) {
        const auto password = random_password();
        const std::string text(password.reveal());
        ASSERT_EQ(text.size(), 23);
        for (std::size_t at = 0; at != text.size(); ++at) EXPECT_EQ(text[at] == '-', at % 6 == 5) << text;
        EXPECT_EQ(text.find_first_of("01ilo"), std::string::npos) << text;
        seen.insert(text.begin(), text.end());
    }
    // 2,000 characters: that one of 31 never comes has a chance below 1e-27.
    EXPECT_EQ(seen.size(), 31 + 1);
}

}  // namespace
}  // namespace chappe::crypto
