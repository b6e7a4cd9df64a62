#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "mqtt/packet.h"

namespace chappe::client {

// A PUBLISH that waits for its turn or its acknowledgement, kept as the bytes that go out: one block of memory, and
// sending it again is a copy. Packet id and DUP are patched in place.
class StoredPublish {
public:
    // `publish` must be valid and have its full topic. Its topic alias is not part of the bytes but kept as the one
    // that the caller wants used, since what an alias stands for is forgotten with the connection.
    StoredPublish(const mqtt::Publish& publish, mqtt::ProtocolVersion version);

    [[nodiscard]] Bytes bytes() const noexcept { return bytes_.bytes(); }
    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
    [[nodiscard]] mqtt::QoS qos() const noexcept { return static_cast<mqtt::QoS>(bytes_.data()[0] >> 1 & 0x03); }
    [[nodiscard]] bool retain() const noexcept { return (bytes_.data()[0] & 0x01) != 0; }
    [[nodiscard]] std::string_view topic() const noexcept;
    [[nodiscard]] std::optional<std::uint16_t> topic_alias() const noexcept { return topic_alias_; }

    void set_packet_id(mqtt::PacketId id) noexcept;
    void set_dup(bool dup) noexcept;

    // The same packet with an alias, with or without its topic (3.3.2.3.4).
    void encode_with_alias(std::uint16_t alias, bool with_topic, Buffer& out) const;

    void release() noexcept { bytes_.release(); }  // The payload is not needed any more: PUBREC has come.

private:
    [[nodiscard]] std::size_t topic_at() const noexcept;  // Where the length of the topic stands.

    Buffer bytes_;
    std::optional<std::uint16_t> topic_alias_;
};

}  // namespace chappe::client
