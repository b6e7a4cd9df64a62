#include "tls/psk.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "base/result.h"
#include "crypto/secret_source.h"

namespace chappe::tls {

namespace {

constexpr std::size_t file_size_max = std::size_t{64} * 1024 * 1024;

// Of TLS 1.2, before those with certificates: who offers them has a key. The last ones are not forward secret, but many
// small devices have no others.
constexpr const char* suites =
    "ECDHE-PSK-CHACHA20-POLY1305:DHE-PSK-AES128-GCM-SHA256:DHE-PSK-AES256-GCM-SHA384:DHE-PSK-CHACHA20-POLY1305:"
    "PSK-AES128-GCM-SHA256:PSK-AES256-GCM-SHA384:ECDHE+AESGCM:ECDHE+CHACHA20";
// A key from outside is for SHA-256 where nothing else is said of it (RFC 8446, 4.2.11).
constexpr const char* suites_of_tls13 = "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";

using Identity = std::shared_ptr<const std::string>;

void free_identity(void*, void* identity, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<Identity*>(identity);
}

// Where an SSL keeps the identity whose key has been asked for last.
int identity_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_identity);
    return index;
}

int keys_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

const crypto::PresharedKeys& keys_of(const SSL* ssl) {
    return *static_cast<const crypto::PresharedKeys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), keys_index()));
}

void remember(SSL* ssl, std::string_view identity) {
    free_identity(nullptr, SSL_get_ex_data(ssl, identity_index()), nullptr, 0, 0, nullptr);
    SSL_set_ex_data(ssl, identity_index(), new Identity(std::make_shared<const std::string>(identity)));
}

// What the other end has to know as well; 0: there is no such key.
unsigned give(const crypto::Secret& key, unsigned char* to, unsigned size_max) {
    const auto bytes = key.reveal();
    if (bytes.size() > size_max) return 0;
    std::ranges::copy(bytes, to);
    return static_cast<unsigned>(bytes.size());
}

unsigned find_key(SSL* ssl, const char* identity, unsigned char* key, unsigned key_size_max) {
    const auto* found = keys_of(ssl).find(identity);
    if (found == nullptr) return 0;
    remember(ssl, identity);
    return give(*found, key, key_size_max);
}

unsigned offer_key(SSL* ssl, const char*, char* identity, unsigned identity_size_max, unsigned char* key,
                   unsigned key_size_max) {
    const auto& [name, secret] = keys_of(ssl).first();
    if (name.size() >= identity_size_max) return 0;
    *std::ranges::copy(name, identity).out = '\0';
    return give(secret, key, key_size_max);
}

void refer_to(SSL_CTX& context, const crypto::PresharedKeys& keys) {
    SSL_CTX_set_ex_data(&context, keys_index(), const_cast<crypto::PresharedKeys*>(&keys));
    SSL_CTX_set_cipher_list(&context, suites);
    SSL_CTX_set_ciphersuites(&context, suites_of_tls13);
}

}  // namespace

FileResult<crypto::PresharedKeys> read_preshared_keys(const std::string& path) {
    const auto text = TRY(crypto::read_secret_file(path, file_size_max));
    auto keys = crypto::PresharedKeys::parse(text.reveal());
    if (!keys) return std::unexpected(path + ": " + keys.error());
    return keys;
}

void take_preshared_keys(SSL_CTX& context, const crypto::PresharedKeys& keys) {
    refer_to(context, keys);
    SSL_CTX_set_psk_server_callback(&context, find_key);
    SSL_CTX_set_dh_auto(&context, 1);
}

void offer_preshared_key(SSL_CTX& context, const crypto::PresharedKeys& keys) {
    ASSERT(!keys.empty());
    refer_to(context, keys);
    SSL_CTX_set_psk_client_callback(&context, offer_key);
}

// TLS 1.3 asks for keys before it decides whether it uses one: without tickets, only then is a session taken up again.
// TLS 1.2 has decided before it asks.
std::shared_ptr<const std::string> psk_identity(const SSL& ssl) {
    const auto* asked_for = static_cast<const Identity*>(SSL_get_ex_data(&ssl, identity_index()));
    if (asked_for == nullptr) return nullptr;
    if (SSL_version(&ssl) == TLS1_3_VERSION && SSL_session_reused(&ssl) != 1) return nullptr;
    return *asked_for;
}

}  // namespace chappe::tls
