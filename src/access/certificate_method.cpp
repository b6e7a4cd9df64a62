#include "access/certificate_method.h"

#include <utility>

namespace chappe::access {

CertificateMethod::CertificateMethod(std::shared_ptr<const Current> current, CertificateName name,
                                     std::vector<std::string> roles)
    : current_(std::move(current)), name_(name), roles_(std::move(roles)) {}

// A pinned certificate is its account's, whatever name is in it. The client's own user name plays no part: what the
// certificate says has been proved.
Outcome CertificateMethod::check(const Credentials& credentials) const {
    if (!credentials.certificate) return Declined{};
    const auto& certificate = *credentials.certificate;
    const auto& directory = current_->get();
    const auto* user = directory.find_by_fingerprint(certificate.fingerprint_sha256);
    auto name = user != nullptr ? user->name : name_in(certificate);
    if (name.empty()) return Declined{"the certificate has no name of the configured kind"};
    if (user == nullptr) user = directory.find(name);
    if (user != nullptr && !user->enabled) return Refused{.why = "the account " + name + " is disabled"};
    auto attributes = std::make_shared<broker::Attributes>();
    attributes->certificate_name = certificate.common_name;
    if (user == nullptr) attributes->roles = roles_;
    return Accepted{.user_name = std::move(name), .attributes = std::move(attributes), .expires_at = std::nullopt};
}

std::string CertificateMethod::name_in(const Certificate& certificate) const {
    switch (name_) {
        case CertificateName::CommonName:
            return certificate.common_name;
        case CertificateName::San:
            if (!certificate.dns_names.empty()) return certificate.dns_names.front();
            if (!certificate.emails.empty()) return certificate.emails.front();
            return certificate.uris.empty() ? std::string() : certificate.uris.front();
        case CertificateName::Subject:
            return certificate.subject;
    }
    std::unreachable();
}

}  // namespace chappe::access
