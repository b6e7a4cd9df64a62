#include "ldap/escape.h"

#include <gtest/gtest.h>

#include "ldap/syntax.h"

namespace chappe::ldap {
namespace {

using namespace std::string_view_literals;

TEST(Escape, LeavesNothingInAFilterThatMeansSomething) {
    EXPECT_EQ(escape_in_filter("pump-7"), "pump-7");
    EXPECT_EQ(escape_in_filter("*)(uid="), R"(\2a\29\28uid=)");
    EXPECT_EQ(escape_in_filter(R"(a\b)"), R"(a\5cb)");
    EXPECT_EQ(escape_in_filter("a\0b"sv), R"(a\00b)");
    EXPECT_EQ(escape_in_filter("Zoë & | !"), "Zoë & | !");
    EXPECT_EQ(escape_in_filter(""), "");
}

TEST(Escape, LeavesNothingInADistinguishedNameThatMeansSomething) {
    EXPECT_EQ(escape_in_dn("pump-7"), "pump-7");
    EXPECT_EQ(escape_in_dn("x,ou=admins"), R"(x\2cou\3dadmins)");
    EXPECT_EQ(escape_in_dn(R"(a+b"c\d<e>f;g)"), R"(a\2bb\22c\5cd\3ce\3ef\3bg)");
    EXPECT_EQ(escape_in_dn("#a#"), R"(\23a#)");
    EXPECT_EQ(escape_in_dn(" a b "), R"(\20a b\20)");
    EXPECT_EQ(escape_in_dn(" "), R"(\20)");
    EXPECT_EQ(escape_in_dn("a\0b"sv), R"(a\00b)");
    EXPECT_EQ(escape_in_dn("\ta\r\n"), R"(\09a\0d\0a)");
    EXPECT_EQ(escape_in_dn("Zoë"), "Zoë");
    EXPECT_EQ(escape_in_dn(""), "");
}

// Every byte alone, at the beginning, in the middle and at the end.
TEST(Escape, MakesWhatTheLibraryUnderstandsOfEveryByte) {
    for (int code = 0; code != 256; ++code) {
        const std::string byte(1, static_cast<char>(code));
        for (const auto& value : {byte, byte + "a", "a" + byte + "a", "a" + byte, byte + byte}) {
            EXPECT_TRUE(is_filter("(uid=" + escape_in_filter(value) + ")")) << code;
            EXPECT_EQ(first_value_of("uid=" + escape_in_dn(value) + ",ou=people"), value) << code;
        }
    }
}

TEST(Syntax, KnowsFiltersAndNames) {
    for (const auto* good : {"(uid=x)", "(&(objectClass=person)(|(uid=x)(mail=x@y)))", "(!(uid=*))",
                             "(member:1.2.840.113556.1.4.1941:=cn=x)"}) {
        EXPECT_TRUE(is_filter(good)) << good;
    }
    for (const auto* bad : {"", "(uid=x", "uid=x)", "(uid=x))", "(&(uid=x)", "(uid=x)(cn=y)", "()", "(uid)", "(&)",
                            "(!(uid=x)(cn=y))", "(uid=x)y", "(&(uid=x)y)", R"((uid=\2))"}) {
        EXPECT_FALSE(is_filter(bad)) << bad;
    }
    const auto nested = [](int depth) {
        std::string text = "(uid=x)";
        for (int i = 0; i != depth; ++i) text = "(!" + text + ")";
        return text;
    };
    EXPECT_TRUE(is_filter(nested(20)));
    EXPECT_FALSE(is_filter(nested(100'000)));
    EXPECT_TRUE(is_dn("uid=x,ou=people,dc=example,dc=org"));
    for (const auto* bad : {"", "x", "uid=x,,dc=org", "uid=x,ou"}) EXPECT_FALSE(is_dn(bad)) << bad;
}

TEST(Syntax, KnowsUrlsOfServers) {
    const auto plain = parse_url("ldap://dc1.example.org");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->host, "dc1.example.org");
    EXPECT_FALSE(plain->is_tls);
    EXPECT_TRUE(parse_url("ldaps://[::1]:1636")->is_tls);
    EXPECT_EQ(parse_url("ldaps://[::1]:1636")->host, "::1");
    EXPECT_TRUE(parse_url("ldap://localhost/"));
    for (const auto* bad : {"", "dc1", "http://dc1", "ldapi:///", "ldap://", "ldap://dc1:x", "ldap://dc1/dc=example",
                            "ldap://dc1 ldap://dc2", "cldap://dc1"}) {
        EXPECT_FALSE(parse_url(bad)) << bad;
    }
}

}  // namespace
}  // namespace chappe::ldap
