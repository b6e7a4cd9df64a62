#pragma once

// A certificate authority (CA) of one's own in a folder: ca.pem and ca.key, and beside them NAME.pem and NAME.key for
// each server and client. Keys are readable by their owner only.

#include <string>
#include <utility>
#include <vector>

#include "tls/context.h"
#include "tls/make_certificate.h"

namespace chappe::tls {

class Authority {
public:
    // The one in this folder; a new one, in a folder that is made where there is none.
    [[nodiscard]] static FileResult<Authority> open(const std::string& folder, unsigned days_if_new);

    [[nodiscard]] bool is_new() const noexcept { return is_new_; }
    [[nodiscard]] std::string ca() const { return folder_ + "/ca.pem"; }
    [[nodiscard]] CertificateFiles files_of(const std::string& name) const;
    [[nodiscard]] bool has(const std::string& name) const;

    // Writes both files. What is there under this name is replaced, and its certificate kept in NAME.old.pem.
    [[nodiscard]] FileResult<CertificateFiles> issue(const std::string& name, const CertificateRequest& request) const;
    // Writes clients.crl: the certificates that these names have and have had, besides those that are in it.
    [[nodiscard]] FileResult<std::string> revoke(const std::vector<std::string>& names) const;

private:
    Authority(std::string folder, Credentials credentials, bool is_new)
        : folder_(std::move(folder)), credentials_(std::move(credentials)), is_new_(is_new) {}

    [[nodiscard]] std::string old_of(const std::string& name) const { return folder_ + "/" + name + ".old.pem"; }

    std::string folder_;
    Credentials credentials_;
    bool is_new_;
};

}  // namespace chappe::tls
