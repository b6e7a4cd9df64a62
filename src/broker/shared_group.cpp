#include "broker/shared_group.h"

#include <algorithm>
#include <functional>
#include <ranges>

namespace chappe::broker {

SharedGroup::Member* SharedGroup::find(ShardId shard, SessionId session) noexcept {
    const auto found = places_.find({session, shard});
    return found == places_.end() ? nullptr : &members_[found->second];
}

SharedGroup::Member& SharedGroup::update(const GroupMember& update) {
    const auto [place, is_new] = places_.try_emplace({update.session, update.shard}, members_.size());
    if (is_new) members_.emplace_back().outstanding = update.unacknowledged;
    auto& member = members_[place->second];
    static_cast<GroupMember&>(member) = update;
    return member;
}

// The last member takes the place of the one who leaves. If that was the one who got the last message, the next goes to
// the member who has its place now.
void SharedGroup::leave(ShardId shard, SessionId session) {
    const auto found = places_.find({session, shard});
    if (found == places_.end()) return;
    give_up(members_[found->second]);
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

void SharedGroup::give_up(Member& member) {
    member.online = false;
    dissolve_backlog(member);
    leave_for_others(member, {});
}

bool SharedGroup::anybody_online() const noexcept { return std::ranges::any_of(members_, &Member::online); }

SharedGroup::Member* SharedGroup::choose(const Message& message, const Choice& choice) {
    switch (choice.strategy) {
        case SharedStrategy::RoundRobin:
            return next_in_turn(message, choice);
        case SharedStrategy::Random:
            return at_random(message, choice);
        case SharedStrategy::Sticky:
            return stuck_to(message, choice);
        case SharedStrategy::HashTopic:
            return by_hash(choice.hash(message.topic()), message, choice);
        case SharedStrategy::HashClient:
            return by_hash(message.publisher().value, message, choice);
    }
    std::unreachable();
}

bool SharedGroup::anybody_takes(const Message& message) const noexcept {
    return std::ranges::any_of(members_, [&](const Member& member) { return member.takes(message); });
}

SharedGroup::Member* SharedGroup::permitted(const Message& message, const Choice& choice) {
    const auto rank = [](const Member& member) {
        return std::pair(!member.online, member.backlog ? member.backlog->size() + member.backlog->expected : 0);
    };
    Member* best = nullptr;
    for (auto& member : members_) {
        if ((best == nullptr || rank(member) < rank(*best)) && is_permitted(member, message, choice)) best = &member;
    }
    return best;
}

void SharedGroup::given_to(Member& member) noexcept {
    last_ = static_cast<std::size_t>(&member - members_.data());
    ++member.outstanding;
}

void SharedGroup::leave_for_others(Member& member, std::vector<Delivery> left) {
    left_ -= member.left.size();
    left_ += left.size();
    std::ranges::reverse(left);
    member.left = std::move(left);
    member.withheld.clear();
}

// Who gets it when it is asked back, at once or when there is room. nullptr: nobody, for now.
SharedGroup::Member* SharedGroup::taker_of_left(const Message& message, const Choice& choice) {
    auto* chosen = choose(message, choice);
    if (chosen != nullptr) return waits_apart(choice) || chosen->takes(message) ? chosen : nullptr;
    if (choice.restricting == nullptr || !anybody_takes(message)) return nullptr;
    chosen = permitted(message, choice);
    return chosen != nullptr && chosen->online ? chosen : nullptr;
}

// Up to the first that nobody has room for, so that it does not matter how much there is.
std::vector<std::pair<ShardId, mail::MemberRecall>> SharedGroup::recall(const Choice& choice) {
    std::vector<std::pair<ShardId, mail::MemberRecall>> recalls;
    std::vector<Member*> takers;
    for (auto member = members_.begin(); left_ != 0 && member != members_.end(); ++member) {
        mail::MemberRecall recall{.group = id, .session = member->session, .sequences = {}};
        for (; !member->left.empty(); --left_) {
            auto& oldest = member->left.back();
            if (auto* taker = taker_of_left(*oldest.message, choice)) {
                ++taker->outstanding;  // The same place is not taken twice.
                takers.push_back(taker);
                recall.sequences.push_back(oldest.group.sequence);
            } else if (choice.restricting != nullptr && anybody_takes(*oldest.message)) {
                member->withheld.push_back(std::move(oldest));
            } else {
                break;
            }
            member->left.pop_back();
        }
        const bool more = !member->left.empty();
        if (!recall.sequences.empty()) recalls.emplace_back(member->shard, std::move(recall));
        if (more) break;
    }
    for (auto* taker : takers) taker->done(1);
    return recalls;
}

void SharedGroup::dissolve_backlog(Member& member) {
    if (!member.backlog) return;
    queue.take_back(member.backlog->take_all());
    member.backlog.reset();
}

void SharedGroup::reconsider_for(Member& comer, const Choice& choice) {
    const auto is_for_comer = [&](const Delivery& delivery) { return is_permitted(comer, *delivery.message, choice); };
    std::vector<Delivery> waiting;
    for (auto& member : members_) {
        const auto moved = std::ranges::stable_partition(member.withheld, std::not_fn(is_for_comer));
        left_ += moved.size();
        // All of it is older than the rest of what is left.
        for (auto& delivery : std::views::reverse(moved)) member.left.push_back(std::move(delivery));
        member.withheld.erase(moved.begin(), moved.end());
        const bool is_of_hash = waits_apart(choice.strategy) && member.online;
        if (!member.backlog || is_of_hash || &member == &comer) continue;
        member.backlog->extract(is_for_comer, waiting);
        if (member.backlog->empty()) member.backlog.reset();
    }
    if (waiting.empty()) return;
    dissolve_backlog(comer);  // Or what waits for this one alone would overtake it.
    queue.take_back(std::move(waiting));
}

bool SharedGroup::Member::takes(const Message& message) const noexcept {
    if (!online) return false;
    if (message.qos() == mqtt::QoS::AtMostOnce) return true;
    return !refused && (options.qos == mqtt::QoS::AtMostOnce || outstanding < capacity);
}

SharedGroup::Member* SharedGroup::next_in_turn(const Message& message, const Choice& choice) {
    for (std::size_t step = 1; step <= members_.size(); ++step) {
        auto& member = members_[(last_ + step) % members_.size()];
        if (member.takes(message) && is_permitted(member, message, choice)) return &member;
    }
    return nullptr;
}

SharedGroup::Member* SharedGroup::at_random(const Message& message, const Choice& choice) {
    Member* chosen = nullptr;
    std::uint64_t best = 0;
    for (auto& member : members_) {
        if (!member.takes(message)) continue;
        const auto weight = choice.random.next();
        if ((chosen == nullptr || weight > best) && is_permitted(member, message, choice)) {  // Few are asked about.
            chosen = &member;
            best = weight;
        }
    }
    return chosen;
}

// Sticky and hashed choices do not look at the room: what is for a member waits for that member.
SharedGroup::Member* SharedGroup::stuck_to(const Message& message, const Choice& choice) {
    const auto is_there = [&](const Member& member) { return member.online && is_permitted(member, message, choice); };
    if (last_ < members_.size() && is_there(members_[last_])) return &members_[last_];
    const auto found = std::ranges::find_if(members_, is_there);
    return found == members_.end() ? nullptr : &*found;
}

// Rendezvous hashing (Thaler and Ravishankar 1998): when a member comes or goes, only its own share moves.
SharedGroup::Member* SharedGroup::by_hash(std::uint64_t key, const Message& message, const Choice& choice) {
    const auto& hash = choice.hash;
    Member* chosen = nullptr;
    std::uint64_t best = 0;
    for (auto& member : members_) {
        if (!member.online) continue;
        const auto weight = hash.of_numbers(key, hash.of_numbers(member.session.value, member.shard.value));
        if ((chosen == nullptr || weight > best) && is_permitted(member, message, choice)) {
            chosen = &member;
            best = weight;
        }
    }
    return chosen;
}

}  // namespace chappe::broker
