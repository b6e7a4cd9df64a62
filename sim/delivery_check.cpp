#include "sim/delivery_check.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "mqtt/topic.h"

namespace chappe::sim {
namespace {

using mqtt::QoS;

// By then what one shard has acknowledged has reached the others.
constexpr auto mail_time_max = 50ms;

// A message that somebody published, or the broker for a testator.
struct Message {
    std::string topic;
    QoS qos = QoS::AtMostOnce;
    Instant at;
    std::optional<Instant> taken_at;  // The publisher was told that the broker has it.
    std::optional<std::uint32_t> expiry_seconds;
    std::uint64_t number = 0;  // Grows from one message of a topic to the next.
    bool comes_again = false;  // On the way to the broker.
};

struct Owed {
    const Message* message;
    QoS qos;
    bool certain;  // It arrives, or its loss is counted.
};

using Times = std::map<std::string_view, int>;

class DeliveryCheck {
public:
    DeliveryCheck(const Cast& cast, const SessionBook& sessions, const Draw& drawn, World& world, Outcome& outcome)
        : cast_(cast), drawn_(drawn), world_(world), outcome_(outcome) {
        for (const auto& publisher : cast.publishers) collect(publisher);
        for (const auto& will : sessions.wills_due()) collect(will);
    }

    void run() {
        for (const auto& subscriber : cast_.subscribers) {
            for (const auto& life : subscriber.lives) check_life(subscriber, life);
        }
        if (!cast_.members.empty()) check_group();
        check_losses();
    }

private:
    // --- What was published

    void collect(const Publisher& publisher) {
        for (const auto& [token, sent] : publisher.device->sent()) {
            ++outcome_.published;
            if (sent.payload.empty()) {  // One cannot be told from another.
                cleared_.insert(sent.topic);
                continue;
            }
            messages_[sent.payload] = {.topic = sent.topic,
                                       .qos = sent.qos,
                                       .at = sent.at,
                                       .taken_at = is_error(sent.code) ? std::nullopt : sent.acknowledged_at,
                                       .expiry_seconds = sent.expiry_seconds,
                                       .number = token.value,
                                       .comes_again = sent.qos == QoS::AtLeastOnce};
        }
    }

    void collect(const SessionBook::Will& will) {
        messages_[will.payload] = {.topic = will.topic,
                                   .qos = will.qos,
                                   .at = *will.due,
                                   .taken_at = *will.due + world_.lateness_max(),
                                   .expiry_seconds = will.message_expiry_seconds,
                                   .number = will.order,
                                   .comes_again = false};
    }

    // --- What one was owed

    [[nodiscard]] std::map<std::string_view, Owed> owed_to(const Subscriber& subscriber) const {
        std::string_view filter = subscriber.filter;
        if (filter.starts_with("$share/g/")) filter.remove_prefix(9);
        std::map<std::string_view, Owed> owed;
        for (const auto& [payload, message] : messages_) {
            if (!mqtt::matches(filter, message.topic)) continue;
            const auto qos = std::min(message.qos, subscriber.qos);
            const bool certain = qos != QoS::AtMostOnce && message.taken_at;
            owed[payload] = {.message = &message, .qos = qos, .certain = certain};
        }
        return owed;
    }

    // Whether the session of this life was there when the message was published.
    [[nodiscard]] static bool covers(const Subscriber& subscriber, const Life& life, const Message& message) {
        if (life.ended_at && *message.taken_at + mail_time_max > *life.ended_at) return false;
        return was_there(subscriber, life, message);
    }

    [[nodiscard]] static bool was_there(const Subscriber& subscriber, const Life& life, const Message& message) {
        if (&life == &subscriber.lives.front()) return true;  // Who was there before anybody published.
        return life.device->subscribed_at() && message.at >= *life.device->subscribed_at();
    }

    // --- What it got

    // The message, where it is one that its recipient may get.
    const Owed* check_received(const std::string& name, const Received& received,
                               const std::map<std::string_view, Owed>& owed) {
        ++outcome_.received;
        if (received.retain) fault(name + " got a live message as a retained one");
        if (received.payload.empty()) {
            if (!cleared_.contains(received.topic)) fault(name + " got an empty message that nobody sent");
            return nullptr;
        }
        const auto found = owed.find(received.payload);
        if (found == owed.end() || found->second.message->topic != received.topic) {
            fault(name + " got what nobody sent it: " + received.payload.substr(0, 20));
            return nullptr;
        }
        if (received.qos != found->second.qos) fault(name + " got a message with another QoS");
        check_expiry(name, received, *found->second.message);
        return &found->second;
    }

    // What is left of a Message Expiry Interval is what was sent less the full seconds waited ([MQTT-3.3.2-6]). One
    // that had been sent before it expired is sent again, with nothing left.
    void check_expiry(const std::string& name, const Received& received, const Message& message) {
        if (!received.expiry_seconds_left) return;  // 3.1.1 has none.
        const auto left = *received.expiry_seconds_left;
        const auto of = message.expiry_seconds.value_or(0);
        const auto waited = std::chrono::floor<std::chrono::seconds>(received.at - message.at).count();
        const bool plausible = message.expiry_seconds && left <= of && left + waited >= of;
        if (!plausible) fault(name + " got a message with another Message Expiry Interval");
    }

