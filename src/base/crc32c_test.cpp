#include "base/crc32c.h"

#include <string>

#include <gtest/gtest.h>

namespace chappe {
namespace {

std::uint32_t of(const std::string& text) { return crc32c(as_bytes(text)); }

// RFC 3720, B.4, where the bytes of each are in the order in which they are sent: the lowest first.
TEST(Crc32c, IsThatOfTheStandard) {
    std::string rising;
    for (char byte = 0; byte != 32; ++byte) rising += byte;
    EXPECT_EQ(of(std::string(32, '\0')), 0x8a9136aaU);
    EXPECT_EQ(of(std::string(32, '\xff')), 0x62a8ab43U);
    EXPECT_EQ(of(rising), 0x46dd794eU);
    EXPECT_EQ(of({rising.rbegin(), rising.rend()}), 0x113fdb5cU);
    EXPECT_EQ(of(""), 0U);
}

TEST(Crc32c, GoesOnWhereItWasCut) {
    const std::string text = "123456789";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        EXPECT_EQ(crc32c(as_bytes(text).subspan(cut), of(text.substr(0, cut))), 0xe3069283U) << cut;
    }
}

}  // namespace
}  // namespace chappe
