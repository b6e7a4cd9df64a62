#include "crypto/digest.h"

#include <gtest/gtest.h>

namespace chappe::crypto {
namespace {

std::string hexadecimal(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char byte : bytes) {
        text += digits[static_cast<unsigned char>(byte) >> 4];
        text += digits[static_cast<unsigned char>(byte) & 15];
    }
    return text;
}

TEST(Digest, IsSha2) {  // FIPS 180-2, appendices B.1, D.1 and C.1.
    EXPECT_EQ(hexadecimal(digest(Hash::Sha256, "abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hexadecimal(digest(Hash::Sha384, "abc")),
              "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
    EXPECT_EQ(hexadecimal(digest(Hash::Sha512, "abc")),
              "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
              "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Hmac, IsTheOneOfRfc2104) {  // RFC 4231, 4.3.
    constexpr std::string_view data = "what do ya want for nothing?";
    EXPECT_EQ(hexadecimal(hmac(Hash::Sha256, "Jefe", data)),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hexadecimal(hmac(Hash::Sha384, "Jefe", data)),
              "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649");
    EXPECT_EQ(hexadecimal(hmac(Hash::Sha512, "Jefe", data)),
              "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
              "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
}

TEST(Hmac, MayHaveAnEmptyKey) {
    EXPECT_EQ(hexadecimal(hmac(Hash::Sha256, {}, {})),
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Pbkdf2, IsTheOneOfRfc8018) {  // RFC 7914, 11.
    EXPECT_EQ(hexadecimal(pbkdf2(Hash::Sha256, "passwd", "salt", 1, 64)),
              "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
              "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
}

}  // namespace
}  // namespace chappe::crypto
