#pragma once

// The input as a program: what the broker is like, and then one step after another of what clients, network, time and
// the rest of the server do to it.

#include <cstdint>

#include "fuzz/connection/broker.h"
#include "fuzz/connection/input.h"

namespace chappe::fuzz {

// A step begins with two bytes: which one it is, and which connection it is about. What else it needs follows; see
// packets.h for packets. After each step the broker does all there is to do, unless `unsettled` is set in the first
// byte; so what several steps bring can also come together.
enum class Step : std::uint8_t {
    Connect,  // On a connection of its own: it is opened first.
    Subscribe,
    Publish,
    Acknowledge,  // The first of what the client has received and not acknowledged, as is right.
    Release,      // PUBREL.
    Unsubscribe,
    Disconnect,
    Cut,  // Without DISCONNECT.
    Advance,
    AcknowledgeAnything,
    Ping,
    Authenticate,
    Raw,     // A length, and so many bytes to send.
    Piece,   // The broker reads what comes in pieces of this size; 0: as it comes.
    Window,  // The client takes so much and no more; 0: all.
    Round,   // One shard does what it has to do.
    Verdict,
    Commit,
    CommitFails,
    BrokerPublishes,
    OperatorDisconnects,
    OperatorRedirects,
    OperatorRedirectsNew,
    Configure,
    ShutDown,
    Open,  // A connection on which nothing has been sent.
};
inline constexpr std::uint8_t step_count = 26;
inline constexpr std::uint8_t unsettled = 0x80;

// The bytes in front of the steps. Zeros are a broker with wide bounds, without a Journal, that allows everything.
inline constexpr std::size_t setup_size = 6;

class Program {
public:
    Program(Bytes bytes, const Trace& trace);

    void run();

private:
    void step();
    void act(Step step, std::size_t index);
    void act_on(Step step, Link& link);
    void append_packet(Step step, Link& link);
    void acknowledge_first(Link& link);
    void operate(Step step, std::uint16_t shard);
    void publish(std::uint16_t shard);

    Input input_;
    const Trace& trace_;
    Broker broker_;
};

}  // namespace chappe::fuzz
