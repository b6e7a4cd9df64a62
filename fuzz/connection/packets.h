#pragma once

// The packets of a client, each made from a few bytes of the fuzzer's input: well-formed as a rule, so that the fuzzer
// gets to what is behind the decoder, and out of a small vocabulary, so that clients meet.

#include <string_view>

#include "base/bytes.h"
#include "fuzz/connection/input.h"
#include "mqtt/packet.h"

namespace chappe::fuzz {

void append_connect(Input& input, Buffer& out);
void append_publish(Input& input, mqtt::ProtocolVersion version, Buffer& out);
void append_subscribe(Input& input, mqtt::ProtocolVersion version, Buffer& out);
void append_unsubscribe(Input& input, mqtt::ProtocolVersion version, Buffer& out);
void append_release(Input& input, mqtt::ProtocolVersion version, Buffer& out);
// PUBACK, PUBREC, PUBREL or PUBCOMP, whether it makes sense or not.
void append_acknowledgement(Input& input, mqtt::ProtocolVersion version, Buffer& out);
void append_disconnect(Input& input, mqtt::ProtocolVersion version, Buffer& out);
void append_auth(Input& input, Buffer& out);

[[nodiscard]] std::string_view any_client_id(Input& input);
[[nodiscard]] std::string_view any_topic(Input& input);
// Small payloads, one that is referenced where it waits, and none.
[[nodiscard]] Bytes any_payload(Input& input);
[[nodiscard]] mqtt::QoS any_qos(Input& input);

}  // namespace chappe::fuzz
