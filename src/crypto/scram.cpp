#include "crypto/scram.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/result.h"
#include "base/utf8.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/random.h"

namespace chappe::crypto {

namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t salt_size_max = 1024;
constexpr std::size_t fake_salt_size = 16;
constexpr std::size_t nonce_bytes = 18;  // 24 characters, and no padding.

std::unexpected<ScramError> failure(ScramFault fault, std::string_view text) {
    return std::unexpected(ScramError{fault, std::string(text)});
}

std::unexpected<ScramError> malformed(std::string_view text) { return failure(ScramFault::Malformed, text); }

bool is_control(char character) noexcept {
    const auto byte = static_cast<unsigned char>(character);
    return byte < 0x20 || byte == 0x7F;
}

bool is_plain_text(std::string_view text) {
    return !text.empty() && is_valid_utf8(text) && std::ranges::none_of(text, is_control);
}

bool is_nonce(std::string_view text) {
    const auto is_printable = [](char character) { return character > 0x20 && character < 0x7F && character != ','; };
    return !text.empty() && std::ranges::all_of(text, is_printable);
}

std::optional<std::uint32_t> iterations_in(std::string_view text) {
    std::uint32_t value = 0;
    const auto* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || at != end || text.starts_with('0')) return std::nullopt;
    if (value < scram_iterations_min || value > scram_iterations_max) return std::nullopt;
    return value;
}

// The text up to the separator, which is taken off the front together with it; all of it where there is none.
std::string_view take_until(std::string_view& text, char separator) {
    const auto end = std::min(text.find(separator), text.size());
    const auto taken = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return taken;
}

// The value of the attribute "x=" that comes next.
ScramResult<std::string_view> take_attribute(std::string_view& text, std::string_view name) {
    const auto attribute = take_until(text, ',');
    if (!attribute.starts_with(name)) return malformed("the SCRAM message lacks an attribute that must come there");
    return attribute.substr(name.size());
}

// The saslname of RFC 5802, 5.1: "=2C" is a comma, "=3D" an equals sign.
std::optional<std::string> unescaped(std::string_view text) {
    std::string name;
    for (; !text.empty(); text.remove_prefix(1)) {
        if (text.starts_with("=2C")) {
            name += ',';
            text.remove_prefix(2);
        } else if (text.starts_with("=3D")) {
            name += '=';
            text.remove_prefix(2);
        } else if (text.starts_with('=')) {
            return std::nullopt;
        } else {
            name += text.front();
        }
    }
    return name;
}

std::string escaped(std::string_view name) {
    std::string text;
    for (const char character : name) {
        if (character == ',') {
            text += "=2C";
        } else if (character == '=') {
            text += "=3D";
        } else {
            text += character;
        }
    }
    return text;
}

std::string exclusive_or(std::string_view a, std::string_view b) {
    std::string result(a);
    for (std::size_t index = 0; index != result.size(); ++index) result[index] = static_cast<char>(a[index] ^ b[index]);
    return result;
}

// "n,," or "y,,": no channel binding, and acting for oneself. Taken off the front.
ScramResult<std::string> take_header(std::string_view& message) {
    if (message.starts_with("p=")) return failure(ScramFault::Unsupported, "SCRAM with channel binding is not offered");
    if (!message.starts_with("n,") && !message.starts_with("y,")) return malformed("this is no SCRAM message");
    if (message.substr(2).starts_with("a=")) {
        return failure(ScramFault::Unsupported, "SCRAM: acting for another user is not offered");
    }
    if (!message.substr(2).starts_with(',')) return malformed("this is no SCRAM message");
    std::string header(message.substr(0, 3));
    message.remove_prefix(3);
    return header;
}

struct PasswordKeys {
    std::string client_key;
    ScramKeys keys;
};

PasswordKeys keys_of(std::string_view password, std::string salt, std::uint32_t iterations) {
    auto salted = pbkdf2(Hash::Sha256, password, salt, iterations, key_size);
    auto client_key = hmac(Hash::Sha256, salted, "Client Key");
    auto stored_key = digest(Hash::Sha256, client_key);
    auto server_key = hmac(Hash::Sha256, salted, "Server Key");
    wipe(salted);
    return {std::move(client_key), {std::move(salt), iterations, std::move(stored_key), std::move(server_key)}};
}

}  // namespace

ScramResult<ScramKeys> make_scram_keys(std::string_view password, std::string salt, std::uint32_t iterations) {
    ASSERT(iterations >= scram_iterations_min && iterations <= scram_iterations_max && !salt.empty());
    if (!is_plain_text(password)) {
        return failure(ScramFault::Unsupported,
                       "SCRAM takes passwords of UTF-8 that are not empty and have no control characters");
    }
    auto made = keys_of(password, std::move(salt), iterations);
    wipe(made.client_key);
    return std::move(made.keys);
}

std::string to_text(const ScramKeys& keys) {
    return "SCRAM-SHA-256$" + std::to_string(keys.iterations) + ':' + encode_base64(keys.salt) + '$' +
           encode_base64(keys.stored_key) + ':' + encode_base64(keys.server_key);
}

std::optional<ScramKeys> parse_scram_keys(std::string_view text) {
    constexpr std::string_view prefix = "SCRAM-SHA-256$";
    if (!text.starts_with(prefix)) return std::nullopt;
    text.remove_prefix(prefix.size());
    const auto iterations = iterations_in(take_until(text, ':'));
    const auto salt = decode_base64(take_until(text, '$'));
    const auto stored_key = decode_base64(take_until(text, ':'));
    const auto server_key = decode_base64(text);
    if (!iterations || !salt || salt->empty() || salt->size() > salt_size_max) return std::nullopt;
    if (!stored_key || stored_key->size() != key_size || !server_key || server_key->size() != key_size) {
        return std::nullopt;
    }
    return ScramKeys{*salt, *iterations, *stored_key, *server_key};
}

