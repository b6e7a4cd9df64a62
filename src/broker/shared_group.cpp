#include "broker/shared_group.h"

#include <algorithm>

namespace chappe::broker {

SharedGroup::Member* SharedGroup::find(ShardId shard, SessionId session) noexcept {
    const auto found = places_.find({session, shard});
    return found == places_.end() ? nullptr : &members_[found->second];
}

void SharedGroup::update(const GroupMember& update) {
    const auto [place, is_new] = places_.try_emplace({update.session, update.shard}, members_.size());
    if (is_new) members_.emplace_back();
    static_cast<GroupMember&>(members_[place->second]) = update;
}

// The last member takes the place of the one who leaves. If that was the one who got the last message, the next goes to
// the member who has its place now.
void SharedGroup::leave(ShardId shard, SessionId session) {
    const auto found = places_.find({session, shard});
    if (found == places_.end()) return;
    const auto place = found->second;
    const auto moved = members_.size() - 1;
    places_.erase(found);
    if (place != moved) {
        members_[place] = std::move(members_[moved]);
        places_[{members_[place].session, members_[place].shard}] = place;
    }
    members_.pop_back();
    if (last_ == place) {
        last_ = (place == 0 ? members_.size() : place) - 1;
    } else if (last_ == moved) {
        last_ = place;
    }
    if (members_.empty()) last_ = 0;
}

void SharedGroup::done(ShardId shard, SessionId session, std::uint32_t count) {
    if (auto* member = find(shard, session)) member->outstanding -= std::min(count, member->outstanding);
}

bool SharedGroup::anybody_online() const noexcept { return std::ranges::any_of(members_, &Member::online); }

const SharedGroup::Member* SharedGroup::choose(const Message& message, SharedStrategy strategy, Random& random,
                                               const TextHash& hash) {
    Member* chosen = nullptr;
    switch (strategy) {
        case SharedStrategy::RoundRobin:
            chosen = next_in_turn(message);
            break;
        case SharedStrategy::Random:
            chosen = at_random(message, random);
            break;
        case SharedStrategy::Sticky:
            chosen = stuck_to();
            break;
        case SharedStrategy::HashTopic:
            chosen = by_hash(hash(message.topic()), hash);
            break;
        case SharedStrategy::HashClient: {
            const auto publisher = message.publisher();
            chosen = by_hash(hash.of_numbers(publisher.session.value, publisher.shard.value), hash);
            break;
        }
    }
    if (chosen == nullptr) return nullptr;
    last_ = static_cast<std::size_t>(chosen - members_.data());
    ++chosen->outstanding;
    return chosen;
}

bool SharedGroup::can_take(const Member& member, const Message& message) noexcept {
    if (!member.online) return false;
    const auto qos = std::min(message.qos(), member.options.qos);
    return qos == mqtt::QoS::AtMostOnce || member.outstanding < member.capacity;
}

SharedGroup::Member* SharedGroup::next_in_turn(const Message& message) noexcept {
    for (std::size_t step = 1; step <= members_.size(); ++step) {
        auto& member = members_[(last_ + step) % members_.size()];
        if (can_take(member, message)) return &member;
    }
    return nullptr;
}

SharedGroup::Member* SharedGroup::at_random(const Message& message, Random& random) noexcept {
    Member* chosen = nullptr;
    std::uint64_t seen = 0;
    for (auto& member : members_) {
        if (can_take(member, message) && random.below(++seen) == 0) chosen = &member;
    }
    return chosen;
}

// Sticky and hashed choices do not look at the capacity: what belongs to a member waits in that member's own queue.
SharedGroup::Member* SharedGroup::stuck_to() noexcept {
    if (last_ < members_.size() && members_[last_].online) return &members_[last_];
    const auto found = std::ranges::find_if(members_, &Member::online);
    return found == members_.end() ? nullptr : &*found;
}

// Rendezvous hashing (Thaler and Ravishankar 1998): when a member comes or goes, only its own share moves.
SharedGroup::Member* SharedGroup::by_hash(std::uint64_t key, const TextHash& hash) noexcept {
    Member* chosen = nullptr;
    std::uint64_t best = 0;
    for (auto& member : members_) {
        if (!member.online) continue;
        const auto weight = hash.of_numbers(key, hash.of_numbers(member.session.value, member.shard.value));
        if (chosen == nullptr || weight > best) {
            chosen = &member;
            best = weight;
        }
    }
    return chosen;
}

}  // namespace chappe::broker
