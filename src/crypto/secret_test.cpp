#include "crypto/secret.h"

#include <cstring>
#include <sstream>
#include <type_traits>

#include <gtest/gtest.h>

namespace chappe::crypto {
namespace {

template <class Type>
concept IsStreamed = requires(std::ostream& stream, const Type& value) { stream << value; };
template <class Type>
concept IsPrintedByGoogleTest = requires(std::ostream& stream, const Type& value) { PrintTo(value, &stream); };
template <class Type>
concept IsCompared = requires(const Type& value) { value == value; };

static_assert(IsStreamed<std::string> && !IsStreamed<Secret>);
static_assert(!IsPrintedByGoogleTest<Secret>);
static_assert(!IsCompared<Secret>);
static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
// What libraries of formatting look for.
static_assert(!std::is_convertible_v<Secret, std::string_view> && !std::is_constructible_v<std::string, Secret>);
static_assert(!std::is_constructible_v<std::string_view, Secret>);
// A secret is not made by accident.
static_assert(!std::is_convertible_v<std::string, Secret> && !std::is_convertible_v<std::string_view, Secret>);

TEST(Secret, HoldsBytes) {
    const Secret secret(std::string_view("a\0b", 3));
    EXPECT_EQ(secret.reveal(), std::string_view("a\0b", 3));
    EXPECT_EQ(secret.size(), 3);
    EXPECT_FALSE(secret.empty());
    EXPECT_TRUE(Secret().empty());
    EXPECT_TRUE(Secret("").empty());
    EXPECT_EQ(Secret().reveal(), "");
}

TEST(Secret, Moves) {
    Secret first("first");
    Secret second(std::move(first));
    EXPECT_EQ(second.reveal(), "first");
    EXPECT_EQ(first.reveal(), "");  // NOLINT(bugprone-use-after-move): what is left is the point.
    Secret third("third");
    third = std::move(second);
    EXPECT_EQ(third.reveal(), "first");
    auto& same = third;
    third = std::move(same);
    EXPECT_EQ(third.reveal(), "first");
}

TEST(Secret, IsComparedByItsBytes) {
    const Secret secret("password");
    EXPECT_TRUE(secret.equals("password"));
    EXPECT_FALSE(secret.equals("passwore"));
    EXPECT_FALSE(secret.equals("password "));
    EXPECT_FALSE(secret.equals("passwor"));
    EXPECT_FALSE(secret.equals(""));
    EXPECT_TRUE(Secret().equals(""));
}

TEST(Secret, LeavesNothingInWhatItWasTakenFrom) {
    for (const std::size_t size : {std::size_t{8}, std::size_t{100}}) {  // In the string itself, and outside of it.
        std::string text(size, 'x');
        const auto* bytes = text.data();
        const auto secret = Secret::taken_from(text);
        EXPECT_EQ(secret.size(), size);
        EXPECT_TRUE(text.empty());
        EXPECT_EQ(std::memchr(bytes, 'x', text.capacity()), nullptr);
    }
}

}  // namespace
}  // namespace chappe::crypto
