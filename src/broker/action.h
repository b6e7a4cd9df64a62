#pragma once

// What a Shard asks of its caller, in the order in which it is to be done.

#include <variant>

#include "broker/ids.h"

namespace chappe::broker {

namespace action {

// The connection has output: write it, at the latest at the end of this round. See Shard::begin_write().
struct Write {
    ConnectionId connection;
};

// Close it once its output has been written, then call Shard::disconnected().
struct Close {
    ConnectionId connection;
};

// Close it now, whatever is unwritten, then call Shard::disconnected().
struct Abort {
    ConnectionId connection;
};

// Its client's session lives on another shard: take it with Shard::take_for_handover() and give it to Shard::adopt()
// there.
struct HandOver {
    ConnectionId connection;
    ShardId to;
};

// Reading had stopped (Shard::may_read() was false) and may go on: for one connection, or for all.
struct ReadAgain {
    ConnectionId connection;
};
struct ReadAllAgain {};

// A shard has mail, or this one has work left: have its Shard::read_mail() called.
struct Wake {
    ShardId shard;
};

}  // namespace action

using Action = std::variant<action::Write, action::Close, action::Abort, action::HandOver, action::ReadAgain,
                            action::ReadAllAgain, action::Wake>;

}  // namespace chappe::broker
