#include "broker/memberships.h"

#include <utility>

#include "base/assert.h"

namespace chappe::broker {

void Memberships::leave(GroupId group) {
    end_promise(group);
    const auto found = memberships_.find(group);
    if (found == memberships_.end()) return;
    if (found->second.state == State::Waits) waiting_.erase(found->second.place);
    memberships_.erase(found);
}

bool Memberships::takes(GroupId group) const noexcept {
    const auto found = memberships_.find(group);
    return found != memberships_.end() && found->second.state == State::Takes;
}

void Memberships::refuse(GroupId group) {
    end_promise(group);
    const auto found = memberships_.find(group);
    if (found != memberships_.end() && found->second.state == State::Takes) found->second.state = State::Refuses;
}

void Memberships::refusal_seen(GroupId group) {
    const auto found = memberships_.find(group);
    if (found == memberships_.end() || found->second.state != State::Refuses) return;
    found->second = {.state = State::Waits, .place = places_++};
    waiting_.emplace(found->second.place, group);
}

void Memberships::promise() {
    ASSERT(any_waits() && !promised());
    promised_ = waiting_.begin()->second;
    told_ = false;
    waiting_.erase(waiting_.begin());
    memberships_.at(promised_).state = State::Takes;
}

std::optional<GroupId> Memberships::next_to_tell() {
    if (!promised() || std::exchange(told_, true)) return std::nullopt;
    return promised_;
}

void Memberships::end_promise(GroupId group) noexcept {
    if (promised_ == group) promised_ = {};
}

}  // namespace chappe::broker
