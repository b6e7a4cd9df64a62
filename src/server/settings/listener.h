#pragma once

// Where clients connect: one URL, and what is allowed there.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace chappe::server {

enum class Scheme : std::uint8_t { Mqtt, Mqtts, Http, Https, Unix };

struct Listener {
    Scheme scheme = Scheme::Mqtt;
    std::string host;           // An address without brackets, or a name. Empty for a Unix socket.
    std::uint16_t port = 0;     // 0: the system chooses a free one.
    std::string path;           // Of a Unix socket.
    std::uint32_t mode = 0660;  // Access mode of a Unix socket's file.

    std::optional<bool> allow_anonymous;  // Unset: as anonymous_allowed() says.
    std::uint32_t connections_max = 0;    // 0: bounded by limits.connections_max only.

    // The broker starts without this listener where the machine has no such address family. Only the listeners that
    // nobody asked for are so; one that a person wrote down must come up.
    bool may_be_absent = false;

    friend bool operator==(const Listener&, const Listener&) = default;
};

// Reads mqtt://HOST[:PORT], mqtts://, http://, https:// or unix:PATH. The error says what is wrong and what would be
// right.
[[nodiscard]] std::expected<Listener, std::string> parse_listener(std::string_view url);

// The URL with its port, in the form that parse_listener reads.
[[nodiscard]] std::string to_string(const Listener& listener);

[[nodiscard]] std::string_view to_string(Scheme scheme) noexcept;  // "mqtts"

// Reached from this machine only: a Unix socket, 127.0.0.0/8, ::1 or localhost.
[[nodiscard]] bool is_local(const Listener& listener);

}  // namespace chappe::server
