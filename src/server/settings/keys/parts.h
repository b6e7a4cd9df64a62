#pragma once

// The table of settings, a file for each section; keys.cpp joins them in the order of sections().

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "net/url.h"
#include "server/settings/access.h"
#include "server/settings/key.h"

namespace chappe::server {

template <>
inline constexpr std::array words<LogLevel>{std::string_view("debug"), std::string_view("info"),
                                            std::string_view("warning"), std::string_view("error")};
template <>
inline constexpr std::array words<LogFormat>{std::string_view("text"), std::string_view("json")};
template <>
inline constexpr std::array words<broker::WhenFull>{std::string_view("drop_oldest"), std::string_view("drop_newest"),
                                                    std::string_view("reject"), std::string_view("end_session")};
template <>
inline constexpr std::array words<broker::SharedStrategy>{std::string_view("round_robin"), std::string_view("random"),
                                                          std::string_view("sticky"), std::string_view("hash_topic"),
                                                          std::string_view("hash_client")};
template <>
inline constexpr std::array words<tls::ClientCertificates>{std::string_view("ignored"), std::string_view("optional"),
                                                           std::string_view("required")};
template <>
inline constexpr std::array words<access::CertificateName>{std::string_view("cn"), std::string_view("san"),
                                                           std::string_view("subject")};
template <>
inline constexpr std::array words<LoginsLogged>{std::string_view("off"), std::string_view("refused"),
                                                std::string_view("all")};
template <>
inline constexpr std::array words<tls::Version>{std::string_view("1.2"), std::string_view("1.3")};

[[nodiscard]] std::span<const Key> server_keys();
[[nodiscard]] std::span<const Key> listener_keys();
[[nodiscard]] std::span<const Key> tls_keys();
[[nodiscard]] std::span<const Key> web_keys();
[[nodiscard]] std::span<const Key> access_keys();
[[nodiscard]] std::span<const Key> jwt_keys();
[[nodiscard]] std::span<const Key> hook_keys();
[[nodiscard]] std::span<const Key> ldap_keys();
[[nodiscard]] std::span<const Key> log_keys();
[[nodiscard]] std::span<const Key> limits_keys();
[[nodiscard]] std::span<const Key> policy_keys();

inline constexpr Word off{"off", 0};

inline constexpr std::size_t path_length_max = 4095;  // Linux's PATH_MAX without the terminating 0.

// Of a text that read_value() let through.
inline net::ListenUrl parsed(const std::string& text) {
    auto url = net::ListenUrl::parse(text);
    ASSERT(url.has_value());
    return *std::move(url);
}

}  // namespace chappe::server
