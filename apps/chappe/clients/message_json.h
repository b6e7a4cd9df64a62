#pragma once

#include <string>

#include "apps/chappe/clients/text.h"
#include "base/time.h"
#include "mqtt/packet.h"

namespace chappe::app {

// One message as one JSON object on one line: timestamp (UTC), topic, qos, retain, dup, payload and payload_encoding
// ("utf-8", or "base64" where the payload is not text), and properties, an object with those that came.
[[nodiscard]] std::string to_json(const mqtt::Publish& message, WallTime time);

// mosquitto_sub's %j and %J. With `payload_is_json` (%J) the payload stands in it as it is, and it is an error where it
// is not JSON.
[[nodiscard]] Checked<std::string> to_mosquitto_json(const mqtt::Publish& message, WallTime time, bool payload_is_json,
                                                     bool pretty);

}  // namespace chappe::app
