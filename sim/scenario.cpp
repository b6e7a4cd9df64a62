#include "sim/scenario.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "sim/cast.h"
#include "sim/delivery_check.h"
#include "sim/draw.h"
#include "sim/session_book.h"
#include "sim/world.h"

namespace chappe::sim {
namespace {

using mqtt::QoS;
using mqtt::ReasonCode;

constexpr auto time_of_trouble = 20s;
constexpr auto time_to_recover = 15min;

class Scenario {
public:
    Scenario(std::uint64_t seed, const std::function<void(const std::string&)>& trace)
        : draw_(seed ^ 0x5ca1ab1e), world_(draw_.world(seed)), sessions_(world_.lateness_max()) {
        if (trace) world_.on_trace(trace);
        world_.on_event([this](const broker::Event& event) { sessions_.on_event(event, world_.now()); });
        world_.watch("t/+/will", [this](const broker::Message& will) { sessions_.on_will(will, world_.now()); });
    }

    Outcome run() {
        make_devices();
        begin();
        trouble();
        recover();
        if (outcome_.faults.empty()) check_deliveries(cast_, sessions_, draw_, world_, outcome_);
        check_retained();
        end_everything();
        for (auto& what : sessions_.faults()) fault(std::move(what));
        outcome_.trace_hash = world_.trace_hash();
        return std::move(outcome_);
    }

private:
    void fault(std::string what) { outcome_.faults.push_back(std::move(what)); }

    // --- The beginning

    std::unique_ptr<Device> device(const std::string& name, bool shares = false) {
        auto habits = draw_.habits();
        habits.shares = shares;
        return std::make_unique<Device>(world_, sessions_, draw_.client(name), habits);
    }

    void make_devices() {
        const auto publishers = 1 + draw_.below(4);
        for (std::uint64_t number = 0; number != publishers; ++number) {
            const auto name = "p" + std::to_string(number);
            Publisher publisher{.device = device(name), .topics = {}};
            for (std::uint64_t topic = 0; topic <= draw_.below(3); ++topic) {
                publisher.topics.push_back({"t/" + name + "/" + std::to_string(topic), draw_.qos()});
            }
            cast_.publishers.push_back(std::move(publisher));
        }
        const std::vector<std::string> filters = {"#", "t/#", "t/+/0", "t/p0/#", "+/+/1", "t/p1/0", "t/+/will"};
        const auto subscribers = 1 + draw_.below(4);
        for (std::uint64_t number = 0; number != subscribers; ++number) {
            Subscriber subscriber{.filter = filters[draw_.below(filters.size())], .qos = draw_.qos(), .lives = {}};
            subscriber.lives.push_back({.device = device("s" + std::to_string(number)), .ended_at = {}});
            cast_.subscribers.push_back(std::move(subscriber));
        }
        const auto members = draw_.one_in(2) ? 0 : 1 + draw_.below(3);
        const auto qos = draw_.qos();
        for (std::uint64_t number = 0; number != members; ++number) {
            Subscriber member{.filter = "$share/g/t/#", .qos = qos, .lives = {}};
            member.lives.push_back({.device = device("m" + std::to_string(number), true), .ended_at = {}});
            cast_.members.push_back(std::move(member));
        }
        const auto testators = draw_.below(4);
        for (std::uint64_t number = 0; number != testators; ++number) {
            cast_.testators.push_back({.name = "w" + std::to_string(number), .qos = draw_.qos(), .connections = {}});
        }
    }

    void begin() {
        cast_.for_each_lasting([](Device& lasting) { lasting.start(); });
        const auto subscribe = [](const Subscriber& subscriber) {
            subscriber.device().subscribe(subscriber.filter, {.qos = subscriber.qos});
        };
        std::ranges::for_each(cast_.subscribers, subscribe);
        std::ranges::for_each(cast_.members, subscribe);
        const bool all = world_.advance_until([&] { return everybody_has_subscribed(); }, time_to_recover);
        if (!all) fault("not everybody could subscribe");
        for (auto& testator : cast_.testators) connect(testator);
    }

    [[nodiscard]] bool everybody_has_subscribed() const {
        const auto subscribed = [](const Subscriber& subscriber) {
            return subscriber.device().subscribed_at().has_value();
        };
        return std::ranges::all_of(cast_.subscribers, subscribed) && std::ranges::all_of(cast_.members, subscribed);
    }

    // --- The middle: publishing goes on while connections break

