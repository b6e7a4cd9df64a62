#include "sim/scenario.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "mqtt/topic.h"
#include "sim/device.h"
#include "sim/world.h"

namespace chappe::sim {
namespace {

using mqtt::QoS;

constexpr auto time_of_trouble = 20s;
constexpr auto time_to_recover = 15min;

struct Subscriber {
    std::unique_ptr<Device> device;
    std::string filter;  // As subscribed.
    QoS qos = QoS::AtMostOnce;
};

struct Publisher {
    std::unique_ptr<Device> device;
    // A topic has one QoS, since order holds between messages of the same QoS only.
    std::vector<std::pair<std::string, QoS>> topics;
    std::uint64_t next = 0;
};

class Scenario {
public:
    Scenario(std::uint64_t seed, const std::function<void(const std::string&)>& trace)
        : chance_(seed ^ 0x5ca1ab1e), world_(draw_world(seed)) {
        if (trace) world_.on_trace(trace);
    }

    Outcome run() {
        make_devices();
        begin();
        trouble();
        recover();
        if (outcome_.faults.empty()) check_books();
        check_retained();
        end_everything();
        outcome_.trace_hash = world_.trace_hash();
        return std::move(outcome_);
    }

private:
    bool one_in(std::uint64_t n) { return chance_.below(n) == 0; }
    QoS any_qos() { return static_cast<QoS>(chance_.below(3)); }
    void fault(std::string what) { outcome_.faults.push_back(std::move(what)); }

    WorldOptions draw_world(std::uint64_t seed) {
        WorldOptions options{.seed = seed};
        options.shards = static_cast<std::uint16_t>(1 + chance_.below(4));
        options.limits.inflight_max = static_cast<std::uint16_t>(1 + chance_.below(20));
        options.limits.receive_maximum = static_cast<std::uint16_t>(1 + chance_.below(20));
        options.policy.shared_strategy = static_cast<broker::SharedStrategy>(chance_.below(5));
        if (one_in(3)) options.limits.mailbox_bytes_max = 200;
        if (one_in(3)) options.limits.unsent_bytes_max = 300;
        if (one_in(4)) options.window_bytes = 100;
        small_queues_ = one_in(4);
        if (small_queues_) {
            options.limits.queue_messages_max = static_cast<std::uint32_t>(1 + chance_.below(5));
            options.policy.when_full = static_cast<broker::WhenFull>(chance_.below(3));
        }
        rejects_ = small_queues_ && options.policy.when_full == broker::WhenFull::Reject;
        return options;
    }

    client::Options draw_client(std::string name) {
        client::Options options;
        options.client_id = std::move(name);
        options.version = one_in(3) ? mqtt::ProtocolVersion::V311 : mqtt::ProtocolVersion::V5;
        // Before 5.0 a rejected message has no answer but the end of the connection; such a publisher would go on
        // forever.
        if (rejects_) options.version = mqtt::ProtocolVersion::V5;
        options.clean_start = false;
        options.session_expiry_interval_seconds = 3600;
        options.receive_maximum = static_cast<std::uint16_t>(1 + chance_.below(10));
        options.inflight_max = static_cast<std::uint16_t>(1 + chance_.below(10));
        options.topic_alias_maximum = static_cast<std::uint16_t>(chance_.below(3));
        options.topic_aliases = one_in(2);
        options.keep_alive_seconds = static_cast<std::uint16_t>(1 + chance_.below(5));
        options.queue_messages_max = 100'000;
        if (one_in(2)) options.acknowledge = client::Acknowledge::ByCaller;
        return options;
    }

    std::unique_ptr<Device> device(const std::string& name) {
        return std::make_unique<Device>(world_, draw_client(name), Duration{chance_.below(300'000'000)});
    }

