#include "proxy/header.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "proxy/test_support.h"

namespace chappe::proxy {
namespace {

using namespace std::string_literals;
using test::field;
using test::ipv4_addresses;
using test::ssl_field;
using test::v2;
using testing::HasSubstr;

Parsed parsed(const std::string& text) { return parse_header(as_bytes(text)); }

// Of a header that is whole: who the client is; "-" where nothing is told.
std::string client_of(const std::string& text) {
    const auto header = parsed(text);
    if (!header) return std::string(header.error());
    if (!*header) return "needs more";
    EXPECT_EQ((*header)->size, text.size());
    return (*header)->client ? net::to_text(*(*header)->client) : "-";
}

std::string name_of(const std::string& text) {
    const auto header = parsed(text);
    if (!header) return std::string(header.error());
    if (!*header) return "needs more";
    if (!(*header)->tls) return "no TLS";
    return (*header)->tls->certificate ? (*header)->tls->certificate->common_name : "no certificate";
}

const std::string line = "PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n";
const std::string ipv6_addresses(
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\5\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\6\x01\x02\3\4", 36);

std::string unix_addresses(std::string path) {
    path.resize(216);
    return path;
}

// With the checksum first of the fields, behind a beginning of 16 bytes, 12 of addresses and 3 of its own.
std::string with_checksum(const std::string& fields) {
    auto text = v2(0x21, 0x11, ipv4_addresses + field(0x03, "\0\0\0\0"s) + fields);
    return text.replace(31, 4, test::big_endian(crc32c(as_bytes(text)), 4));
}

struct Row {
    std::string_view name;
    std::string text;
    std::string client;  // Or the error.
};

// NOLINTNEXTLINE(readability-identifier-naming): the name that GoogleTest looks for.
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class Good : public testing::TestWithParam<Row> {};

// Cut anywhere it needs more; whatever follows it is not looked at.
TEST_P(Good, IsTakenWhole) {
    const auto& text = GetParam().text;
    EXPECT_EQ(client_of(text), GetParam().client);
    for (std::size_t size = 0; size != text.size(); ++size) {
        const auto part = parsed(text.substr(0, size));
        ASSERT_TRUE(part.has_value()) << size << ": " << part.error();
        ASSERT_FALSE(part->has_value()) << size;
    }
    for (const auto& rest : {"\x10"s, "\r\n"s, line, std::string(100'000, 'x')}) {
        const auto header = parsed(text + rest);
        ASSERT_TRUE(header.has_value() && header->has_value());
        EXPECT_EQ((*header)->size, text.size());
    }
}

INSTANTIATE_TEST_SUITE_P(
    Header, Good,
    testing::ValuesIn(std::vector<Row>{
        {"Tcp4", line, "203.0.113.7:56324"},
        {"Tcp6", "PROXY TCP6 2001:db8::5 2001:DB8::6 1 65535\r\n", "[2001:db8::5]:1"},
        {"Tcp6OfIpv4", "PROXY TCP6 ::ffff:203.0.113.7 ::1 1 2\r\n", "203.0.113.7:1"},
        {"LeastPorts", "PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0:0"},
        {"Most", "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535"},
        {"Unknown", "PROXY UNKNOWN\r\n", "-"},
        // The longest line of version 1, from its specification.
        {"UnknownWithMore",
         "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
         "65535\r\n",
         "-"},
        {"Ipv4", v2(0x21, 0x11, ipv4_addresses), "203.0.113.7:56324"},
        {"Ipv6", v2(0x21, 0x21, ipv6_addresses), "[2001:db8::5]:258"},
        {"Unix", v2(0x21, 0x31, unix_addresses("/run/client.sock")), "unix:/run/client.sock"},
        {"UnixWithTheLongestPath", v2(0x21, 0x31, unix_addresses(std::string(216, 'x'))),
         "unix:" + std::string(108, 'x')},
        {"UnixWithoutAPath", v2(0x21, 0x31, unix_addresses("")), "unix:"},
        {"UnixWithAPathThatIsNoText", v2(0x21, 0x31, unix_addresses("/run/\xff")), "unix:"},
        {"Local", v2(0x20, 0x00, ""), "-"},
        {"LocalWithAddresses", v2(0x20, 0x11, ipv4_addresses), "-"},
        {"LocalWithAnything", v2(0x20, 0xff, "x"), "-"},
        {"Unspecified", v2(0x21, 0x00, ""), "-"},
        {"UnspecifiedWithAnything", v2(0x21, 0x00, "x"), "-"},
        {"EmptyField", v2(0x21, 0x11, ipv4_addresses + field(0x04, "")), "203.0.113.7:56324"},
        {"UnknownFields", v2(0x21, 0x11, ipv4_addresses + field(0x04, std::string(300, 'x')) + field(0xff, "y")),
         "203.0.113.7:56324"},
        {"Checksum", with_checksum(""), "203.0.113.7:56324"},
        {"ChecksumBeforeMore", with_checksum(ssl_field(7, 0, "pump-7")), "203.0.113.7:56324"},
        {"AsLongAsCanBe", v2(0x21, 0x11, ipv4_addresses + field(0x04, std::string(header_size_max - 31, 'x'))),
         "203.0.113.7:56324"},
    }),
    [](const auto& row) { return std::string(row.param.name); });

class Wrong : public testing::TestWithParam<Row> {};

TEST_P(Wrong, IsRefused) { EXPECT_THAT(client_of(GetParam().text), HasSubstr(GetParam().client)); }

const std::string words = "does not have five words";
const std::string no_address = "the client's address is not one of its family";
const std::string no_header = "does not begin with one";
const std::string within = "ends within one of its fields";

INSTANTIATE_TEST_SUITE_P(
    Header, Wrong,
    testing::ValuesIn(std::vector<Row>{
        {"Mqtt", "\x10\x0c\0\4MQTT"s, no_header},
        {"Tls", "\x16\x03\x01", no_header},
        {"Http", "GET /", no_header},
        {"SmallLetters", "proxy ", no_header},
        {"AlmostVersion1", "PROXX", no_header},
        {"NoSpace", "PROXY\r\n", no_header},
        {"AlmostVersion2", "\r\n\r\n\r", no_header},
        {"AnotherSignature", "\r\n\r\n\0\r\nQUIT\r\x21"s, no_header},
        {"NoWords", "PROXY \r\n", words},
        {"FamilyAlone", "PROXY TCP4\r\n", words},
        {"OneWordLess", "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n", words},
        {"OneWordMore", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n", words},
        {"SpaceAtTheEnd", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n", words},
        {"TwoSpaces", "PROXY TCP4  1.2.3.4 5.6.7.8 1\r\n", no_address},
        {"AnotherFamily", "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n", "not of TCP4"},
        {"FamilyInSmallLetters", "PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n", "not of TCP4"},
        {"LongerUnknown", "PROXY UNKNOWNS 1.2.3.4 5.6.7.8 1 2\r\n", "not of TCP4"},
        {"Name", "PROXY TCP4 localhost 5.6.7.8 1 2\r\n", no_address},
        {"OctetTooLarge", "PROXY TCP4 1.2.3.256 5.6.7.8 1 2\r\n", no_address},
        {"Ipv6AsTcp4", "PROXY TCP4 ::1 5.6.7.8 1 2\r\n", no_address},
        {"Ipv4AsTcp6", "PROXY TCP6 1.2.3.4 ::1 1 2\r\n", no_address},
        {"Scope", "PROXY TCP6 fe80::1%1 ::1 1 2\r\n", no_address},
        {"AddressWithZero", "PROXY TCP4 1.2.3.4\0 5.6.7.8 1 2\r\n"s, no_address},
        {"AddressOfProxy", "PROXY TCP4 1.2.3.4 here 1 2\r\n", "the proxy's address is not one of its family"},
        {"Ipv6OfProxyAsTcp4", "PROXY TCP4 1.2.3.4 ::1 1 2\r\n", "the proxy's address is not one of its family"},
        {"PortTooLarge", "PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n", "a port is not a number up to 65535"},
        {"PortBelowZero", "PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n", "a port is not a number up to 65535"},
        {"PortWithPlus", "PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n", "a port is not a number up to 65535"},
        {"PortWithLeadingZero", "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n", "a port is not a number up to 65535"},
        {"PortWithTab", "PROXY TCP4 1.2.3.4 5.6.7.8 1\t 2\r\n", "a port is not a number up to 65535"},
        {"PortOfProxy", "PROXY TCP4 1.2.3.4 5.6.7.8 1 x\r\n", "a port is not a number up to 65535"},
        {"LineFeedAlone", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\nPROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", words},
        {"NoEnd", "PROXY UNKNOWN " + std::string(107 - 14, 'x'), "does not end after 107 bytes"},
        {"EndTooLate", "PROXY UNKNOWN " + std::string(108 - 16, 'x') + "\r\n", "does not end after 107 bytes"},
        {"Version1InVersion2", v2(0x11, 0x11, ipv4_addresses), "version or command is unknown"},
        {"Version3", v2(0x31, 0x11, ipv4_addresses), "version or command is unknown"},
        {"AnotherCommand", v2(0x22, 0x11, ipv4_addresses), "version or command is unknown"},
        {"CommandAsSoonAsItIsSeen", v2(0x2f, 0, "").substr(0, 13), "version or command is unknown"},
        {"TooLong", v2(0x21, 0x11, std::string(header_size_max - 15, 'x')).substr(0, 16), "more than 16 KiB"},
        {"LongestLength", v2(0x20, 0x00, std::string(65535, 'x')).substr(0, 16), "more than 16 KiB"},
        {"Udp", v2(0x21, 0x12, ipv4_addresses), "neither by TCP nor by a Unix socket"},
        {"TcpOfNoFamily", v2(0x21, 0x01, ipv4_addresses), "neither by TCP nor by a Unix socket"},
        {"AnotherFamilyOfVersion2", v2(0x21, 0x41, ipv4_addresses), "neither by TCP nor by a Unix socket"},
        {"NoAddresses", v2(0x21, 0x11, ""), within},
        {"ShortIpv4", v2(0x21, 0x11, ipv4_addresses.substr(1)), within},
        {"ShortIpv6", v2(0x21, 0x21, ipv6_addresses.substr(1)), within},
        {"ShortUnix", v2(0x21, 0x31, std::string(215, 'x')), within},
        {"OneByteOfAField", v2(0x21, 0x11, ipv4_addresses + "\4"), within},
        {"TwoBytesOfAField", v2(0x21, 0x11, ipv4_addresses + "\4\0"s), within},
        {"FieldBeyondTheEnd", v2(0x21, 0x11, ipv4_addresses + "\4\0\1"s), within},
        {"LongFieldBeyondTheEnd", v2(0x21, 0x11, ipv4_addresses + "\4\xff\xff"), within},
        {"ShortTls", v2(0x21, 0x11, ipv4_addresses + field(0x20, "\x01\0\0\0"s)), within},
        {"CutFieldOfTls", v2(0x21, 0x11, ipv4_addresses + field(0x20, "\x07\0\0\0\0\x22\0\5pump"s)), within},
        {"ShortChecksum", v2(0x21, 0x11, ipv4_addresses + field(0x03, "\0\0\0"s)), "checksum does not have 4 bytes"},
        {"LongChecksum", v2(0x21, 0x11, ipv4_addresses + field(0x03, "\0\0\0\0\0"s)), "checksum does not have 4 bytes"},
        {"ChecksumTwice", with_checksum(field(0x03, "1234")), "has a field twice"},
        {"TlsTwice", v2(0x21, 0x11, ipv4_addresses + ssl_field(7, 0, "a") + ssl_field(7, 0, "b")), "has a field twice"},
        {"NameTwice", v2(0x21, 0x11, ipv4_addresses + field(0x20, "\7\0\0\0\0"s + field(0x22, "a") + field(0x22, "b"))),
         "has a field twice"},
        {"NameThatIsNoText", v2(0x21, 0x11, ipv4_addresses + ssl_field(7, 0, "pump\xff")), "is not UTF-8"},
        {"NameWithZero", v2(0x21, 0x11, ipv4_addresses + ssl_field(7, 0, "pump\0admin"s)), "is not UTF-8"},
    }),
    [](const auto& row) { return std::string(row.param.name); });

// Fields of which only a part is told to be there, for each size that it can have.
TEST(Header, IsRefusedWhereItsFieldsAreCut) {
    const auto fields = ipv4_addresses + field(0x04, "no") + ssl_field(7, 0, "pump-7");
    for (std::size_t size = 0; size != fields.size(); ++size) {
        const bool is_between_fields = size == 12 || size == 17;
        EXPECT_EQ(client_of(v2(0x21, 0x11, fields.substr(0, size))),
                  is_between_fields ? "203.0.113.7:56324" : "it ends within one of its fields")
            << size;
    }
}

TEST(Header, IsRefusedWhereABitHasChanged) {
    const auto text = with_checksum(ssl_field(7, 0, "pump-7"));
    ASSERT_EQ(name_of(text), "pump-7");
    for (std::size_t at = 16; at != text.size(); ++at) {
        for (int bit = 0; bit != 8; ++bit) {
            auto changed = text;
            changed[at] = static_cast<char>(changed[at] ^ 1 << bit);
            const bool is_another_field = at == 28;  // Then there is no checksum, and the header is what it says.
            EXPECT_EQ(parsed(changed).has_value(), is_another_field) << at << ' ' << bit;
        }
    }
}

TEST(CertificateName, IsTakenWhereTheProxyHasVerifiedIt) {
    const auto name = [](const std::string& fields) { return name_of(v2(0x21, 0x11, ipv4_addresses + fields)); };
    EXPECT_EQ(name(""), "no TLS");
    EXPECT_EQ(name(ssl_field(0x07, 0, "pump-7")), "pump-7");
    EXPECT_EQ(name(ssl_field(0x03, 0, "pump-7")), "pump-7");  // In this connection.
    EXPECT_EQ(name(ssl_field(0x05, 0, "pump-7")), "pump-7");  // In an earlier one of the same session.
    EXPECT_EQ(name(ssl_field(0x01, 0, "pump-7")), "no certificate");
    EXPECT_EQ(name(ssl_field(0x06, 0, "pump-7")), "no TLS");
    EXPECT_EQ(name(ssl_field(0x07, 1, "pump-7")), "no certificate");
    EXPECT_EQ(name(ssl_field(0x07, 0xff000000, "pump-7")), "no certificate");
    EXPECT_EQ(name(ssl_field(0x07, 0, "")), "no certificate");
    EXPECT_EQ(name(field(0x20, "\7\0\0\0\0"s)), "no certificate");
    // The name of an algorithm, and one outside of the field of TLS, are no names of a client.
    EXPECT_EQ(name(field(0x20, "\7\0\0\0\0"s + field(0x23, "ECDHE"))), "no certificate");
    EXPECT_EQ(name(field(0x22, "pump-7")), "no TLS");
}

TEST(CertificateName, IsTheProxysOwnWhereItSpeaksForItself) {
    EXPECT_EQ(name_of(v2(0x20, 0x11, ipv4_addresses + ssl_field(7, 0, "pump-7"))), "no TLS");
    EXPECT_EQ(name_of(v2(0x21, 0x00, ssl_field(7, 0, "pump-7"))), "no TLS");
}

TEST(CertificateName, IsAllThatIsTold) {
    const auto header = parsed(v2(0x21, 0x11, ipv4_addresses + ssl_field(7, 0, "pump-7")));
    const auto& certificate = *(*header)->tls->certificate;
    EXPECT_EQ(certificate.subject + certificate.serial + certificate.fingerprint_sha256, "");
    EXPECT_TRUE(certificate.dns_names.empty());
}

}  // namespace
}  // namespace chappe::proxy
