#include "tls/authority.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>

#include "net/file_descriptor.h"
#include "net/io_error.h"

namespace chappe::tls {

namespace {

constexpr mode_t for_the_owner = 0600;
constexpr mode_t for_everybody = 0644;
constexpr unsigned list_days = 3650;  // A new one is made by hand, so the last one must not run out.

bool exists(const std::string& path) {
    std::error_code ignored;  // Whoever reads the file says what is wrong.
    return std::filesystem::exists(path, ignored);
}

std::unexpected<std::string> failed(const std::string& path) {
    return std::unexpected(path + ": " + std::string(net::error_text(errno)));
}

// Whoever reads the file meanwhile finds the old one or the new one, whole.
FileResult<void> write_file(const std::string& path, std::string_view text, mode_t mode) {
    const auto beside = path + ".new";
    unlink(beside.c_str());
    net::FileDescriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (!file.is_open()) return failed(beside);
    while (!text.empty()) {
        const auto size = ::write(file.get(), text.data(), text.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return failed(beside);
        text.remove_prefix(static_cast<std::size_t>(size));
    }
    if (fsync(file.get()) != 0 || rename(beside.c_str(), path.c_str()) != 0) return failed(path);
    return {};
}

FileResult<void> write_pair(const CertificateFiles& files, const Credentials& made) {
    TRY(write_file(files.key, key_pem(*made.key), for_the_owner));
    return write_file(files.certificate, certificate_pem(*made.certificate), for_everybody);
}

}  // namespace

FileResult<Authority> Authority::open(const std::string& folder, unsigned days_if_new) {
    const CertificateFiles files{folder + "/ca.pem", folder + "/ca.key"};
    if (exists(files.certificate)) {
        auto certificate = std::move(TRY(read_certificates(files.certificate)).front());
        auto key = TRY(read_key(files.key));
        if (X509_check_private_key(certificate.get(), key.get()) != 1) {
            return std::unexpected(files.key + ": is not the key of the certificate in " + files.certificate);
        }
        return Authority(folder, {std::move(certificate), std::move(key)}, false);
    }
    if (exists(files.key)) {
        return std::unexpected(files.certificate + ": is not there, but its key is; put it back, or move " + files.key +
                               " away to begin anew");
    }
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return std::unexpected(folder + ": " + error.message());
    auto made = make_certificate(
        {.purpose = Purpose::Authority, .common_name = "Chappe CA", .names = {}, .days = days_if_new}, nullptr);
    TRY(write_pair(files, made));
    Authority authority(folder, std::move(made), true);
    TRY(authority.revoke({}));
    return authority;
}

CertificateFiles Authority::files_of(const std::string& name) const {
    return {folder_ + "/" + name + ".pem", folder_ + "/" + name + ".key"};
}

bool Authority::has(const std::string& name) const { return exists(files_of(name).certificate); }

FileResult<CertificateFiles> Authority::issue(const std::string& name, const CertificateRequest& request) const {
    auto files = files_of(name);
    std::string old;
    for (const auto& path : {old_of(name), files.certificate}) {
        if (!exists(path)) continue;
        for (const auto& certificate : TRY(read_certificates(path))) old += certificate_pem(*certificate);
    }
    if (!old.empty()) TRY(write_file(old_of(name), old, for_everybody));
    TRY(write_pair(files, make_certificate(request, &credentials_)));
    return files;
}

FileResult<std::string> Authority::revoke(const std::vector<std::string>& names) const {
    auto path = folder_ + "/clients.crl";
    std::vector<CrlHandle> before;
    if (exists(path)) before = TRY(read_crls(path));
    std::vector<const ASN1_INTEGER*> serials;
    for (const auto& list : before) {
        auto* entries = X509_CRL_get_REVOKED(list.get());
        for (int index = 0; index < sk_X509_REVOKED_num(entries); ++index) {
            serials.push_back(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, index)));
        }
    }
    std::vector<CertificateHandle> certificates;
    const auto add = [&](const std::string& file) -> FileResult<void> {
        for (auto& certificate : TRY(read_certificates(file))) certificates.push_back(std::move(certificate));
        return {};
    };
    for (const auto& name : names) {
        TRY(add(files_of(name).certificate));
        if (exists(old_of(name))) TRY(add(old_of(name)));
    }
    for (const auto& certificate : certificates) serials.push_back(X509_get0_serialNumber(certificate.get()));
    TRY(write_file(path, crl_pem(*make_crl(credentials_, serials, list_days)), for_everybody));
    return path;
}

}  // namespace chappe::tls
