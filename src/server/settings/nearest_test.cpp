#include "server/settings/nearest.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace chappe::server {

namespace {

constexpr std::array<std::string_view, 4> names = {"listen", "shards", "data_directory", "level"};

TEST(Nearest, FindsOneMistake) {
    EXPECT_EQ(nearest("listn", names), "listen");    // One letter missing,
    EXPECT_EQ(nearest("lissten", names), "listen");  // too many,
    EXPECT_EQ(nearest("liszen", names), "listen");   // wrong,
    EXPECT_EQ(nearest("lisetn", names), "listen");   // or two of them swapped.
    EXPECT_EQ(nearest("Listen", names), "listen");
}

TEST(Nearest, AllowsMoreMistakesInLongerWords) {
    EXPECT_EQ(nearest("data_directroyy", names), "data_directory");
    EXPECT_EQ(nearest("dat_dir", names), std::nullopt);
    EXPECT_EQ(nearest("lv", names), std::nullopt);
}

TEST(Nearest, PrefersTheClosest) {
    constexpr std::array<std::string_view, 3> close = {"abcdxx", "abcdex", "abcdef"};
    EXPECT_EQ(nearest("abcdef", close), "abcdef");
    EXPECT_EQ(nearest("abcdeg", close), "abcdex");
}

TEST(Nearest, GivesUpOnWhatIsNoName) {
    EXPECT_EQ(nearest("", names), std::nullopt);
    EXPECT_EQ(nearest("colour", names), std::nullopt);
    const std::string long_name(65, 'a');
    const std::array<std::string_view, 1> only_that = {long_name};
    EXPECT_EQ(nearest(long_name, only_that), std::nullopt);
}

}  // namespace

}  // namespace chappe::server
