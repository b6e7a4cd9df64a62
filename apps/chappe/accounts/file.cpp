#include "apps/chappe/accounts/file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "crypto/base64.h"
#include "crypto/digest.h"

namespace chappe::app {
namespace {

constexpr std::size_t certificate_file_size_max = std::size_t{1024} * 1024;

struct CloseReadFile {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

std::string in_hexadecimal(std::string_view bytes) {
    std::string digits;
    for (const char byte : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return digits;
}

// The bytes of the first certificate (RFC 7468, 2). Empty where there is none.
std::string first_certificate(std::string_view pem) {
    constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
    const auto start = pem.find(begin);
    if (start == pem.npos) return {};
    pem.remove_prefix(start + begin.size());
    std::string text(pem.substr(0, pem.find("-----END CERTIFICATE-----")));
    std::erase_if(text,
                  [](char letter) { return letter == '\n' || letter == '\r' || letter == ' ' || letter == '\t'; });
    return crypto::decode_base64(text).value_or("");
}

}  // namespace

Outcome<std::string> read_whole_file(const std::string& path, std::size_t size_max) {
    const auto failed = [&](int error_number) {
        return std::unexpected(path + ": " + std::generic_category().message(error_number));
    };
    const std::unique_ptr<std::FILE, CloseReadFile> file(std::fopen(path.c_str(), "rbe"));
    if (!file) return failed(errno);
    std::string text;
    constexpr std::size_t portion = std::size_t{64} * 1024;
    for (std::size_t count = portion; count == portion && text.size() <= size_max;) {
        const auto before = text.size();
        text.resize(before + portion);
        count = std::fread(text.data() + before, 1, portion, file.get());
        if (std::ferror(file.get()) != 0) return failed(errno);
        text.resize(before + count);
    }
    if (text.size() > size_max) return std::unexpected(path + ": larger than expected");
    return text;
}

Outcome<std::string> fingerprint_of_file(const std::string& path) {
    const auto pem = TRY(read_whole_file(path, certificate_file_size_max));
    const auto certificate = first_certificate(pem);
    if (certificate.empty()) return std::unexpected(path + ": has no certificate in PEM");
    return in_hexadecimal(crypto::digest(crypto::Hash::Sha256, certificate));
}

}  // namespace chappe::app
