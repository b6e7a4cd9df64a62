#pragma once

// Client certificates that TLS has verified: the name in them is the user name, or they are pinned to an account.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "access/current.h"
#include "access/method.h"

namespace chappe::access {

enum class CertificateName : std::uint8_t {
    CommonName,
    San,      // The first DNS name, else e-mail address, else URI of subjectAltName.
    Subject,  // The whole subject, as RFC 2253 writes it.
};

class CertificateMethod final : public Method {
public:
    // Who comes by certificate and has no account has these roles.
    CertificateMethod(std::shared_ptr<const Current> current, CertificateName name, std::vector<std::string> roles);

    [[nodiscard]] std::string_view name() const noexcept override { return "certificate"; }
    [[nodiscard]] Effort effort(const Credentials&) const override { return Effort::Quick; }
    [[nodiscard]] Outcome check(const Credentials& credentials) const override;

private:
    [[nodiscard]] std::string name_in(const Certificate& certificate) const;

    const std::shared_ptr<const Current> current_;
    const CertificateName name_;
    const std::vector<std::string> roles_;
};

}  // namespace chappe::access
