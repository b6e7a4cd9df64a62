#include "accounts/valid.h"

#include <gtest/gtest.h>

#include "accounts/network.h"
#include "accounts/test_support.h"

namespace chappe::accounts {
namespace {

using test::fault;

TEST(ValidNames, AreShortTextsWithoutControlCharacters) {
    for (const auto& name : {std::string("bob"), std::string("a/+#b"), std::string("Élodie Ünal"), std::string("a b"),
                             std::string(256, 'x'), std::string("\xC2\xA0")}) {
        EXPECT_TRUE(check_name("user name", name).has_value()) << name;
    }
    const auto error = [](std::string_view name) { return fault(check_name("user name", name)).text; };
    EXPECT_EQ(error(""), "the user name is empty");
    EXPECT_EQ(error(std::string(257, 'x')), "the user name is longer than 256 bytes");
    EXPECT_EQ(error("\xC3"), "the user name is not valid UTF-8");
    EXPECT_EQ(error(std::string_view("a\0b", 3)), "the user name is not valid UTF-8");
    for (const std::string name :
         {"a\tb", "a\x1F", "\x7F", "a\xC2\x80", "a\xC2\x9F", "a\xE2\x80\xA8z", "\xE2\x80\xA9"}) {
        EXPECT_EQ(error(name), "the user name has control characters") << name;
    }
    EXPECT_EQ(error(" bob"), "the user name begins or ends with a space");
    EXPECT_EQ(error("bob "), "the user name begins or ends with a space");
    EXPECT_EQ(fault(check_name("role name", "")).text, "the role name is empty");
    EXPECT_EQ(fault(check_name("role name", "")).fault, Fault::Invalid);
}

TEST(ValidNames, MayDeserveAWarning) {
    EXPECT_EQ(name_warning("bob"), std::nullopt);
    EXPECT_EQ(name_warning("a/b"),
              "the name a/b has a '/', '+' or '#': rules with ${username} will never match for it");
    EXPECT_TRUE(name_warning("+").has_value());
    EXPECT_TRUE(name_warning("b#").has_value());
}

TEST(ValidRules, AreOneLine) {
    EXPECT_TRUE(check_rule("allow publish " + std::string(65'535, 'x')).has_value());
    EXPECT_FALSE(check_rule(std::string(rule_size_max + 1, 'x')).has_value());
    EXPECT_FALSE(check_rule("").has_value());
    EXPECT_FALSE(check_rule("   ").has_value());
    EXPECT_FALSE(check_rule("allow all a\nallow all #").has_value());
}

TEST(ValidPasswords, AreNotEmpty) {
    EXPECT_TRUE(check_password({}).has_value());
    EXPECT_TRUE(check_password({"$argon2id$...", "keys"}).has_value());
    EXPECT_EQ(fault(check_password({""})).text, "the password hash is empty");
    EXPECT_EQ(fault(check_password({.scram_keys = ""})).text, "the text of SCRAM keys is empty");
    EXPECT_FALSE(check_password({std::string(text_size_max + 1, 'x')}).has_value());
}

TEST(ValidFingerprints, HaveOneForm) {
    std::string with_colons = "AB";
    std::string plain = "ab";
    for (int i = 0; i < 31; ++i) {
        with_colons += ":0F";
        plain += "0f";
    }
    EXPECT_EQ(plain_fingerprint(with_colons), plain);
    EXPECT_EQ(plain_fingerprint(plain), plain);
    for (const auto& wrong : {std::string(), plain + "0", plain.substr(1), "x" + plain, plain + "x", plain + " ",
                              plain.substr(2) + "\xC3\xA9"}) {
        EXPECT_EQ(fault(plain_fingerprint(wrong)).fault, Fault::Invalid) << wrong;
    }
}

TEST(ValidNetworks, HaveOneForm) {
    struct Row {
        std::string_view text;
        std::optional<std::string> plain;
    };
    using namespace std::string_view_literals;
    for (const auto& [text, plain] : {
             Row{"192.0.2.7", "192.0.2.7"},
             Row{"192.0.2.7/32", "192.0.2.7"},
             Row{"192.0.2.7/31", "192.0.2.6/31"},
             Row{"192.0.2.7/20", "192.0.0.0/20"},
             Row{"192.0.2.7/0", "0.0.0.0/0"},
             Row{"::ffff:192.0.2.7", "192.0.2.7"},
             Row{"::ffff:192.0.2.7/120", "192.0.2.0/24"},
             Row{"::ffff:192.0.2.7/95", "::fffe:0:0/95"},
             Row{"2001:DB8:0:0::1", "2001:db8::1"},
             Row{"2001:db8::1/128", "2001:db8::1"},
             Row{"2001:db8:ffff::/33", "2001:db8:8000::/33"},
             Row{"::/0", "::/0"},
             Row{"::1", "::1"},
             Row{"", std::nullopt},
             Row{"192.0.2", std::nullopt},
             Row{"192.0.2.256", std::nullopt},
             Row{"192.0.2.7 ", std::nullopt},
             Row{"192.0.2.7/", std::nullopt},
             Row{"192.0.2.7/33", std::nullopt},
             Row{"192.0.2.7/-1", std::nullopt},
             Row{"192.0.2.7/8x", std::nullopt},
             Row{"192.0.2.7/99999999999", std::nullopt},
             Row{"192.0.2.7/8/8", std::nullopt},
             Row{"::1/129", std::nullopt},
             Row{"localhost", std::nullopt},
             Row{"192.0.2.7\0x"sv, std::nullopt},
         }) {
        EXPECT_EQ(plain_network(text), plain) << text;
    }
}

}  // namespace
}  // namespace chappe::accounts
