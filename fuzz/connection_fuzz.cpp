// Connections with packets and events: a broker of two shards, a few clients, and all that can happen to them, in an
// order that the input says. connection/program.h says how it says that.
//
// Checked are: each packet of the broker against what the standard lets it say at that moment (connection/
// conversation.cpp); the bounds of Limits after each step; that nobody waits for an answer or a message once everything
// that is under way has arrived; that the Journal is told a consistent story (connection/ports.cpp); and that nothing
// is left when all clients have gone and their sessions have expired (connection/broker.cpp).

#include <cstdlib>

#include "fuzz/connection/program.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const chappe::fuzz::Trace trace(std::getenv("CHAPPE_FUZZ_TRACE") != nullptr);
    chappe::fuzz::Program program({data, size}, trace);
    program.run();
    return 0;
}