    void trouble() {
        const auto end = world_.now() + time_of_trouble;
        const auto trouble_every = 50 + draw_.below(3000);
        while (world_.now() < end) {
            world_.advance(draw_.milliseconds_below(100));
            auto& publisher = cast_.publishers[draw_.below(cast_.publishers.size())];
            for (auto count = draw_.below(4); count != 0; --count) publish(publisher);
            for (auto& testator : cast_.testators) {
                if (draw_.one_in(20)) act(testator);
            }
            if (!draw_.one_in(1 + trouble_every / 50)) continue;
            if (draw_.one_in(10)) {
                start_anew(cast_.subscribers[draw_.below(cast_.subscribers.size())]);
            } else {
                disturb(any_lasting());
            }
        }
    }

    Device& any_lasting() {
        std::vector<Device*> all;
        cast_.for_each_lasting([&](Device& lasting) { all.push_back(&lasting); });
        return *all[draw_.below(all.size())];
    }

    void disturb(Device& unlucky) {
        if (draw_.one_in(3)) return unlucky.stall(draw_.milliseconds_below(3000));
        const auto how = static_cast<Cut>(draw_.below(3));
        unlucky.lose_connection(how, draw_.one_in(2) ? Duration{} : draw_.milliseconds_below(8000));
    }

    void publish(Publisher& publisher) {
        const auto& topic = publisher.topics[draw_.below(publisher.topics.size())];
        const bool v5 = publisher.device->options().version == mqtt::ProtocolVersion::V5;
        Sent message{.topic = topic.name, .qos = topic.qos, .retain = draw_.one_in(10), .expiry_seconds = {}};
        message.payload = publisher.device->name() + ":" + std::to_string(publisher.next++);
        if (draw_.one_in(20)) message.payload += std::string(3000, '.');
        if (message.retain && draw_.one_in(5)) message.payload.clear();  // Nothing is to be retained any more.
        if (v5 && draw_.one_in(8)) message.expiry_seconds = 1 + draw_.seconds_below(4);
        if (!publisher.device->publish(message)) return;
        if (message.retain && topic.qos != QoS::AtMostOnce && !draw_.small_queues()) {
            retained_[topic.name] = retained_later(message.payload, message.expiry_seconds.has_value());
        }
    }

    // What of such a message is retained when all is over.
    static std::optional<std::string> retained_later(const std::string& payload, bool expires) {
        if (payload.empty() || expires) return std::nullopt;
        return payload;
    }

    // The client takes its own session over and ends it, and subscribes again. What is retained is not asked for, so
    // that all that it gets is owed to it by its new subscription.
    void start_anew(Subscriber& subscriber) {
        auto& life = subscriber.lives.back();
        if (!life.device->subscribed_at()) return;
        life.ended_at = world_.now();
        life.device->resign();
        auto options = draw_.client(life.device->name());
        options.version = mqtt::ProtocolVersion::V5;
        options.clean_start = true;
        auto next = std::make_unique<Device>(world_, sessions_, options, draw_.habits());
        next->start();
        next->subscribe(subscriber.filter, {.qos = subscriber.qos, .retain_handling = mqtt::RetainHandling::DoNotSend});
        subscriber.lives.push_back({.device = std::move(next), .ended_at = {}});
    }

    // --- Testators

    void connect(Testator& testator) {
        const auto payload = testator.name + ":" + std::to_string(testator.connections.size());
        const auto options = draw_.testator(testator.name, testator.topic(), payload, testator.qos);
        testator.connections.push_back(
            std::make_unique<Device>(world_, sessions_, options, Habits{.comes_back = false}));
        testator.connections.back()->start();
    }

    void act(Testator& testator) {
        auto& device = testator.device();
        const bool takes_over = draw_.one_in(4);
        if (device.gone() || takes_over) return connect(testator);
        if (!device.connected()) return;
        if (draw_.one_in(2)) return device.lose_connection(static_cast<Cut>(draw_.below(3)), {});
        mqtt::Disconnect goodbye;
        if (device.options().version == mqtt::ProtocolVersion::V5) {
            const ReasonCode codes[] = {ReasonCode::Success, ReasonCode::DisconnectWithWillMessage,
                                        ReasonCode::UnspecifiedError};
            goodbye.reason_code = codes[draw_.below(3)];
            const bool lasts = device.options().session_expiry_interval_seconds != 0;
            if (lasts && !is_error(goodbye.reason_code) && draw_.one_in(3)) {
                goodbye.session_expiry_interval_seconds = draw_.seconds_below(5);
            }
        }
        device.leave(goodbye);
    }

    // --- The end: nothing breaks any more, and everything that was owed arrives

