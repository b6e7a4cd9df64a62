#include "crypto/scram.h"

#include <gtest/gtest.h>

#include "crypto/base64.h"

namespace chappe::crypto {
namespace {

// RFC 7677, 3.
constexpr std::string_view client_nonce = "rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view client_first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view server_first =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const std::string client_final_start = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const std::string client_final = client_final_start + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr std::string_view server_final = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

ScramKeys keys() { return *make_scram_keys("pencil", *decode_base64("W22ZaJ0SNY7soEsUEjb6gQ==")); }

TEST(Scram, IsTheOneOfRfc7677) {
    ScramServer server;
    ScramClient client("user", Secret("pencil"), std::string(client_nonce));
    EXPECT_EQ(client.client_first(), client_first);
    EXPECT_EQ(server.client_first(client_first), "user");
    EXPECT_EQ(server.server_first(keys(), server_nonce), server_first);
    const auto sent = client.client_final(server_first);
    ASSERT_TRUE(sent.has_value());
    EXPECT_EQ(*sent, client_final);
    const auto answer = server.client_final(client_final);
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(*answer, server_final);
    EXPECT_TRUE(client.check_server_final(server_final).has_value());
    EXPECT_EQ(client.check_server_final("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=").error().fault,
              ScramFault::Malformed);
    EXPECT_EQ(client.check_server_final("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").error().fault,
              ScramFault::Refused);
    EXPECT_EQ(client.check_server_final("e=invalid-proof").error().fault, ScramFault::Refused);
    EXPECT_EQ(client.check_server_final("").error().fault, ScramFault::Malformed);
}

TEST(Scram, StoresKeysAsPostgresDoes) {
    const auto text = to_text(keys());
    EXPECT_EQ(text,
              "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
              "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
    EXPECT_EQ(parse_scram_keys(text), keys());
    const auto behind = text.substr(text.find(':'));
    for (const auto& wrong :
         {std::string(), std::string("SCRAM-SHA-256$"), text + "=", text.substr(0, text.size() - 4),
          "SCRAM-SHA-1$4096" + behind, "SCRAM-SHA-256$4095" + behind, "SCRAM-SHA-256$04096" + behind,
          "SCRAM-SHA-256$1000001" + behind, "SCRAM-SHA-256$4096x" + behind, text + ":Zm9v"}) {
        EXPECT_EQ(parse_scram_keys(wrong), std::nullopt) << wrong;
    }
}

ScramFault fault_of_first(std::string_view message) {
    ScramServer server;
    const auto name = server.client_first(message);
    EXPECT_FALSE(name.has_value()) << message;
    return name ? ScramFault::Refused : name.error().fault;
}

TEST(Scram, ReadsTheFirstMessage) {
    EXPECT_EQ(ScramServer().client_first("y,,n=user,r=abc"), "user");
    EXPECT_EQ(ScramServer().client_first("n,,n=a=2Cb=3Dc,r=abc,x=unknown"), "a,b=c");
    EXPECT_EQ(fault_of_first("p=tls-unique,,n=user,r=abc"), ScramFault::Unsupported);
    EXPECT_EQ(fault_of_first("n,a=admin,n=user,r=abc"), ScramFault::Unsupported);
    EXPECT_EQ(fault_of_first("n,,m=x,n=user,r=abc"), ScramFault::Unsupported);
    for (const std::string_view wrong : {"", "n", "n,", "n,,", "x,,n=user,r=abc", "n,,r=abc,n=user", "n,,n=user",
                                         "n,,n=user,r=", "n,,n=,r=abc", "n,,n=a=2cb,r=abc", "n,,n=a=,r=abc",
                                         "n,,n=user,r=a b", "n,,n=a\tb,r=abc", "n,,n=\xFF,r=abc", "n,x,n=a,r=b"}) {
        EXPECT_EQ(fault_of_first(wrong), ScramFault::Malformed) << wrong;
    }
    EXPECT_EQ(fault_of_first("n,,n=user,r=" + std::string(scram_message_size_max, 'x')), ScramFault::Malformed);
}

ScramFault fault_of_final(std::string_view message) {
    ScramServer server;
    EXPECT_TRUE(server.client_first(client_first).has_value());
    static_cast<void>(server.server_first(keys(), server_nonce));
    const auto answer = server.client_final(message);
    EXPECT_FALSE(answer.has_value()) << message;
    return answer ? ScramFault::Unsupported : answer.error().fault;
}

TEST(Scram, RefusesOtherProofs) {
    const auto with_proof = [](const std::string& start, char fill) {
        return start + ",p=" + encode_base64(std::string(32, fill));
    };
    EXPECT_EQ(fault_of_final(with_proof(client_final_start, 'x')), ScramFault::Refused);
    EXPECT_EQ(fault_of_final(with_proof(client_final_start, '\0')), ScramFault::Refused);
    EXPECT_EQ(fault_of_final("c=eSws" + client_final.substr(6)), ScramFault::Refused);
    EXPECT_EQ(fault_of_final("c=biws,r=rOprNGfwEbeRWgbNEkqO" + client_final.substr(client_final.find(",p="))),
              ScramFault::Refused);
    // An extension is allowed, but is part of what is signed.
    EXPECT_EQ(fault_of_final(client_final_start + ",x=y" + client_final.substr(client_final.find(",p="))),
              ScramFault::Refused);
    for (const std::string& wrong : {std::string(), client_final_start, client_final_start + ",p=", client_final + "=",
                                     client_final_start + ",p=Zm9v", "r=x," + client_final,
                                     client_final + std::string(scram_message_size_max, 'x')}) {
        EXPECT_EQ(fault_of_final(wrong), ScramFault::Malformed) << wrong;
    }
}

TEST(Scram, DoesNotTellWhichNamesThereAre) {
    const Secret secret("0123456789abcdef");
    EXPECT_EQ(fake_scram_keys(secret, "nobody"), fake_scram_keys(secret, "nobody"));
    EXPECT_NE(fake_scram_keys(secret, "nobody").salt, fake_scram_keys(secret, "nobody2").salt);
    EXPECT_NE(fake_scram_keys(secret, "nobody").salt, fake_scram_keys(Secret("other"), "nobody").salt);
    EXPECT_TRUE(parse_scram_keys(to_text(fake_scram_keys(secret, "nobody"))).has_value());

    ScramServer server;
    ScramClient client("nobody", Secret("pencil"));
    const auto name = server.client_first(client.client_first());
    ASSERT_EQ(name, "nobody");
    const auto sent = client.client_final(server.server_first(fake_scram_keys(secret, *name)));
    ASSERT_TRUE(sent.has_value());
    EXPECT_EQ(server.client_final(*sent).error().fault, ScramFault::Refused);
}

TEST(Scram, RefusesPasswordsThatCannotBeTyped) {
    for (const std::string_view password : {"", "a\nb", "\xFF"}) {
        EXPECT_EQ(make_scram_keys(password, "salt").error().fault, ScramFault::Unsupported);
    }
    EXPECT_TRUE(make_scram_keys("\xC3\xA9", "salt").has_value());
}

TEST(ScramClient, TrustsNoServerBlindly) {
    const auto fault_of = [](std::string_view message) {
        ScramClient client("user", Secret("pencil"), "abc");
        const auto sent = client.client_final(message);
        EXPECT_FALSE(sent.has_value()) << message;
        return sent ? ScramFault::Refused : sent.error().fault;
    };
    EXPECT_EQ(fault_of("r=abc,s=c2FsdA==,i=4096"), ScramFault::Malformed);
    EXPECT_EQ(fault_of("r=xyz,s=c2FsdA==,i=4096"), ScramFault::Malformed);
    EXPECT_EQ(fault_of("r=abcd,s=c2FsdA,i=4096"), ScramFault::Malformed);
    EXPECT_EQ(fault_of("r=abcd,s=,i=4096"), ScramFault::Malformed);
    EXPECT_EQ(fault_of("m=x,r=abcd,s=c2FsdA==,i=4096"), ScramFault::Malformed);
    EXPECT_EQ(fault_of("r=abcd,s=c2FsdA==,i=1"), ScramFault::Unsupported);
    EXPECT_EQ(fault_of("r=abcd,s=c2FsdA==,i=1000001"), ScramFault::Unsupported);
}

}  // namespace
}  // namespace chappe::crypto