ScramKeys fake_scram_keys(const Secret& server_secret, std::string_view name, std::uint32_t iterations) {
    const auto derived = [&](std::string_view what) {
        return hmac(Hash::Sha256, server_secret.reveal(), std::string(what).append(name));
    };
    return {derived("salt:").substr(0, fake_salt_size), iterations, derived("stored:"), derived("server:")};
}

std::string random_scram_nonce() { return encode_base64(random_bytes(nonce_bytes)); }

ScramResult<std::string> ScramServer::client_first(std::string_view message) {
    ASSERT(step_ == Step::ClientFirst);
    if (message.size() > scram_message_size_max) return malformed("the SCRAM message is too long");
    header_ = TRY(take_header(message));
    client_first_bare_ = message;
    if (message.starts_with("m=")) return failure(ScramFault::Unsupported, "SCRAM extensions are not offered");
    auto name = unescaped(TRY(take_attribute(message, "n=")));
    if (!name || !is_plain_text(*name)) return malformed("the user name in the SCRAM message is not valid");
    const auto nonce = TRY(take_attribute(message, "r="));
    if (!is_nonce(nonce)) return malformed("the nonce in the SCRAM message is not valid");
    nonce_ = nonce;
    step_ = Step::ServerFirst;
    return std::move(*name);
}

std::string ScramServer::server_first(ScramKeys keys, std::string_view nonce) {
    ASSERT(step_ == Step::ServerFirst && is_nonce(nonce));
    keys_ = std::move(keys);
    nonce_ += nonce;
    server_first_ = "r=" + nonce_ + ",s=" + encode_base64(keys_.salt) + ",i=" + std::to_string(keys_.iterations);
    step_ = Step::ClientFinal;
    return server_first_;
}

ScramResult<std::string> ScramServer::client_final(std::string_view message) {
    ASSERT(step_ == Step::ClientFinal);
    step_ = Step::Done;
    if (message.size() > scram_message_size_max) return malformed("the SCRAM message is too long");
    const auto proof_at = message.rfind(",p=");
    if (proof_at == message.npos) return malformed("the SCRAM message has no proof");
    const auto proof = decode_base64(message.substr(proof_at + 3));
    if (!proof || proof->size() != key_size) return malformed("the proof in the SCRAM message is not valid");
    const auto without_proof = message.substr(0, proof_at);
    auto rest = without_proof;
    const auto header = TRY(take_attribute(rest, "c="));
    const auto nonce = TRY(take_attribute(rest, "r="));
    if (header != encode_base64(header_)) {
        return failure(ScramFault::Refused, "the SCRAM messages do not agree about channel binding");
    }
    if (nonce != nonce_) {
        return failure(ScramFault::Refused, "the nonce in the SCRAM message is not that of this conversation");
    }
    const auto signed_text = client_first_bare_ + ',' + server_first_ + ',' + std::string(without_proof);
    const auto client_key = exclusive_or(*proof, hmac(Hash::Sha256, keys_.stored_key, signed_text));
    if (!equal_in_constant_time(digest(Hash::Sha256, client_key), keys_.stored_key)) {
        return failure(ScramFault::Refused, "unknown user, or wrong password");
    }
    return "v=" + encode_base64(hmac(Hash::Sha256, keys_.server_key, signed_text));
}

ScramClient::ScramClient(std::string_view name, Secret password, std::string nonce)
    : first_bare_("n=" + escaped(name) + ",r=" + nonce), nonce_(std::move(nonce)), password_(std::move(password)) {
    ASSERT(is_nonce(nonce_));
}

std::string ScramClient::client_first() const { return "n,," + first_bare_; }

ScramResult<std::string> ScramClient::client_final(std::string_view server_first) {
    if (server_first.size() > scram_message_size_max) return malformed("the SCRAM message is too long");
    auto rest = server_first;
    const auto nonce = TRY(take_attribute(rest, "r="));
    const auto salt = decode_base64(TRY(take_attribute(rest, "s=")));
    const auto iterations = iterations_in(TRY(take_attribute(rest, "i=")));
    // The server must have added something of its own: RFC 5802, 5.1.
    if (!nonce.starts_with(nonce_) || nonce.size() == nonce_.size())
        return malformed("the server's nonce is not valid");
    if (!salt || salt->empty()) return malformed("the server's salt is not valid");
    if (!iterations)
        return failure(ScramFault::Unsupported, "the server asks for fewer or more iterations than is sane");
    auto [client_key, keys] = keys_of(password_.reveal(), *salt, *iterations);
    const auto without_proof = "c=biws,r=" + std::string(nonce);
    const auto signed_text = first_bare_ + ',' + std::string(server_first) + ',' + without_proof;
    server_signature_ = hmac(Hash::Sha256, keys.server_key, signed_text);
    const auto proof = exclusive_or(client_key, hmac(Hash::Sha256, keys.stored_key, signed_text));
    wipe(client_key);
    return without_proof + ",p=" + encode_base64(proof);
}

ScramResult<void> ScramClient::check_server_final(std::string_view message) const {
    if (message.starts_with("e=")) return failure(ScramFault::Refused, "the server refuses the user or the password");
    const auto signature = decode_base64(TRY(take_attribute(message, "v=")));
    if (!signature) return malformed("the server's signature is not valid");
    if (server_signature_.empty() || !equal_in_constant_time(*signature, server_signature_)) {
        return failure(ScramFault::Refused,
                       "the server does not know the password either: it is not who it seems to be");
    }
    return {};
}

}  // namespace chappe::crypto
