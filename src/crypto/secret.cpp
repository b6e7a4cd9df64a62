#include "crypto/secret.h"

#include <algorithm>
#include <utility>

#include <openssl/crypto.h>

namespace chappe::crypto {

Secret::Secret(std::string_view bytes) : bytes_(new char[bytes.size()]), size_(bytes.size()) {
    std::ranges::copy(bytes, bytes_.get());
}

Secret::Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this == &other) return *this;
    wipe();
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
    return *this;
}

Secret::~Secret() { wipe(); }

Secret Secret::taken_from(std::string& text) {
    Secret secret(text);
    crypto::wipe(text);
    return secret;
}

bool Secret::equals(std::string_view other) const noexcept { return equal_in_constant_time(reveal(), other); }

void Secret::wipe() noexcept {
    if (bytes_) OPENSSL_cleanse(bytes_.get(), size_);
}

void wipe(std::string& text) noexcept {
    OPENSSL_cleanse(text.data(), text.size());
    text.clear();
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace chappe::crypto
