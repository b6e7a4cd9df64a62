#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/certificate_method.h"
#include "access/password_method.h"
#include "access/psk_method.h"
#include "access/test_support.h"

namespace chappe::access {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Credentials with_password(std::optional<std::string> name, std::optional<std::string> password) {
    Credentials made{
        .address = "1.2.3.4", .client_id = "c", .user_name = std::move(name), .password = {}, .certificate = {}};
    if (password) made.password.emplace(*password);
    return made;
}

TEST(PasswordMethod, TellsUsersFromOthers) {
    auto disabled = user("eve", "e");
    disabled.enabled = false;
    auto broken = user("mallory", "");
    broken.password.hash = "plain";
    const auto current = current_of({user("bob", "secret"), disabled, user("carol", ""), broken});
    const PasswordMethod method(current, 0s);
    EXPECT_EQ(said(method.check(with_password("bob", "secret"))), "accepted bob");
    EXPECT_EQ(said(method.check(with_password("bob", "Secret"))), "refused as wrong: the password is wrong");
    EXPECT_EQ(said(method.check(with_password("bob", ""))), "refused as wrong: the password is wrong");
    EXPECT_EQ(said(method.check(with_password("bob", std::nullopt))), "declined: no password");
    EXPECT_EQ(said(method.check(with_password(std::nullopt, "secret"))), "declined: no user name");
    EXPECT_EQ(said(method.check(with_password("nobody", "secret"))), "declined: there is no such user");
    EXPECT_EQ(said(method.check(with_password("carol", "x"))), "declined: the user has no password");
    EXPECT_EQ(said(method.check(with_password("eve", "e"))), "refused: the account is disabled");
    EXPECT_EQ(said(method.check(with_password("mallory", "plain"))),
              "refused: the stored hash of the password cannot be used");
}

TEST(PasswordMethod, RemembersAPasswordUntilItIsAnother) {
    const auto current = current_of({user("bob", "old")});
    const PasswordMethod method(current, 1h);
    EXPECT_EQ(method.effort(with_password("bob", "old")), Effort::Computes);
    EXPECT_EQ(said(method.check(with_password("bob", "old"))), "accepted bob");
    EXPECT_EQ(method.effort(with_password("bob", "old")), Effort::Quick);
    EXPECT_EQ(method.effort(with_password("bob", "other")), Effort::Computes);
    EXPECT_EQ(method.effort(with_password("nobody", "old")), Effort::Computes);
    current->replace(current_of({user("bob", "new")})->share());
    EXPECT_EQ(method.effort(with_password("bob", "old")), Effort::Computes);
    EXPECT_EQ(said(method.check(with_password("bob", "old"))), "refused as wrong: the password is wrong");
}

TEST(PasswordMethod, RemembersNothingWhereItShallNot) {
    const PasswordMethod method(current_of({user("bob", "p")}), 0s);
    EXPECT_EQ(said(method.check(with_password("bob", "p"))), "accepted bob");
    EXPECT_EQ(method.effort(with_password("bob", "p")), Effort::Computes);
}

class ByCertificate : public testing::Test {
protected:
    [[nodiscard]] static Credentials shown(const Certificate& certificate) {
        auto made = with_password("claimed", std::nullopt);
        made.certificate = std::make_shared<Certificate>(certificate);
        return made;
    }

    Certificate certificate{.subject = "CN=pump-7,O=Works",
                            .common_name = "pump-7",
                            .dns_names = {"pump-7.example"},
                            .emails = {},
                            .uris = {"urn:pump"},
                            .serial = "01",
                            .fingerprint_sha256 = std::string(64, 'a')};
};

TEST_F(ByCertificate, TheNameInItCounts) {
    const auto current = current_of({});
    const auto name = [&](CertificateName kind) {
        return said(CertificateMethod(current, kind, {"device"}).check(shown(certificate)));
    };
    EXPECT_EQ(name(CertificateName::CommonName), "accepted pump-7");
    EXPECT_EQ(name(CertificateName::San), "accepted pump-7.example");
    EXPECT_EQ(name(CertificateName::Subject), "accepted CN=pump-7,O=Works");
    certificate.dns_names.clear();
    EXPECT_EQ(name(CertificateName::San), "accepted urn:pump");
    certificate.common_name.clear();
    EXPECT_EQ(name(CertificateName::CommonName), "declined: the certificate has no name of the configured kind");
    EXPECT_EQ(said(CertificateMethod(current, CertificateName::Subject, {}).check(with_password("bob", "x"))),
              "declined: ");
}

TEST_F(ByCertificate, AnAccountOfThatNameHasItsOwnRoles) {
    const auto roles = [&](const std::shared_ptr<Current>& current) {
        const auto outcome =
            CertificateMethod(current, CertificateName::CommonName, {"device"}).check(shown(certificate));
        const auto& attributes = *std::get<Accepted>(outcome).attributes;
        EXPECT_EQ(attributes.certificate_name, "pump-7");
        return attributes.roles;
    };
    EXPECT_THAT(roles(current_of({})), ElementsAre("device"));
    EXPECT_THAT(roles(current_of({user("pump-7", "")})), IsEmpty());
}

TEST_F(ByCertificate, PinnedOneBelongsToItsAccount) {
    auto owner = user("owner", "");
    owner.fingerprints = {certificate.fingerprint_sha256};
    auto method = CertificateMethod(current_of({owner}), CertificateName::CommonName, {});
    EXPECT_EQ(said(method.check(shown(certificate))), "accepted owner");
    owner.enabled = false;
    auto disabled = CertificateMethod(current_of({owner}), CertificateName::CommonName, {});
    EXPECT_EQ(said(disabled.check(shown(certificate))), "refused: the account owner is disabled");
}

TEST(PskMethod, TakesTheIdentityOfTheKey) {
    auto disabled = user("eve", "");
    disabled.enabled = false;
    const PskMethod method(current_of({user("pump-7", ""), disabled}), {"device"});
    const auto outcome = [&](const char* identity) {
        auto made = with_password("claimed", "x");
        made.psk_identity = std::make_shared<const std::string>(identity);
        return method.check(made);
    };
    const auto roles = [&](const char* identity) { return std::get<Accepted>(outcome(identity)).attributes->roles; };
    EXPECT_EQ(said(outcome("pump-7")), "accepted pump-7");
    EXPECT_EQ(said(outcome("pump-8")), "accepted pump-8");
    EXPECT_THAT(roles("pump-7"), IsEmpty());
    EXPECT_THAT(roles("pump-8"), ElementsAre("device"));
    EXPECT_EQ(said(outcome("eve")), "refused: the account eve is disabled");
    EXPECT_EQ(said(method.check(with_password("pump-7", "x"))), "declined: ");
}

}  // namespace
}  // namespace chappe::access