    void check_life(const Subscriber& subscriber, const Life& life) {
        const auto owed = owed_to(subscriber);
        const auto& name = life.device->name();
        Times times;
        std::set<std::string_view> refused;
        std::map<std::string_view, std::uint64_t> latest;
        for (const auto& received : life.device->received()) {
            const auto* entry = check_received(name, received, owed);
            if (entry == nullptr) continue;
            if (received.refused) refused.insert(received.payload);
            if (++times[received.payload] != 1) continue;
            // A copy of QoS 0 may be lost and the publisher send the message again, after others. The same holds for a
            // first copy for which the subscriber was not there yet.
            const bool had_come = entry->message->comes_again && !was_there(subscriber, life, *entry->message);
            if (received.qos != QoS::AtMostOnce && !had_come) check_order(name, received, *entry->message, latest);
        }
        check_repeats(name, times, refused, owed);
        std::size_t missing = 0;
        for (const auto& [payload, entry] : owed) {
            if (!entry.certain || times.contains(payload) || !covers(subscriber, life, *entry.message)) continue;
            world_.trace("missing at " + name + ": " + std::string(payload.substr(0, 20)));
            if (life.ended_at) {
                ++lost_with_session_;
            } else if (entry.message->expiry_seconds) {
                ++expired_;
            } else {
                ++missing;
            }
        }
        miss(name, missing);
    }

    void check_group() {
        const auto owed = owed_to(cast_.members.front());
        Times times;
        std::set<std::string_view> refused;
        for (const auto& member : cast_.members) {
            for (const auto& received : member.device().received()) {
                if (check_received(member.device().name(), received, owed) == nullptr) continue;
                if (received.refused) refused.insert(received.payload);
                ++times[received.payload];
            }
        }
        check_repeats("the group", times, refused, owed);
        std::size_t missing = 0;
        for (const auto& [payload, entry] : owed) {
            if (!entry.certain || times.contains(payload)) continue;
            world_.trace("missing in the group: " + std::string(payload.substr(0, 20)));
            ++(entry.message->expiry_seconds ? expired_ : missing);
        }
        miss("the group", missing);
    }

    // Messages of one publisher to one topic arrive first in the order in which they were published (4.6), unless the
    // first copy of one was dropped and the publisher, who did not know yet that it was taken or rejected, sent
    // another.
    void check_order(const std::string& name, const Received& received, const Message& message,
                     std::map<std::string_view, std::uint64_t>& latest) {
        const bool dropped_once = message.comes_again && (drawn_.small_queues() || message.expiry_seconds);
        auto& last = latest[received.topic];
        if (message.number <= last && !dropped_once && !drawn_.rejects()) {
            fault(name + " got " + received.payload.substr(0, 20) + " after a later one");
        }
        last = std::max(last, message.number);
    }

    // QoS 1 may come again, and what was refused with a PUBREC that was lost, since its exchange is over for the
    // client.
    void check_repeats(const std::string& name, const Times& times, const std::set<std::string_view>& refused,
                       const std::map<std::string_view, Owed>& owed) {
        for (const auto& [payload, count] : times) {
            const auto& entry = owed.at(payload);
            // What one subscriber's queue rejected may be sent again, also to those that have it.
            const bool may_repeat = entry.message->comes_again || entry.qos == QoS::AtLeastOnce || drawn_.rejects();
            if (count == 1 || may_repeat || refused.contains(payload)) continue;
            fault(name + " got " + std::string(payload.substr(0, 20)) + " " + std::to_string(count) + " times");
        }
    }

    // --- What is missing

    void miss(const std::string& name, std::size_t missing) {
        missing_ += missing;
        if (missing != 0 && !drawn_.small_queues()) fault(name + " lacks " + std::to_string(missing) + " messages");
    }

    // Nothing is lost without being counted under the right reason.
    void check_losses() {
        using broker::DropReason;
        auto counted = world_.dropped(DropReason::QueueFull) + world_.dropped(DropReason::Rejected);
        auto missing = missing_;
        compare(missing, counted, "messages are missing");
        counted += world_.dropped(DropReason::Expired);
        missing += expired_;
        compare(missing, counted, "messages are missing or have expired");
        counted += world_.dropped(DropReason::SessionEnded);
        missing += lost_with_session_;
        compare(missing, counted, "messages are missing, have expired, or went with a session");
    }

    void compare(std::uint64_t missing, std::uint64_t counted, const std::string& what) {
        if (missing <= counted) return;
        fault(std::to_string(missing) + " " + what + ", and " + std::to_string(counted) + " drops were counted");
    }

    void fault(std::string what) { outcome_.faults.push_back(std::move(what)); }

    const Cast& cast_;
    const Draw& drawn_;
    World& world_;
    Outcome& outcome_;
    std::map<std::string, Message> messages_;  // By payload.
    std::set<std::string> cleared_;            // Topics to which an empty message was published.
    std::size_t missing_ = 0;
    std::size_t expired_ = 0;
    std::size_t lost_with_session_ = 0;
};

}  // namespace

void check_deliveries(const Cast& cast, const SessionBook& sessions, const Draw& drawn, World& world,
                      Outcome& outcome) {
    DeliveryCheck(cast, sessions, drawn, world, outcome).run();
}

}  // namespace chappe::sim
