#pragma once

// One row of the table of packets in tests/packet_cases.h.

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mqtt/packet.h"
#include "tests/packet_cases/notation.h"

namespace chappe::mqtt::cases {

// Whether encoding the packet gives the same bytes again. Another form says the same in a way that the encoder does not
// choose: properties in another order, a default written out, a reason code that could have been left out.
enum class Form : std::uint8_t { Canonical, Other };

struct PacketCase {
    std::string_view name;
    ProtocolVersion version;  // What the connection has agreed on; in rows of CONNECT what that CONNECT says, if legal.
    Sender sender;
    std::string_view notation;  // One packet; see notation.h.
    std::variant<Packet, ReasonCode> expected;
    std::string_view clause;  // The statements that the row shows, as in "[MQTT-3.1.2-3]", or a section.
    Form form = Form::Canonical;

    [[nodiscard]] std::string bytes() const { return bytes_of(notation); }

    // The packet that the bytes are, or null where they are a violation.
    [[nodiscard]] const Packet* packet() const { return std::get_if<Packet>(&expected); }

    // The reason code with which the receiver closes the connection, or nothing where the packet is legal. Before 5.0
    // the code is never sent: the connection is just closed, except for a CONNECT that is answered with a return code.
    [[nodiscard]] std::optional<ReasonCode> reason() const {
        const auto* reason = std::get_if<ReasonCode>(&expected);
        return reason != nullptr ? std::optional(*reason) : std::nullopt;
    }

    // A CONNECT comes first on its connection; every other packet needs an accepted CONNECT of `version` before it.
    [[nodiscard]] bool is_connect() const { return notation.starts_with('1'); }
};

// So that a row fits a line or two.
using enum ProtocolVersion;
using enum Sender;
using enum ReasonCode;

// Text that stands for bytes.
[[nodiscard]] inline Bytes payload(std::string_view text) { return as_bytes(text); }

using PacketCases = std::vector<PacketCase>;

[[nodiscard]] inline PacketCases concatenated(std::initializer_list<PacketCases> parts) {
    PacketCases all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

}  // namespace chappe::mqtt::cases
