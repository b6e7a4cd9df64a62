#include "mqtt/types.h"

#include <array>

namespace chappe::mqtt {

std::string_view to_string(ProtocolVersion version) noexcept {
    switch (version) {
        case ProtocolVersion::V31:
            return "3.1";
        case ProtocolVersion::V311:
            return "3.1.1";
        case ProtocolVersion::V5:
            return "5.0";
    }
    return "unknown version";
}

std::string_view to_string(PacketType type) noexcept {
    static constexpr std::array<std::string_view, 16> names = {
        "unknown packet type", "CONNECT", "CONNACK",     "PUBLISH",  "PUBACK",  "PUBREC",   "PUBREL",     "PUBCOMP",
        "SUBSCRIBE",           "SUBACK",  "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"};
    const auto index = static_cast<std::size_t>(type);
    return names[index < names.size() ? index : 0];
}

}  // namespace chappe::mqtt
