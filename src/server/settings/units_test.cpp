#include "server/settings/units.h"

#include <limits>
#include <ostream>
#include <string_view>

#include <gtest/gtest.h>

namespace chappe::server {

namespace {

struct Row {
    std::string_view text;
    std::uint64_t value;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.text; }

class Size : public testing::TestWithParam<Row> {};

TEST_P(Size, IsRead) { EXPECT_EQ(parse_size(GetParam().text), GetParam().value); }

INSTANTIATE_TEST_SUITE_P(Rows, Size,
                         testing::Values(Row{"0", 0}, Row{"1048576", 1048576}, Row{"7 B", 7}, Row{"64kB", 64'000},
                                         Row{"64 KB", 64'000}, Row{"64KiB", 65'536}, Row{"16 MiB", 16'777'216},
                                         Row{"16  mib", 16'777'216}, Row{"2GB", 2'000'000'000},
                                         Row{"1GiB", 1'073'741'824}, Row{"1 TB", 1'000'000'000'000},
                                         Row{"1 TiB", 1'099'511'627'776},
                                         Row{"18446744073709551615", std::numeric_limits<std::uint64_t>::max()}));

class NoSize : public testing::TestWithParam<std::string_view> {};

TEST_P(NoSize, SaysWhatWouldBeRight) {
    EXPECT_EQ(parse_size(GetParam()).error(),
              '"' + std::string(GetParam()) +
                  "\" is not a size: write a number of bytes, or a whole number with kB, "
                  "MB, GB, KiB, MiB or GiB, such as \"16 MiB\"");
}

// "16M" is refused because it means 16 MB to some and 16 MiB to others.
INSTANTIATE_TEST_SUITE_P(Rows, NoSize,
                         testing::Values("", " ", "MiB", "16M", "16 M", "1.5 GiB", "-1", "+1", " 16 MiB", "16 MiB ",
                                         "0x10", "16 MiB 5", "5s", "16 ", "1_000"));

class Duration : public testing::TestWithParam<Row> {};

TEST_P(Duration, IsRead) { EXPECT_EQ(parse_duration(GetParam().text), GetParam().value); }

INSTANTIATE_TEST_SUITE_P(Rows, Duration,
                         testing::Values(Row{"0", 0}, Row{"600", 600}, Row{"10s", 10}, Row{"5m", 300},
                                         Row{"36h", 129'600}, Row{"90d", 7'776'000}, Row{"2w", 1'209'600},
                                         Row{"5 m", 300}, Row{"5M", 300}));

class NoDuration : public testing::TestWithParam<std::string_view> {};

TEST_P(NoDuration, SaysWhatWouldBeRight) {
    EXPECT_EQ(parse_duration(GetParam()).error(),
              '"' + std::string(GetParam()) +
                  "\" is not a duration: write a number of seconds, or a whole number "
                  "with s, m, h, d or w, such as \"5m\"");
}

INSTANTIATE_TEST_SUITE_P(Rows, NoDuration,
                         testing::Values("", "s", "1h30m", "500ms", "5 minutes", "1.5h", "-5s", "never"));

TEST(Units, RefuseWhatDoesNotFit) {
    EXPECT_EQ(parse_number("18446744073709551616").error(), "\"18446744073709551616\" is too large a number");
    EXPECT_EQ(parse_size("99999999 TiB").error(), "\"99999999 TiB\" is too large a number");
    EXPECT_EQ(parse_duration("18446744073709551615m").error(), "\"18446744073709551615m\" is too large a number");
}

TEST(Units, PrintTheShortestExactForm) {
    EXPECT_EQ(print_size(0), "0");
    EXPECT_EQ(print_size(1000), "1 kB");
    EXPECT_EQ(print_size(1001), "1001");
    EXPECT_EQ(print_size(1024), "1 KiB");
    EXPECT_EQ(print_size(64'000), "64 kB");
    EXPECT_EQ(print_size(1'536 * 1024), "1536 KiB");
    EXPECT_EQ(print_size(16 * 1024 * 1024), "16 MiB");
    EXPECT_EQ(print_duration(0), "0s");
    EXPECT_EQ(print_duration(59), "59s");
    EXPECT_EQ(print_duration(5400), "90m");
    EXPECT_EQ(print_duration(7 * 24 * 3600), "7d");
    EXPECT_EQ(print_duration(65'535), "65535s");
}

TEST(Units, ReadWhatTheyPrint) {
    for (std::uint64_t number = 1; number != 0; number <<= 1) {
        for (const auto near : {number - 1, number, number + 1, number * 1000}) {
            EXPECT_EQ(parse_size(print_size(near)), near);
            EXPECT_EQ(parse_duration(print_duration(near)), near);
        }
    }
}

}  // namespace

}  // namespace chappe::server
