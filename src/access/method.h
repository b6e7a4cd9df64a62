#pragma once

// One way to find out who a client is. The Chain asks them one after the other, in the configured order.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/certificate.h"
#include "base/time.h"
#include "broker/ports.h"
#include "crypto/secret.h"

namespace chappe::access {

// What a client has brought along.
struct Credentials {
    std::string address;  // Without the port.
    std::string client_id;
    std::optional<std::string> user_name;
    std::optional<crypto::Secret> password;
    std::shared_ptr<const Certificate> certificate;   // Verified; null: none.
    std::shared_ptr<const std::string> psk_identity;  // Whose preshared key TLS has used; null: none.
};

struct Accepted {
    std::string user_name;
    std::shared_ptr<const broker::Attributes> attributes;
    std::optional<WallTime> expires_at;
};

// It knows nothing of such a client; the next method is asked.
struct Declined {
    std::string why;  // For the log; empty: nothing of this kind was brought along.
};

// The client is not who it says it is, or may not come in: no other method is asked.
struct Refused {
    std::string why;            // For the log.
    bool wrong_secret = false;  // Somebody may be guessing.
    bool cannot_tell = false;   // Nobody can say it now; the client may try again.
};

using Outcome = std::variant<Accepted, Declined, Refused>;

enum class Effort : std::uint8_t {
    Quick,     // Some microseconds.
    Computes,  // Keeps a core busy for milliseconds.
    Waits,     // For another server.
};

// Asked by many threads at once. Immutable but for caches.
class Method {
public:
    virtual ~Method() = default;

    [[nodiscard]] virtual std::string_view name() const noexcept = 0;  // As in the settings: "accounts".
    [[nodiscard]] virtual Effort effort(const Credentials& credentials) const = 0;
    [[nodiscard]] virtual Outcome check(const Credentials& credentials) const = 0;
    // Whether its users may prove their passwords by SCRAM instead.
    [[nodiscard]] virtual bool takes_scram() const noexcept { return false; }
};

}  // namespace chappe::access
