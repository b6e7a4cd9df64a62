#pragma once

// Messages that wait for the members of a shared subscription, in the order in which they came to it: those that come
// back undelivered find their places again. Owned by the SharedGroup.

#include <vector>

#include "broker/message_queue.h"

namespace chappe::broker {

class GroupQueue : public MessageQueue {
public:
    using MessageQueue::MessageQueue;

    // What waits here is nearly always younger than all of it, or else older.
    void take_back(std::vector<Delivery> returned);
    // So many will be taken back soon.
    std::size_t expected = 0;
    // Everything, in order.
    [[nodiscard]] std::vector<Delivery> take_all();
};

}  // namespace chappe::broker
