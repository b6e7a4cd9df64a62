#include "broker/group_queue.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace chappe::broker {

namespace {

// Compared by distance, since the count may have started again.
bool came_before(const Delivery& a, const Delivery& b) noexcept {
    return static_cast<std::int32_t>(a.group.sequence - b.group.sequence) < 0;
}

}  // namespace

void GroupQueue::take_back(std::vector<Delivery> returned) {
    if (returned.empty()) return;
    std::ranges::stable_sort(returned, came_before);
    if (const auto* youngest = last(); youngest != nullptr && !came_before(returned.front(), *youngest)) {
        for (auto& delivery : returned) push_back(std::move(delivery));
        return;
    }
    std::vector<Delivery> older;
    while (!empty() && came_before(front(), returned.back())) older.push_back(pop_front());
    std::vector<Delivery> merged;
    merged.reserve(older.size() + returned.size());
    std::merge(std::move_iterator(older.begin()), std::move_iterator(older.end()), std::move_iterator(returned.begin()),
               std::move_iterator(returned.end()), std::back_inserter(merged), came_before);
    for (auto delivery = merged.rbegin(); delivery != merged.rend(); ++delivery) push_front(std::move(*delivery));
}

std::vector<Delivery> GroupQueue::take_all() {
    std::vector<Delivery> taken;
    taken.reserve(size());
    while (!empty()) taken.push_back(pop_front());
    return taken;
}

}  // namespace chappe::broker
