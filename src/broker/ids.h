#pragma once

// What names a thing across shards. Pointers never leave their shard; ids do.

#include <cstdint>

#include "base/id.h"

namespace chappe::broker {

using ShardId = Id<struct ShardIdTag, std::uint16_t>;

// Slot (lower 32 bits) and generation (upper 32 bits, never 0) in a SlotMap of the shard that owns the thing: looking
// it up costs an index, and an id whose thing is gone finds nothing. A zero id names nothing.
using SessionId = Id<struct SessionIdTag, std::uint64_t>;
using ConnectionId = Id<struct ConnectionIdTag, std::uint64_t>;
using GroupId = Id<struct GroupIdTag, std::uint64_t>;

}  // namespace chappe::broker
