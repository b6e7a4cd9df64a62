#pragma once

// From bytes to packets, in two steps: frame() finds where a packet ends, decode() reads what is in it.

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "mqtt/packet.h"

namespace chappe::mqtt {

// One packet's bytes, found but not yet read. `body` is what follows the fixed header.
struct Frame {
    PacketType type;
    std::uint8_t flags;  // The lower four bits of the first byte.
    Bytes body;
    std::size_t size;  // Of the whole packet, fixed header included.
};

// The first packet in `bytes`, or nothing when more bytes are needed (`bytes_needed` then says how many there must be
// for the next step, at least). Fails with MalformedPacket on a reserved type, wrong flags ([MQTT-2.1.3-1]) or a bad
// Remaining Length, and with PacketTooLarge as soon as the length is known to be above `packet_size_max`.
[[nodiscard]] Result<std::optional<Frame>> frame(Bytes bytes, std::size_t packet_size_max,
                                                 std::size_t* bytes_needed = nullptr);

// How many a packet may have of what the standard sets no bound for. They take more memory decoded than encoded, so
// nothing beyond that is read: the packet fails with QuotaExceeded, for one of the reasons below.
struct DecodeLimits {
    std::uint32_t user_properties_max = std::numeric_limits<std::uint32_t>::max();  // A will has its own.
    std::uint32_t filters_max = std::numeric_limits<std::uint32_t>::max();          // Of SUBSCRIBE and UNSUBSCRIBE.
};
inline constexpr std::string_view too_many_user_properties = "more user properties than allowed";
inline constexpr std::string_view too_many_filters = "more topic filters in one packet than allowed";

// Reads a frame. `version` is what CONNECT agreed on; CONNECT itself brings its own, so there it is ignored. All that
// the standard says of one packet alone is checked here: UTF-8, topic names, flags, reason codes, properties (allowed
// in this packet, not twice, in range), and that nothing is left over. Fails with the standard's reason code:
// MalformedPacket, ProtocolError, UnsupportedProtocolVersion, TopicNameInvalid, TopicAliasInvalid.
//
// Topic filters of SUBSCRIBE and UNSUBSCRIBE are checked for UTF-8 only. One that breaks the rules of 4.7 ("a/#/b",
// "$share//x", or empty) is handed on, because it concerns its own entry and not the connection: whoever answers uses
// TopicFilter::parse() and puts TopicFilterInvalid beside that entry.
[[nodiscard]] Result<Packet> decode(const Frame& frame, ProtocolVersion version, Sender sender,
                                    DecodeLimits limits = {});

// The same for PUBLISH alone, without the variant: the packet that there are most of. `out` is cleared and reused.
[[nodiscard]] Result<> decode(const Frame& frame, ProtocolVersion version, Sender sender, Publish& out,
                              DecodeLimits limits = {});

// The version in which to refuse a CONNECT that decode() could not read: its own where it names one that exists, 5.0
// for a level above that, and 3.1.1 for everything else, which every client understands.
[[nodiscard]] ProtocolVersion refusal_version(const Frame& connect) noexcept;

}  // namespace chappe::mqtt