    void make_devices() {
        const auto publishers = 1 + chance_.below(4);
        for (std::uint64_t number = 0; number != publishers; ++number) {
            const auto name = "p" + std::to_string(number);
            Publisher publisher{.device = device(name), .topics = {}};
            for (std::uint64_t topic = 0; topic <= chance_.below(3); ++topic) {
                publisher.topics.emplace_back("t/" + name + "/" + std::to_string(topic), any_qos());
            }
            publishers_.push_back(std::move(publisher));
        }
        const std::vector<std::string> filters = {"#", "t/#", "t/+/0", "t/p0/#", "+/+/1", "t/p1/0"};
        const auto subscribers = 1 + chance_.below(4);
        for (std::uint64_t number = 0; number != subscribers; ++number) {
            subscribers_.push_back({.device = device("s" + std::to_string(number)),
                                    .filter = filters[chance_.below(filters.size())],
                                    .qos = any_qos()});
        }
        const auto members = one_in(2) ? 0 : 1 + chance_.below(3);
        const auto qos = any_qos();
        for (std::uint64_t number = 0; number != members; ++number) {
            members_.push_back({.device = device("m" + std::to_string(number)), .filter = "$share/g/t/#", .qos = qos});
        }
    }

    template <class Visit>
    void for_each_device(Visit visit) {
        for (auto& publisher : publishers_) visit(*publisher.device);
        for (auto& subscriber : subscribers_) visit(*subscriber.device);
        for (auto& member : members_) visit(*member.device);
    }

    Device& any_device() {
        const auto index = chance_.below(publishers_.size() + subscribers_.size() + members_.size());
        if (index < publishers_.size()) return *publishers_[index].device;
        if (index < publishers_.size() + subscribers_.size()) return *subscribers_[index - publishers_.size()].device;
        return *members_[index - publishers_.size() - subscribers_.size()].device;
    }

    void begin() {
        for_each_device([](Device& started) { started.start(); });
        const auto subscribe = [](Subscriber& subscriber) {
            subscriber.device->subscribe(subscriber.filter, {.qos = subscriber.qos});
        };
        std::ranges::for_each(subscribers_, subscribe);
        std::ranges::for_each(members_, subscribe);
        const auto subscribed = [](const Subscriber& subscriber) { return subscriber.device->subscribed(); };
        const bool all = world_.advance_until(
            [&] { return std::ranges::all_of(subscribers_, subscribed) && std::ranges::all_of(members_, subscribed); },
            time_to_recover);
        if (!all) fault("not everybody could subscribe");
    }

    // Publishing goes on while connections break.
    void trouble() {
        const auto end = world_.now() + time_of_trouble;
        const auto trouble_every = 50 + chance_.below(3000);
        while (world_.now() < end) {
            world_.advance(std::chrono::milliseconds{chance_.below(100)});
            auto& publisher = publishers_[chance_.below(publishers_.size())];
            for (auto count = chance_.below(4); count != 0; --count) publish(publisher);
            if (!one_in(1 + trouble_every / 50)) continue;
            auto& unlucky = any_device();
            if (one_in(3)) {
                unlucky.stall(std::chrono::milliseconds{chance_.below(3000)});
            } else {
                unlucky.lose_connection(static_cast<Cut>(chance_.below(3)),
                                        std::chrono::milliseconds{one_in(2) ? 0 : chance_.below(8000)});
            }
        }
    }

    void publish(Publisher& publisher) {
        const auto& [topic, qos] = publisher.topics[chance_.below(publisher.topics.size())];
        const auto payload = publisher.device->name() + ":" + std::to_string(publisher.next++) +
                             (one_in(20) ? std::string(3000, '.') : "");
        const bool retain = one_in(10);
        publisher.device->publish(topic, payload, qos, retain);
        if (retain && qos != QoS::AtMostOnce && !small_queues_) retained_[topic] = payload;
    }

    bool quiet() {
        bool quiet = true;
        for_each_device([&](const Device& device) { quiet &= device.connected() && device.idle(); });
        return quiet && world_.total(&broker::Counters::queued_messages) == 0 &&
               world_.total(&broker::Counters::inflight_messages) == 0;
    }

    // Nothing breaks any more, and everything that was owed arrives. A dead connection is found by its keep alive.
    void recover() {
        if (!world_.advance_until([&] { return quiet(); }, time_to_recover)) {
            fault("something is still owed: " + std::to_string(world_.total(&broker::Counters::queued_messages)) +
                  " queued, " + std::to_string(world_.total(&broker::Counters::inflight_messages)) + " in flight");
        }
        world_.advance(5s);
        for_each_device([&](const Device& device) {
            for (const auto& complaint : device.complaints()) fault(device.name() + ": " + complaint);
        });
    }

