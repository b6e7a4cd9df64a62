#include "tls/error.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <openssl/err.h>
#include <openssl/sslerr.h>

namespace chappe::tls {

namespace {

struct PlainWords {
    int reason;
    std::string_view text;
};

// Of the library of TLS. Alerts come from the peer: they are its words about us.
constexpr std::array plain_words{
    PlainWords{SSL_R_WRONG_VERSION_NUMBER, "the peer does not speak TLS"},
    PlainWords{SSL_R_HTTP_REQUEST, "the peer speaks HTTP without TLS"},
    PlainWords{SSL_R_UNSUPPORTED_PROTOCOL, "the peer's TLS is too old"},
    PlainWords{SSL_R_NO_SHARED_CIPHER, "no cipher suite in common with the peer"},
    PlainWords{SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
               "the peer has no preshared key that we know, and we have no certificate for it"},
    PlainWords{SSL_R_PSK_IDENTITY_NOT_FOUND, "the peer's preshared key is not known"},
    PlainWords{SSL_R_BINDER_DOES_NOT_VERIFY, "the peer has another preshared key for this identity"},
    PlainWords{SSL_R_TLSV1_ALERT_UNKNOWN_PSK_IDENTITY, "the peer does not know our preshared key"},
    PlainWords{SSL_R_SSLV3_ALERT_ILLEGAL_PARAMETER,
               "the peer refuses what we have said; it may have another preshared key for our identity"},
    PlainWords{SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "the peer has no certificate, and one is required"},
    PlainWords{SSL_R_TLSV1_ALERT_UNKNOWN_CA, "the peer does not know the CA of our certificate"},
    PlainWords{SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the peer refuses our certificate"},
    PlainWords{SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "the peer says that our certificate has expired"},
    PlainWords{SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the peer does not trust our certificate"},
    PlainWords{SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "the peer wants a certificate of us"},
    PlainWords{SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "the peer refuses the handshake"},
};

}  // namespace

std::string take_error() {
    const auto code = ERR_get_error();
    ERR_clear_error();
    if (code == 0) return "unknown error";
    if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
        const auto* found = std::ranges::find(plain_words, ERR_GET_REASON(code), &PlainWords::reason);
        if (found != plain_words.end()) return std::string(found->text);
    }
    if (const char* reason = ERR_reason_error_string(code)) return reason;
    std::array<char, 256> text{};
    ERR_error_string_n(code, text.data(), text.size());
    return text.data();
}

}  // namespace chappe::tls
