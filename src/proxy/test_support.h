#pragma once

// Headers of version 2, as proxies write them.

#include <cstdint>
#include <string>
#include <string_view>

namespace chappe::proxy::test {

[[nodiscard]] inline std::string big_endian(std::size_t value, int size) {
    std::string text;
    for (int at = size - 1; at >= 0; --at) text += static_cast<char>(value >> (8 * at));
    return text;
}

// 203.0.113.7:56324, by 192.0.2.1:443.
inline const std::string ipv4_addresses("\xcb\0\x71\7\xc0\0\2\1\xdc\4\1\xbb", 12);

[[nodiscard]] inline std::string v2(int command, int family, const std::string& rest) {
    std::string text("\r\n\r\n\0\r\nQUIT\n", 12);
    text += static_cast<char>(command);
    text += static_cast<char>(family);
    return text + big_endian(rest.size(), 2) + rest;
}

[[nodiscard]] inline std::string field(int type, const std::string& value) {
    return static_cast<char>(type) + big_endian(value.size(), 2) + value;
}

// What the proxy has found out by TLS: its flags, the outcome of verifying, and the name in the certificate.
[[nodiscard]] inline std::string ssl_field(int client, std::uint32_t verify, const std::string& name) {
    return field(0x20, static_cast<char>(client) + big_endian(verify, 4) + field(0x21, "TLSv1.3") + field(0x22, name));
}

}  // namespace chappe::proxy::test
