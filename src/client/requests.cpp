#include "client/requests.h"

#include <algorithm>

#include "mqtt/encoder.h"

namespace chappe::client {
namespace {

// Of one SUBSCRIBE that renews subscriptions: servers bound how many they take at once.
constexpr std::size_t subscriptions_per_packet = 100;

mqtt::Subscribe to_packet(const std::vector<Subscription>& subscriptions) {
    mqtt::Subscribe packet;
    for (const auto& subscription : subscriptions)
        packet.entries.push_back({subscription.filter, subscription.options});
    packet.subscription_identifier = subscriptions.front().identifier;
    return packet;
}

mqtt::Unsubscribe to_packet(const std::vector<std::string>& filters) {
    mqtt::Unsubscribe packet;
    packet.filters.assign(filters.begin(), filters.end());
    return packet;
}

}  // namespace

RequestToken Requests::subscribe(std::vector<Subscription> subscriptions, OwnedUserProperties user_properties) {
    ASSERT(!subscriptions.empty());
    ASSERT(std::ranges::all_of(subscriptions, [&](const Subscription& subscription) {
        return subscription.identifier == subscriptions.front().identifier;  // A SUBSCRIBE has one for all.
    }));
    requests_.push_back({{++last_token_}, {}, std::move(subscriptions), std::move(user_properties)});
    return {last_token_};
}

RequestToken Requests::unsubscribe(std::vector<std::string> filters, OwnedUserProperties user_properties) {
    ASSERT(!filters.empty());
    requests_.push_back({{++last_token_}, {}, std::move(filters), std::move(user_properties)});
    return {last_token_};
}

void Requests::resume(bool session_present, PacketIds& ids) {
    for (auto& request : requests_) {
        if (request.packet_id.value != 0) ids.give_back(request.packet_id);
        request.packet_id = {};
    }
    if (!session_present) subscribe_again();
}

void Requests::subscribe_again() {
    std::erase_if(requests_, [](const Request& request) { return request.token.value == 0; });  // Of a renewal before.
    std::deque<Request> renewals;
    for (const auto& subscription : granted_) {
        const auto* last = renewals.empty() ? nullptr : &std::get<std::vector<Subscription>>(renewals.back().what);
        const bool fits = last != nullptr && last->size() < subscriptions_per_packet &&
                          last->front().identifier == subscription.identifier;
        if (!fits) renewals.push_back({{}, {}, std::vector<Subscription>{}, {}});
        std::get<std::vector<Subscription>>(renewals.back().what).push_back(subscription);
    }
    requests_.insert(requests_.begin(), renewals.begin(), renewals.end());
}

bool Requests::unsent() const noexcept {
    return std::ranges::any_of(requests_, [](const Request& request) { return request.packet_id.value == 0; });
}

void Requests::send(mqtt::ProtocolVersion version, const ServerLimits& limits, PacketIds& ids, Buffer& out,
                    Events& events) {
    std::erase_if(requests_, [&](Request& request) {
        if (request.packet_id.value != 0) return false;
        const auto refusal = refusal_of(request, version, limits);
        if (refusal) answer(request, *refusal, events);
        return refusal.has_value();
    });
    for (auto& request : requests_) {
        if (request.packet_id.value != 0) continue;
        if (!ids.available()) return;  // The next answer frees one.
        request.packet_id = ids.take();
        with_packet(request, request.packet_id, [&](const auto& packet) { mqtt::encode(packet, version, out); });
    }
}

template <class Use>
void Requests::with_packet(const Request& request, mqtt::PacketId id, Use use) {
    std::visit(
        [&](const auto& what) {
            auto packet = to_packet(what);
            packet.packet_id = id;
            packet.user_properties = view(request.user_properties);
            use(packet);
        },
        request.what);
}

std::optional<mqtt::Error> Requests::refusal_of(const Request& request, mqtt::ProtocolVersion version,
                                                const ServerLimits& limits) {
    std::size_t size = 0;
    with_packet(request, {1}, [&](const auto& packet) { size = mqtt::encoded_size(packet, version); });
    if (size > limits.packet_size_max) {
        return mqtt::Error{mqtt::ReasonCode::PacketTooLarge, "Above the server's Maximum Packet Size"};
    }
    const auto* subscriptions = std::get_if<std::vector<Subscription>>(&request.what);
    return subscriptions == nullptr ? std::nullopt : limits.refusal(*subscriptions);
}

void Requests::answer(Request& request, const mqtt::Error& refusal, Events& events) {
    if (auto* subscriptions = std::get_if<std::vector<Subscription>>(&request.what)) {
        std::vector<mqtt::ReasonCode> codes(subscriptions->size(), refusal.code);
        events.push_back(event::Subscribed{request.token, std::move(*subscriptions), std::move(codes), refusal.reason});
    } else {
        auto& filters = std::get<Filters>(request.what);
        std::vector<mqtt::ReasonCode> codes(filters.size(), refusal.code);
        events.push_back(event::Unsubscribed{request.token, std::move(filters), std::move(codes), refusal.reason});
    }
}

mqtt::Result<event::Subscribed> Requests::on_suback(const mqtt::SubAck& packet, PacketIds& ids) {
    const auto entry = find(packet.packet_id);
    auto* subscriptions = entry == requests_.end() ? nullptr : std::get_if<std::vector<Subscription>>(&entry->what);
    if (subscriptions == nullptr) return mqtt::failure(mqtt::ReasonCode::ProtocolError, "SUBACK without SUBSCRIBE");
    if (packet.reason_codes.size() != subscriptions->size()) {
        return mqtt::failure(mqtt::ReasonCode::ProtocolError, "SUBACK with a wrong number of reason codes");
    }
    for (std::size_t i = 0; i < subscriptions->size(); ++i) {
        if (!mqtt::is_error(packet.reason_codes[i])) granted((*subscriptions)[i]);
    }
    event::Subscribed event{entry->token, std::move(*subscriptions), packet.reason_codes,
                            packet.reason_string.value_or("")};
    ids.give_back(entry->packet_id);
    requests_.erase(entry);
    return event;
}

mqtt::Result<event::Unsubscribed> Requests::on_unsuback(const mqtt::UnsubAck& packet, PacketIds& ids) {
    const auto entry = find(packet.packet_id);
    auto* filters = entry == requests_.end() ? nullptr : std::get_if<Filters>(&entry->what);
    if (filters == nullptr) return mqtt::failure(mqtt::ReasonCode::ProtocolError, "UNSUBACK without UNSUBSCRIBE");
    if (!packet.reason_codes.empty() && packet.reason_codes.size() != filters->size()) {
        return mqtt::failure(mqtt::ReasonCode::ProtocolError, "UNSUBACK with a wrong number of reason codes");
    }
    for (const auto& filter : *filters) forgotten(filter);
    event::Unsubscribed event{entry->token, std::move(*filters), packet.reason_codes,
                              packet.reason_string.value_or("")};
    ids.give_back(entry->packet_id);
    requests_.erase(entry);
    return event;
}

Requests::Entry Requests::find(mqtt::PacketId id) { return std::ranges::find(requests_, id, &Request::packet_id); }

void Requests::granted(const Subscription& subscription) {
    const auto known = std::ranges::find(granted_, subscription.filter, &Subscription::filter);
    if (known == granted_.end()) {
        granted_.push_back(subscription);
    } else {
        *known = subscription;  // A subscription with the same filter replaces the earlier one ([MQTT-3.8.4-3]).
    }
}

void Requests::forgotten(std::string_view filter) {
    std::erase_if(granted_, [&](const Subscription& subscription) { return subscription.filter == filter; });
}

}  // namespace chappe::client
