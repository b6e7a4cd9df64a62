// Each packet of tests/packet_cases.h that a client must not send, sent to the broker.

#include "mqtt/decoder.h"
#include "tests/conformance/broker.h"
#include "tests/packet_cases.h"

namespace chappe::conformance {
namespace {

std::string hex(ReasonCode code) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto value = static_cast<std::uint8_t>(code);
    return {'0', 'x', digits[value >> 4], digits[value & 15]};
}

Lines answer_to(const cases::PacketCase& row, const Client& client) {
    const auto bytes = row.bytes();
    client.send_bytes(as_bytes(bytes));
    return client.received();
}

// A CONNECT that says which version it is gets the reason code, as far as that version has one; any other gets nothing.
void expect_refusal(const cases::PacketCase& row) {
    Broker broker;
    const auto bytes = row.bytes();
    const auto framed = frame(as_bytes(bytes), packet_size_limit);
    if (!framed) {
        EXPECT_THAT(answer_to(row, broker.open()), ElementsAre("closed"));
        return;
    }
    ASSERT_TRUE(*framed);
    const auto version = refusal_version(**framed);
    const bool told = version == V5 || row.reason() == ReasonCode::UnsupportedProtocolVersion ||
                      row.reason() == ReasonCode::ClientIdentifierNotValid;
    EXPECT_EQ(answer_to(row, broker.open(version)),
              told ? Lines({"CONNACK " + hex(*row.reason()), "closed"}) : Lines({"closed"}));
}

// [MQTT-3.1.4-1] [MQTT-4.13.1-1] [MQTT-4.13.2-1] [MQTT3-2.2.2-2] [MQTT3-3.1.4-1] [MQTT3-4.8.0-1]
TEST(PacketCases, ViolationsEndTheConnectionWithTheirReasonCode) {
    for (const auto& row : cases::packet_cases()) {
        if (row.sender != Sender::Client || !row.reason()) continue;
        SCOPED_TRACE(row.name);
        if (row.is_connect()) {
            expect_refusal(row);
        } else {
            Broker broker;
            EXPECT_EQ(answer_to(row, broker.connect("c", row.version)),
                      ended(row.version, "DISCONNECT " + hex(*row.reason())));
        }
    }
}

}  // namespace
}  // namespace chappe::conformance
