// What follows when the Permissions answer otherwise than before.

#include <algorithm>
#include <utility>
#include <vector>

#include "broker/shard.h"

namespace chappe::broker {

using mqtt::ReasonCode;

namespace {

constexpr std::size_t sessions_looked_at_per_round = 500;

}  // namespace

// Zero means not asked yet, so it is left out.
void Shard::permissions_changed() {
    if (++environment_.permissions_generation == 0) environment_.permissions_generation = 1;
    next_to_revoke_ = 0;
    revoking_ = true;
    ask_for_own_wake();
}

// A portion of the sessions in each round, in the order of their slots.
void Shard::revoke_some(Instant now) {
    if (!revoking_) return;
    const auto end = std::min(next_to_revoke_ + sessions_looked_at_per_round, sessions_.slot_count());
    for (; next_to_revoke_ != end; ++next_to_revoke_) {
        auto* session = sessions_.in_slot(static_cast<std::uint32_t>(next_to_revoke_));
        if (session == nullptr) continue;
        revoke(*session, now);
        if (session->groups) update_groups(*session, now);
    }
    revoking_ = next_to_revoke_ != sessions_.slot_count();
    if (revoking_) ask_for_own_wake();
}

void Shard::revoke(Session& session, Instant now) {
    for (auto entry = session.subscriptions.begin(); entry != session.subscriptions.end();) {
        auto& [text, subscription] = *entry;
        if (keeps_permission(session, subscription, now)) {
            ++entry;
            continue;
        }
        remove_subscription(session, subscription, now);
        if (session.kept) journal_.write(record::SubscriptionRemoved{session.id, text});
        entry = session.subscriptions.erase(entry);
    }
    settle(session, now);
}

// Whether it is still permitted; where a lower QoS is all that is left, that is what it gets.
bool Shard::keeps_permission(Session& session, SessionSubscription& subscription, Instant now) {
    const auto decision = commons_.permissions.decide({.who = session.identity,
                                                       .access = Access::Subscribe,
                                                       .topic = subscription.filter.filter(),
                                                       .qos = subscription.options.qos,
                                                       .shared = subscription.filter.shared()});
    if (!decision.allowed) {
        commons_.events.record({.kind = EventKind::SubscriptionRevoked,
                                .client_id = session.client_id,
                                .user_name = session.identity.user_name,
                                .topic = subscription.filter.text(),
                                .code = ReasonCode::NotAuthorized,
                                .reason = decision.reason});
        return false;
    }
    if (subscription.options.qos <= decision.qos_max) return true;
    subscription.options.qos = decision.qos_max;
    enter(session, subscription, false, now);
    return true;
}

// A session that ends may end others by its will, so they are found again by their ids.
void Shard::dismiss(const Judge& judge, Instant now) {
    std::vector<std::pair<SessionId, Farewell>> dismissed;
    sessions_.for_each([&](const Session& session) {
        if (session.identity.is_operator) return;
        const auto* connection = session.connection();
        const auto address = connection != nullptr ? std::string_view(connection->peer.address) : std::string_view();
        const auto farewell = judge(session.identity, address);
        if (farewell && (session.connected() || farewell->ends_session)) dismissed.emplace_back(session.id, *farewell);
    });
    for (const auto& [id, farewell] : dismissed) {
        auto* session = sessions_.find(id);
        if (session != nullptr && session->connected()) {
            close(*session->connection(), farewell.code, farewell.reason, now);
            session = sessions_.find(id);
        }
        if (session != nullptr && farewell.ends_session) end_session(*session, now);
    }
}

}  // namespace chappe::broker
