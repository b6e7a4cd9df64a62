#pragma once

// SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding: proves that somebody knows a password without sending it.
// In MQTT 5 the messages are authentication data: client-first in CONNECT, server-first and client-final in AUTH,
// server-final in CONNACK. (With MQTT's re-authentication all are in AUTH.)
//
// Of SASLprep (RFC 4013) only its refusals are done here: names and passwords are UTF-8 without control characters, and
// are not normalised. ASCII is the same either way; other text must be typed in the form in which it was stored, which
// is NFC on nearly all systems.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/secret.h"

namespace chappe::crypto {

inline constexpr std::size_t scram_message_size_max = 4096;
inline constexpr std::uint32_t scram_iterations_min = 4096;  // RFC 7677, 4.
inline constexpr std::uint32_t scram_iterations_max = 1'000'000;

enum class ScramFault {
    Malformed,    // Not as the RFC has it, or longer than scram_message_size_max.
    Unsupported,  // Asks for what we do not do: channel binding, acting for somebody else, mandatory extensions.
    Refused,      // The proof is wrong.
};

struct ScramError {
    ScramFault fault;
    std::string text;  // For people; has nothing of what the other side sent.
};

template <class T>
using ScramResult = std::expected<T, ScramError>;

// What a server stores. One can check a password with it, and not log in with it.
struct ScramKeys {
    std::string salt;
    std::uint32_t iterations;
    std::string stored_key;
    std::string server_key;

    friend bool operator==(const ScramKeys&, const ScramKeys&) = default;
};

// Blocks for as long as the iterations take. Fails with Unsupported where the password is empty or not as said above.
[[nodiscard]] ScramResult<ScramKeys> make_scram_keys(std::string_view password, std::string salt,
                                                     std::uint32_t iterations = scram_iterations_min);

// As PostgreSQL writes them: "SCRAM-SHA-256$4096:SALT$STOREDKEY:SERVERKEY", with padded base 64.
[[nodiscard]] std::string to_text(const ScramKeys& keys);
// Nothing where the text is not that, or the iterations are outside of the bounds.
[[nodiscard]] std::optional<ScramKeys> parse_scram_keys(std::string_view text);

// Keys that no password fits, always the same for a name: so a stranger cannot tell which names there are. `iterations`
// should be what real users have. `server_secret` must outlive restarts and be known to nobody.
[[nodiscard]] ScramKeys fake_scram_keys(const Secret& server_secret, std::string_view name,
                                        std::uint32_t iterations = scram_iterations_min);

[[nodiscard]] std::string random_scram_nonce();  // 24 printable characters, 144 bits.

// One conversation, seen from the server; the functions are called in this order, once each.
class ScramServer {
public:
    // The name of who wants in.
    [[nodiscard]] ScramResult<std::string> client_first(std::string_view message);
    // The answer. The nonce is to be random: printable, without a comma.
    [[nodiscard]] std::string server_first(ScramKeys keys, std::string_view nonce = random_scram_nonce());
    // The last answer, if the client knows the password.
    [[nodiscard]] ScramResult<std::string> client_final(std::string_view message);

private:
    enum class Step { ClientFirst, ServerFirst, ClientFinal, Done };

    Step step_ = Step::ClientFirst;
    std::string header_;  // The client's gs2-header, which it has to repeat.
    std::string client_first_bare_;
    std::string server_first_;
    std::string nonce_;
    ScramKeys keys_{};
};

// The same, seen from the client.
class ScramClient {
public:
    ScramClient(std::string_view name, Secret password, std::string nonce = random_scram_nonce());

    [[nodiscard]] std::string client_first() const;
    // The answer to server-first. Blocks for as long as the iterations take that the server asks for, which are
    // bounded.
    [[nodiscard]] ScramResult<std::string> client_final(std::string_view server_first);
    // Whether the server knows the keys, too. To be called after client_final().
    [[nodiscard]] ScramResult<void> check_server_final(std::string_view message) const;

private:
    std::string first_bare_;
    std::string nonce_;
    Secret password_;
    std::string server_signature_;
};

}  // namespace chappe::crypto
