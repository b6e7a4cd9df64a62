#include "base/compact_text.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace chappe {
namespace {

static_assert(sizeof(CompactText) == 16);

TEST(CompactText, KeepsTextsOfEverySize) {
    std::vector<CompactText> texts;
    for (std::size_t size = 0; size < 100; ++size) texts.emplace_back(std::string(size, 'x'));
    for (std::size_t size = 0; size < 100; ++size) EXPECT_EQ(texts[size].view(), std::string(size, 'x'));
    EXPECT_EQ(CompactText(std::string(65'535, 'y')).view(), std::string(65'535, 'y'));
}

TEST(CompactText, Moves) {
    for (const std::string name : {"", "short", "exactly 15 byte", "exactly 16 bytes", "as long as it wants to be"}) {
        CompactText from(name);
        CompactText to(std::move(from));
        EXPECT_EQ(to.view(), name);
        CompactText assigned(std::string(40, 'z'));
        assigned = std::move(to);
        EXPECT_EQ(assigned.view(), name);
    }
    EXPECT_EQ(CompactText().view(), "");
}

}  // namespace
}  // namespace chappe
