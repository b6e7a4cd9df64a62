#pragma once

// Packets as bytes, and what each of them is: a packet, or a violation with its reason code. One table for all: the
// tests of the codec decode and encode each row, those of the broker send the client's rows to a connection and look at
// how it closes, and the seeds of the fuzzers are written from it. row.h says what a row is, and notation.h how bytes
// are written.

#include "tests/packet_cases/acknowledgements.h"
#include "tests/packet_cases/connack.h"
#include "tests/packet_cases/connect.h"
#include "tests/packet_cases/connect_violations.h"
#include "tests/packet_cases/disconnect_auth.h"
#include "tests/packet_cases/fixed_header.h"
#include "tests/packet_cases/publish.h"
#include "tests/packet_cases/row.h"
#include "tests/packet_cases/subscribe.h"

namespace chappe::mqtt::cases {

// All rows. The packets in them view string literals, so they stay valid.
[[nodiscard]] inline const PacketCases& packet_cases() {
    static const auto all =
        concatenated({fixed_header_cases(), connect_cases(), connect_violation_cases(), connack_cases(),
                      publish_cases(), publish_violation_cases(), acknowledgement_cases(), subscribe_cases(),
                      unsubscribe_cases(), disconnect_cases(), auth_cases()});
    return all;
}

}  // namespace chappe::mqtt::cases
