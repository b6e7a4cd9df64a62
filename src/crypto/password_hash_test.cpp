#include "crypto/password_hash.h"

#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chappe::crypto {
namespace {

constexpr Argon2Cost small{.memory_kib = 64, .passes = 1, .lanes = 2};

struct Recorded {
    std::string_view password;
    std::string_view stored;
};

constexpr std::array recorded = {
    // Written by mosquitto_passwd of Debian 12 (2.0.11).
    Recorded{"correct horse",
             "$6$IbDh+kpuO57RbK6J$O9067XtRGwyuekFDM+zNCAeaZ3VWqKxomhG0kjlqY59hjjsmpk/"
             "Bi7XP6FQapdLxkjTxsp1u8u9Jj//WCTvg2g=="},
    Recorded{"battery staple",
             "$7$101$IjfdGCEP5WB3vkel$awLnoaO2uaNQK6INCzb6r4sQ/bBhoAQse9MfVdV3EFodChpVMaJvVqapqGL+6l"
             "+EnKnId+z/rq27obIa5rJTGw=="},
    Recorded{"",
             "$7$101$D9h/jRwlju6x301a$xKvtYrnp9UPzb+cHDEJhGkgXetEcxR4tQUPQ1rrCLlOt0eR6NzEast3ZbCKrXleTL+1SFlx28ETXd"
             "qPKU/C5dA=="},
    Recorded{"b",
             "$7$1000$qBOcRbXlGcGTXfSM$xKLmGLmEoEhe5nICQ74GUU+/4nmtWTiawKTpuB1GuGVAFF0KRbIb+3ooQg4WnzOKnsXEEZTp5B1"
             "cTqWSoyFsxQ=="},
    // Written by the Python package cryptography.
    Recorded{"correct horse",
             "$argon2id$v=19$m=64,t=1,p=2$c2FsdHNhbHRzYWx0c2FsdA$B9xkBqvxXZts/NhysGGUTfv/bK7FcKdufCDvKNfQqz0"},
    Recorded{"correct horse",
             "$argon2id$v=19$m=256,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$j2XvmacbHphFDyyA14YErzZEJ2+WXbUgRbvtE5sDtf0"},
    // From the tests of the reference implementation.
    Recorded{"password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"},
    Recorded{"password", "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY"},
};

TEST(PasswordHash, ChecksWhatOthersHaveWritten) {
    for (const auto& [password, stored] : recorded) {
        EXPECT_TRUE(is_password_hash(stored)) << stored;
        EXPECT_EQ(verify_password(password, stored), PasswordCheck::Match) << stored;
        EXPECT_EQ(verify_password(std::string(password) + "x", stored), PasswordCheck::Mismatch) << stored;
        if (password.empty()) continue;
        EXPECT_EQ(verify_password("", stored), PasswordCheck::Mismatch) << stored;
    }
}

TEST(PasswordHash, ChecksWhatItHasWritten) {
    for (const std::string& password :
         {std::string("a"), std::string(), std::string("a\0b", 3), std::string(65'535, 'x')}) {
        const auto stored = hash_password(password, small);
        EXPECT_TRUE(stored.starts_with("$argon2id$v=19$m=64,t=1,p=2$")) << stored;
        EXPECT_EQ(verify_password(password, stored), PasswordCheck::Match);
        EXPECT_EQ(verify_password(password + 'x', stored), PasswordCheck::Mismatch);
    }
    EXPECT_NE(hash_password("a", small), hash_password("a", small));
}

TEST(PasswordHash, CostsWhatOwaspRecommends) {
    const auto stored = hash_password("a");
    EXPECT_TRUE(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << stored;
    EXPECT_FALSE(needs_rehash(stored));
}

TEST(PasswordHash, RefusesWhatIsNoHash) {
    const std::string salt = "c29tZXNhbHQ";
    const std::string hash = "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    const std::string sha = "O9067XtRGwyuekFDM+zNCAeaZ3VWqKxomhG0kjlqY59hjjsmpk/Bi7XP6FQapdLxkjTxsp1u8u9Jj//WCTvg2g==";
    ASSERT_TRUE(is_password_hash("$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + hash));
    for (const auto& stored : {
             std::string(),
             std::string("password"),
             std::string("$"),
             std::string("$$"),
             std::string("$6$"),
             "$5$" + salt + "=$" + sha,
             "$6$" + salt + "$" + sha,
             "$6$" + salt + "=$" + sha + "$",
             "$6$" + salt + "=$Zm9v",
             "$7$0$" + salt + "=$" + sha,
             "$7$-1$" + salt + "=$" + sha,
             "$7$0101$" + salt + "=$" + sha,
             "$7$101x$" + salt + "=$" + sha,
             "$7$$" + salt + "=$" + sha,
             "$7$5000001$" + salt + "=$" + sha,
             "$7$4294967297$" + salt + "=$" + sha,
             "$argon2$v=19$m=256,t=2,p=1$" + salt + "$" + hash,
             "$argon2id$v=18$m=256,t=2,p=1$" + salt + "$" + hash,
             "$argon2id$v=19$t=2,m=256,p=1$" + salt + "$" + hash,
             "$argon2id$v=19$m=256,t=2$" + salt + "$" + hash,
             "$argon2id$v=19$m=256,t=2,p=1,k=1$" + salt + "$" + hash,
             "$argon2id$v=19$m=256,t=0,p=1$" + salt + "$" + hash,
             "$argon2id$v=19$m=256,t=2,p=0$" + salt + "$" + hash,
             "$argon2id$v=19$m=15,t=2,p=2$" + salt + "$" + hash,
             "$argon2id$v=19$m=256,t=2,p=1$c29tZXM$" + hash,
             "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$Zm9v",
             "$argon2id$v=19$m=256,t=2,p=1$" + salt + "=$" + hash,
             "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + hash + "$" + hash,
             "$argon2id$v=19$m=256,t=2,p=1$" + std::string(4096, 'A') + "$" + hash,
             // One step beyond each bound.
             "$argon2id$v=19$m=1048577,t=1,p=1$" + salt + "$" + hash,
             "$argon2id$v=19$m=1048576,t=5,p=1$" + salt + "$" + hash,
             "$argon2id$v=19$m=8,t=4294967295,p=1$" + salt + "$" + hash,
             "$argon2id$v=19$m=1024,t=1,p=65$" + salt + "$" + hash,
         }) {
        EXPECT_FALSE(is_password_hash(stored)) << stored;
        EXPECT_EQ(verify_password("password", stored), PasswordCheck::Unreadable) << stored;
        EXPECT_TRUE(needs_rehash(stored)) << stored;
    }
    EXPECT_TRUE(is_password_hash("$argon2id$v=19$m=1048576,t=4,p=64$" + salt + "$" + hash));
    EXPECT_TRUE(is_password_hash("$7$5000000$" + salt + "=$" + sha));
}

TEST(PasswordHash, IsMadeAgainWhereItIsWeaker) {
    for (const auto& [password, stored] : recorded) EXPECT_TRUE(needs_rehash(stored)) << stored;
    const auto stored = hash_password("a", small);
    EXPECT_FALSE(needs_rehash(stored, small));
    EXPECT_FALSE(needs_rehash(stored, {.memory_kib = 32, .passes = 1, .lanes = 1}));
    EXPECT_TRUE(needs_rehash(stored, {.memory_kib = 65, .passes = 1, .lanes = 2}));
    EXPECT_TRUE(needs_rehash(stored, {.memory_kib = 64, .passes = 2, .lanes = 2}));
    EXPECT_TRUE(
        needs_rehash("$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", small));
}

}  // namespace
}  // namespace chappe::crypto
