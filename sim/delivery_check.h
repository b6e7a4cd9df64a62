#pragma once

// The books of messages: what everybody was owed, and what everybody got.

#include "sim/cast.h"
#include "sim/draw.h"
#include "sim/scenario.h"
#include "sim/session_book.h"
#include "sim/world.h"

namespace chappe::sim {

void check_deliveries(const Cast& cast, const SessionBook& sessions, const Draw& drawn, World& world, Outcome& outcome);

}  // namespace chappe::sim
