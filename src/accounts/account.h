#pragma once

// What is known of users, roles and bans. Times are seconds since 1970, UTC.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chappe::accounts {

using Seconds = std::int64_t;

// What a user's password is checked with; made elsewhere, kept as it is. Without either no password is right, and the
// user can only be known by a certificate or a token. They change together, so that none outlives the password it was
// made of.
struct Password {
    std::optional<std::string> hash;
    std::optional<std::string> scram_keys;

    bool operator==(const Password&) const = default;
};

struct User {
    std::string name;
    Password password;
    bool enabled = true;
    Seconds created_at = 0;
    Seconds changed_at = 0;  // When anything of this was last changed.
    std::string comment;
    std::vector<std::string> roles;         // Sorted.
    std::vector<std::string> fingerprints;  // Of pinned client certificates: SHA-256, 64 lower-case digits. Sorted.

    bool operator==(const User&) const = default;
};

struct Role {
    std::string name;
    std::string comment;
    std::vector<std::string>
        rules;  // As written: "allow publish devices/${username}/#". What they mean is not known here.

    bool operator==(const Role&) const = default;
};

enum class BanKind : std::uint8_t {
    Address,  // An IP address or a network, "192.0.2.7" or "2001:db8::/32".
    User,     // A user name, of an account or not.
    Client,   // A client identifier.
};

// "address", "user", "client".
[[nodiscard]] std::string_view name_of(BanKind kind) noexcept;
[[nodiscard]] std::optional<BanKind> ban_kind_named(std::string_view name) noexcept;

struct Ban {
    BanKind kind = BanKind::Address;
    std::string value;
    std::optional<Seconds> until;  // For ever without.
    std::string reason;
    Seconds created_at = 0;

    bool operator==(const Ban&) const = default;
};

}  // namespace chappe::accounts
