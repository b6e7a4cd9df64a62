#include "client/outbox.h"

#include <algorithm>
#include <ranges>
#include <utility>

namespace chappe::client {

bool Outbox::roomy() const noexcept {
    return size() <= bounds_.messages - bounds_.messages / 4 && bytes_ <= bounds_.bytes - bounds_.bytes / 4 && !full();
}

PublishToken Outbox::add(StoredPublish publish) {
    const PublishToken token{++last_token_};
    bytes_ += publish.size();
    waiting_.push_back({token, std::move(publish)});
    return token;
}

void Outbox::resume() {
    for (auto& message : in_flight_ | std::views::values) {
        message.sent = message.stage == Stage::AwaitsPubComp;  // Of these, PUBREL goes out again and not PUBLISH.
        if (!message.sent) message.publish.set_dup(true);      // [MQTT-3.3.1-1]
    }
    sent_ = static_cast<std::size_t>(std::ranges::count_if(in_flight_ | std::views::values, &InFlight::sent));
    unsent_ = {0};
}

std::vector<PublishToken> Outbox::restart(PacketIds& ids) {
    std::vector<PublishToken> taken_over;
    for (auto& [token, message] : in_flight_ | std::views::reverse) {
        ids.give_back(message.packet_id);
        if (message.stage == Stage::AwaitsPubComp) {
            taken_over.push_back(token);
            continue;
        }
        message.publish.set_dup(false);
        waiting_.push_front({token, std::move(message.publish)});
    }
    in_flight_.clear();
    by_id_.clear();
    sent_ = 0;
    std::ranges::reverse(taken_over);
    return taken_over;
}

std::vector<mqtt::PacketId> Outbox::unfinished_releases() const {
    std::vector<std::pair<std::uint64_t, mqtt::PacketId>> releases;
    for (const auto& message : in_flight_ | std::views::values) {
        if (message.release != 0) releases.emplace_back(message.release, message.packet_id);
    }
    std::ranges::sort(releases);
    std::vector<mqtt::PacketId> ids;
    for (const auto& release : releases) ids.push_back(release.second);
    return ids;
}

Outbox::Acknowledged Outbox::on_puback(mqtt::PacketId id, PacketIds& ids) {
    const auto entry = find(id);
    if (entry == in_flight_.end()) return {Outcome::UnknownId, {}};
    if (entry->second.stage != Stage::AwaitsPubAck) return {Outcome::WrongKind, {}};
    return finish(entry, ids);
}

Outbox::Acknowledged Outbox::on_pubrec(mqtt::PacketId id, mqtt::ReasonCode code, PacketIds& ids) {
    const auto entry = find(id);
    if (entry == in_flight_.end()) return {Outcome::UnknownId, {}};
    auto& message = entry->second;
    if (message.stage == Stage::AwaitsPubAck) return {Outcome::WrongKind, {}};
    if (message.stage == Stage::AwaitsPubComp) return {Outcome::Release, entry->first};  // Once more, so once more.
    if (mqtt::is_error(code)) return finish(entry, ids);  // No PUBREL then: the id is free (4.3.3).
    bytes_ -= message.publish.size();
    message.publish.release();
    if (!std::exchange(message.sent, true)) ++sent_;
    message.stage = Stage::AwaitsPubComp;
    message.release = ++last_release_;
    return {Outcome::Release, entry->first};
}

Outbox::Acknowledged Outbox::on_pubcomp(mqtt::PacketId id, PacketIds& ids) {
    const auto entry = find(id);
    if (entry == in_flight_.end()) return {Outcome::UnknownId, {}};
    if (entry->second.stage != Stage::AwaitsPubComp) return {Outcome::WrongKind, {}};
    return finish(entry, ids);
}

Outbox::Entry Outbox::find(mqtt::PacketId id) {
    const auto token = by_id_.find(id);
    return token == by_id_.end() ? in_flight_.end() : in_flight_.find(token->second);
}

Outbox::Acknowledged Outbox::finish(Entry entry, PacketIds& ids) {
    const auto token = entry->first;
    if (entry->second.sent) --sent_;  // Otherwise it answers what went out on an earlier connection.
    bytes_ -= entry->second.publish.size();
    ids.give_back(entry->second.packet_id);
    by_id_.erase(entry->second.packet_id);
    in_flight_.erase(entry);
    return {Outcome::Done, token};
}

Outbox::Entry Outbox::next_unsent() {
    auto entry = in_flight_.lower_bound(unsent_);
    while (entry != in_flight_.end() && entry->second.sent) ++entry;
    if (entry != in_flight_.end()) unsent_ = entry->first;
    return entry;
}

Outbox::InFlight& Outbox::put_in_flight(Waiting waiting, PacketIds& ids) {
    const auto id = ids.take();
    const auto stage = waiting.publish.qos() == mqtt::QoS::AtLeastOnce ? Stage::AwaitsPubAck : Stage::AwaitsPubRec;
    waiting.publish.set_packet_id(id);
    const auto [entry, inserted] =
        in_flight_.emplace(waiting.token, InFlight{id, stage, true, 0, std::move(waiting.publish)});
    ASSERT(inserted);
    by_id_.emplace(id, waiting.token);
    ++sent_;
    return entry->second;
}

}  // namespace chappe::client
