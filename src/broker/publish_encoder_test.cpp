#include "broker/publish_encoder.h"

#include <string>

#include <gtest/gtest.h>

namespace chappe::broker {
namespace {

TEST(PublishEncoder, GivesBackTheMemoryOfLargePackets) {
    constexpr std::size_t kept_bytes_max = 1000;
    const std::string properties(2 * kept_bytes_max, 'p');
    const auto large = Message::create({.topic = "a", .properties = as_bytes(properties)});
    const auto small = Message::create({.topic = "a"});
    const Variant variant{.v5 = true};
    PublishEncoder encoder;
    EXPECT_GT(encoder.head(large, variant, {}).bytes.size(), properties.size());
    EXPECT_GT(encoder.head_with_alias(large, variant, {.alias = 1, .known = false}, {}).bytes.size(),
              properties.size());
    encoder.forget();
    encoder.release_larger(kept_bytes_max);
    EXPECT_LE(encoder.head(small, variant, {}).bytes.capacity(), kept_bytes_max);
    EXPECT_LE(encoder.head_with_alias(small, variant, {.alias = 1, .known = false}, {}).bytes.capacity(),
              kept_bytes_max);
    const auto before = encoder.head(small, variant, {}).bytes.data();
    encoder.release_larger(kept_bytes_max);
    EXPECT_EQ(encoder.head(small, variant, {}).bytes.data(), before);
}

}  // namespace
}  // namespace chappe::broker