    bool quiet() {
        bool quiet = sessions_.settled(world_.now());
        cast_.for_each_lasting([&](const Device& lasting) { quiet &= lasting.connected() && lasting.idle(); });
        for (const auto& testator : cast_.testators) {
            quiet &= testator.agrees(sessions_.connection(testator.name));
        }
        return quiet && everybody_has_subscribed() && world_.total(&broker::Counters::queued_messages) == 0 &&
               world_.total(&broker::Counters::inflight_messages) == 0;
    }

    // A dead connection is found by its keep alive.
    void recover() {
        const auto end = world_.now() + time_to_recover;
        do {  // What is on its way between two shards, or a connection whose end nobody has seen yet, looks quiet.
            world_.advance(1s);
            static_cast<void>(world_.advance_until([&] { return quiet(); }, end - world_.now()));
            world_.advance(1s);
        } while (!quiet() && world_.now() < end);
        if (!quiet()) {
            fault("something is still owed: " + std::to_string(world_.total(&broker::Counters::queued_messages)) +
                  " queued, " + std::to_string(world_.total(&broker::Counters::inflight_messages)) + " in flight");
        }
        world_.advance(5s);
        cast_.for_each_device([&](const Device& device) {
            for (const auto& complaint : device.complaints()) fault(device.name() + ": " + complaint);
        });
    }

    // Who subscribes now gets the last retained message of each topic, once.
    void check_retained() {
        std::map<std::string, std::optional<std::string>> retained = retained_;
        for (const auto& will : sessions_.wills_due()) {
            if (!will.retain) continue;
            retained[will.topic] = retained_later(will.payload, will.message_expiry_seconds.has_value());
        }
        auto options = draw_.client("retained");
        options.version = mqtt::ProtocolVersion::V5;
        const auto unsent_full = world_.dropped(broker::DropReason::UnsentFull);
        Device reader(world_, sessions_, options, Habits{.acknowledges_within = 1ms});
        reader.start();
        reader.subscribe("t/#", {.qos = QoS::ExactlyOnce});
        world_.advance(60s);
        std::map<std::string, std::string> got;
        for (const auto& received : reader.received()) {
            if (!received.retain) fault("a retained message without RETAIN");
            if (!got.emplace(received.topic, received.payload).second) fault("a retained message twice");
        }
        // The reader is slow, and what is retained with QoS 0 does not wait for it.
        const bool may_be_missing = world_.dropped(broker::DropReason::UnsentFull) != unsent_full;
        for (const auto& [topic, payload] : retained) check_retained(topic, payload, got, may_be_missing);
        reader.leave({.session_expiry_interval_seconds = 0});
        world_.advance(10s);
    }

    void check_retained(const std::string& topic, const std::optional<std::string>& payload,
                        const std::map<std::string, std::string>& got, bool may_be_missing) {
        const auto found = got.find(topic);
        if (!payload && found != got.end()) fault("something is retained for " + topic + ", and nothing should be");
        if (!payload) return;
        if (found == got.end() && may_be_missing) return;
        if (found == got.end()) return fault("nothing is retained for " + topic);
        if (found->second != *payload) fault("an old message is retained for " + topic);
    }

    // All sessions end; then the broker must be as empty as at its start.
    void end_everything() {
        const auto leave = [](Device& device) {
            mqtt::Disconnect goodbye;
            if (device.options().version == mqtt::ProtocolVersion::V5) goodbye.session_expiry_interval_seconds = 0;
            device.leave(goodbye);
        };
        cast_.for_each_lasting(leave);
        for (const auto& testator : cast_.testators) {
            for (const auto& connection : testator.connections) leave(*connection);
        }
        world_.advance(10s);
        std::vector<std::unique_ptr<Device>> cleaners;  // What is still there ends with a clean start.
        const auto clean = [&](client::Options options) {
            options.clean_start = true;
            options.session_expiry_interval_seconds = 0;
            options.will.reset();
            cleaners.push_back(std::make_unique<Device>(world_, sessions_, options, Habits{}));
            cleaners.back()->start();
        };
        cast_.for_each_lasting([&](const Device& lasting) {
            if (lasting.options().version != mqtt::ProtocolVersion::V5) clean(lasting.options());
        });
        for (const auto& testator : cast_.testators) clean(testator.device().options());
        world_.advance(10s);
        for (const auto& cleaner : cleaners) cleaner->leave({});
        world_.advance(30s);
        world_.stop_watching();
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

    Draw draw_;
    World world_;
    SessionBook sessions_;
    Cast cast_;
    std::map<std::string, std::optional<std::string>> retained_;  // By topic; nothing: none must be.
    Outcome outcome_;
};

}  // namespace

Outcome run_scenario(std::uint64_t seed, const std::function<void(const std::string&)>& trace) {
    return Scenario(seed, trace).run();
}

}  // namespace chappe::sim
