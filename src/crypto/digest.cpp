#include "crypto/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/assert.h"
#include "base/bytes.h"

namespace chappe::crypto {

namespace {

const EVP_MD* algorithm_of(Hash hash) {
    switch (hash) {
        case Hash::Sha256:
            return EVP_sha256();
        case Hash::Sha384:
            return EVP_sha384();
        case Hash::Sha512:
            return EVP_sha512();
    }
    return nullptr;
}

unsigned char* to(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

}  // namespace

std::size_t size_of(Hash hash) noexcept {
    switch (hash) {
        case Hash::Sha256:
            return 32;
        case Hash::Sha384:
            return 48;
        case Hash::Sha512:
            return 64;
    }
    return 0;
}

std::string digest(Hash hash, std::string_view data) {
    std::string result(size_of(hash), '\0');
    ASSERT(EVP_Digest(data.data(), data.size(), to(result), nullptr, algorithm_of(hash), nullptr) == 1);
    return result;
}

std::string hmac(Hash hash, std::string_view key, std::string_view data) {
    std::string result(size_of(hash), '\0');
    const auto bytes = as_bytes(data);
    const char nothing = 0;  // A key that is nullptr would mean the one of an earlier call.
    const void* key_bytes = key.empty() ? &nothing : key.data();
    ASSERT(HMAC(algorithm_of(hash), key_bytes, static_cast<int>(key.size()), bytes.data(), bytes.size(), to(result),
                nullptr) != nullptr);
    return result;
}

std::string pbkdf2(Hash hash, std::string_view password, std::string_view salt, std::uint32_t iterations,
                   std::size_t size) {
    ASSERT(iterations != 0 && size != 0);
    std::string result(size, '\0');
    ASSERT(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), as_bytes(salt).data(),
                             static_cast<int>(salt.size()), static_cast<int>(iterations), algorithm_of(hash),
                             static_cast<int>(size), to(result)) == 1);
    return result;
}

}  // namespace chappe::crypto