    // --- The books

    struct Owed {
        QoS qos;
        bool may_repeat;  // QoS 1 on the way to the broker, or from there.
        bool certain;     // The publisher was told that the broker has it.
    };

    std::map<std::string, Owed> owed_to(const Subscriber& subscriber) {
        std::string_view filter = subscriber.filter;
        if (filter.starts_with("$share/g/")) filter.remove_prefix(9);
        std::map<std::string, Owed> owed;
        for (const auto& publisher : publishers_) {
            for (const auto& [token, sent] : publisher.device->sent()) {
                if (!mqtt::matches(filter, sent.topic)) continue;
                const bool certain = sent.acknowledged && !is_error(sent.code);
                const auto qos = std::min(sent.qos, subscriber.qos);
                // A message that one subscriber's queue rejected may be sent again, also to those that have it.
                const bool may_repeat = sent.qos == QoS::AtLeastOnce || qos == QoS::AtLeastOnce || rejects_;
                owed[sent.payload] = {.qos = qos, .may_repeat = may_repeat, .certain = certain};
            }
        }
        return owed;
    }

    void check_books() {
        for (const auto& publisher : publishers_) outcome_.published += publisher.device->sent().size();
        std::size_t missing = 0;
        for (const auto& subscriber : subscribers_) missing += check_subscriber(subscriber);
        missing += check_group();
        if (missing == 0) return;
        std::uint64_t dropped = 0;
        for (const auto reason : {broker::DropReason::QueueFull, broker::DropReason::Rejected}) {
            dropped += world_.dropped(reason);
        }
        if (missing > dropped) {
            fault(std::to_string(missing) + " messages are missing, and " + std::to_string(dropped) +
                  " drops were counted");
        }
    }

    // Returns how many messages of QoS 1 and 2 are missing.
    std::size_t check_subscriber(const Subscriber& subscriber) {
        const auto owed = owed_to(subscriber);
        const auto& name = subscriber.device->name();
        std::map<std::string, int> times;
        std::map<std::string, std::uint64_t> latest;
        for (const auto& received : subscriber.device->received()) {
            ++outcome_.received;
            const auto found = owed.find(received.payload);
            if (found == owed.end()) {
                fault(name + " got what nobody sent it: " + received.payload.substr(0, 20));
                continue;
            }
            if (received.qos != found->second.qos) fault(name + " got a message with another QoS");
            if (received.retain) fault(name + " got a live message as a retained one");
            if (++times[received.payload] > 1) continue;
            // A copy of QoS 0 may be lost and the publisher send the message again, after others.
            if (received.qos != QoS::AtMostOnce) check_order(name, received, latest);
        }
        for (const auto& [payload, count] : times) {
            if (count > 1 && !owed.at(payload).may_repeat) {
                fault(name + " got " + payload.substr(0, 20) + " " + std::to_string(count) + " times");
            }
        }
        std::size_t missing = 0;
        for (const auto& [payload, message] : owed) {
            if (message.qos == QoS::AtMostOnce || !message.certain || times.contains(payload)) continue;
            ++missing;
            world_.trace("missing at " + name + ": " + payload.substr(0, 20));
        }
        if (missing != 0 && !small_queues_) fault(name + " lacks " + std::to_string(missing) + " messages");
        return missing;
    }

    // Messages of one publisher to one topic arrive first in the order in which they were published (4.6).
    void check_order(const std::string& name, const Received& received, std::map<std::string, std::uint64_t>& latest) {
        const auto colon = received.payload.find(':');
        const auto number = std::stoull(received.payload.substr(colon + 1)) + 1;
        auto& last = latest[received.topic];
        // Who was rejected and does not know it yet sends again, after others were taken.
        if (number <= last && !rejects_) fault(name + " got " + received.payload.substr(0, 20) + " after a later one");
        last = std::max<std::uint64_t>(last, number);
    }

