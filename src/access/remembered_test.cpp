#include "access/remembered.h"

#include <gtest/gtest.h>

namespace chappe::access {
namespace {

constexpr Instant now(1h);

TEST(Remembered, IsForgottenAfterItsTime) {
    Remembered<int> remembered(10s, 10);
    remembered.add("bob", 7, now);
    EXPECT_EQ(remembered.find("bob", now + 9999ms), 7);
    EXPECT_EQ(remembered.find("bob", now + 10s), std::nullopt);
    EXPECT_EQ(remembered.find("bo", now), std::nullopt);
    remembered.add("eve", 8, now, 3s);
    EXPECT_EQ(remembered.find("eve", now + 2s), 8);
    EXPECT_EQ(remembered.find("eve", now + 3s), std::nullopt);
    remembered.add("eve", 9, now, 0s);
    EXPECT_EQ(remembered.find("eve", now), 8) << "nothing new is known";
}

TEST(Remembered, IsThereForAWhileWhereItIsSaidToBe) {
    Remembered<int> remembered(10s, 10);
    remembered.add("bob", 7, now);
    EXPECT_TRUE(remembered.has("bob", now + 8s));
    EXPECT_FALSE(remembered.has("bob", now + 9s)) << "it could end before it is looked for";
}

TEST(Remembered, ForgetsWhoWasLookedForLeastLately) {
    Remembered<int> remembered(10s, 3);
    for (const auto* name : {"a", "b", "c"}) remembered.add(name, 1, now);
    EXPECT_TRUE(remembered.has("a", now));
    remembered.add("a", 2, now);  // Once more is not one more.
    remembered.add("d", 1, now);
    EXPECT_EQ(remembered.size(), 3U);
    EXPECT_FALSE(remembered.has("b", now));
    for (const auto* name : {"a", "c", "d"}) EXPECT_TRUE(remembered.has(name, now)) << name;
    EXPECT_EQ(remembered.find("a", now), 2);
}

TEST(Remembered, IsNothingWhereItShallNotBe) {
    Remembered<int> remembered(0s, 3);
    remembered.add("a", 1, now);
    EXPECT_FALSE(remembered.find("a", now));
    EXPECT_EQ(remembered.size(), 0U);
}

TEST(Remembered, TellsPartsFromOneAnother) {
    EXPECT_FALSE(joined({"bo", "b"}).equals(joined({"b", "ob"}).reveal()));
    EXPECT_FALSE(joined({"bob", ""}).equals(joined({"", "bob"}).reveal()));
    EXPECT_TRUE(joined({"bob", "x"}).equals(joined({"bob", "x"}).reveal()));
}

}  // namespace
}  // namespace chappe::access
