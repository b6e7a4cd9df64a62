#pragma once

#include "mqtt/packet.h"

namespace chappe::client {

// Whether a message can be sent at all: its topic name and response topic are valid, texts are UTF-8 that MQTT allows
// and at most 65,535 bytes long, and all of it fits in one packet. Fails with the reason for whoever made the message.
[[nodiscard]] mqtt::Result<> check_message(const mqtt::Publish& message);

}  // namespace chappe::client