    std::size_t check_group() {
        if (members_.empty()) return 0;
        const auto owed = owed_to(members_.front());
        std::map<std::string, int> times;
        for (const auto& member : members_) {
            for (const auto& received : member.device->received()) {
                ++outcome_.received;
                if (!owed.contains(received.payload)) fault(member.device->name() + " got what is not its group's");
                ++times[received.payload];
            }
        }
        std::size_t missing = 0;
        for (const auto& [payload, message] : owed) {
            const auto found = times.find(payload);
            const auto count = found == times.end() ? 0 : found->second;
            if (count > 1 && !message.may_repeat) {
                fault("the group got " + payload.substr(0, 20) + " " + std::to_string(count) + " times");
            }
            if (count == 0 && message.qos != QoS::AtMostOnce && message.certain) {
                ++missing;
                world_.trace("missing in the group: " + payload.substr(0, 20));
            }
        }
        if (missing != 0 && !small_queues_) fault("the group lacks " + std::to_string(missing) + " messages");
        return missing;
    }

    // Who subscribes now gets the last retained message of each topic, once.
    void check_retained() {
        auto options = draw_client("retained");
        options.version = mqtt::ProtocolVersion::V5;
        Device reader(world_, options, 1ms);
        reader.start();
        reader.subscribe("t/#", {.qos = QoS::ExactlyOnce});
        world_.advance(60s);
        std::map<std::string, std::string> got;
        for (const auto& received : reader.received()) {
            if (!received.retain) fault("a retained message without RETAIN");
            if (!got.emplace(received.topic, received.payload).second) fault("a retained message twice");
        }
        for (const auto& [topic, payload] : retained_) {
            const auto found = got.find(topic);
            if (found == got.end()) {
                fault("nothing is retained for " + topic);
            } else if (found->second != payload) {
                fault("an old message is retained for " + topic);
            }
        }
        reader.leave({.session_expiry_interval_seconds = 0});
        world_.advance(10s);
    }

    // All sessions end; then the broker must be as empty as at its start.
    void end_everything() {
        for_each_device([](Device& device) {
            mqtt::Disconnect goodbye;
            if (device.options().version == mqtt::ProtocolVersion::V5) goodbye.session_expiry_interval_seconds = 0;
            device.leave(goodbye);
        });
        world_.advance(10s);
        std::vector<std::unique_ptr<Device>> cleaners;  // What 3.1.1 kept ends with a clean session.
        for_each_device([&](const Device& device) {
            if (device.options().version == mqtt::ProtocolVersion::V5) return;
            auto options = device.options();
            options.clean_start = true;
            cleaners.push_back(std::make_unique<Device>(world_, options, 1ms));
            cleaners.back()->start();
        });
        world_.advance(10s);
        for (const auto& cleaner : cleaners) cleaner->leave({});
        world_.advance(30s);
        expect_zero("sessions", world_.commons().sessions.load());
        expect_zero("connections", world_.commons().connections.load());
        expect_zero("subscriptions", world_.commons().tree.subscription_count());
        expect_zero("queued bytes", world_.commons().queued_bytes.load());
        expect_zero("sessions counted", world_.total(&broker::Counters::sessions));
        expect_zero("clients connected", world_.total(&broker::Counters::clients_connected));
        expect_zero("messages in flight", world_.total(&broker::Counters::inflight_messages));
        expect_zero("shared subscriptions", world_.total(&broker::Counters::shared_groups));
    }

    void expect_zero(const char* what, std::uint64_t value) {
        if (value != 0) fault(std::to_string(value) + " " + what + " are left at the end");
    }

    Random chance_;  // Its own, so that what is drawn does not depend on what the World draws.
    bool small_queues_ = false;
    bool rejects_ = false;
    World world_;
    std::vector<Publisher> publishers_;
    std::vector<Subscriber> subscribers_;
    std::vector<Subscriber> members_;
    std::map<std::string, std::string> retained_;
    Outcome outcome_;
};

}  // namespace

Outcome run_scenario(std::uint64_t seed, const std::function<void(const std::string&)>& trace) {
    return Scenario(seed, trace).run();
}

}  // namespace chappe::sim
