#include "server/sys_topics.h"

#include <map>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/event_recorder.h"
#include "server/settings/key.h"
#include "server/test_support.h"

namespace chappe::server {
namespace {

class NoLog : public broker::EventLog {
public:
    void record(const broker::Event&) override {}
};

class Sys : public testing::Test {
protected:
    // Tells the topics of this moment; what was published is in `published`.
    void update(const Totals& totals = {}) {
        published.clear();
        topics.update(totals, now);
    }
    [[nodiscard]] std::string value(const std::string& topic) const {
        const auto found = published.find("$SYS/broker/" + topic);
        return found == published.end() ? "not published" : found->second;
    }

    EverybodyIsWelcome authenticator;
    ControlIsTheOperators permissions;
    NoLog no_log;
    broker::Limits limits;
    broker::Commons commons{1, limits, 1, authenticator, permissions, no_log};
    Instant now{1h};
    std::map<std::string, std::string> published;
    SysTopics topics{commons,
                     [this](std::string_view topic, std::string_view payload) {
                         EXPECT_TRUE(published.emplace(topic, payload).second) << topic << " twice";
                     },
                     now};
};

TEST_F(Sys, HasATopicForEverySettingOfLimits) {
    update();
    for (const auto& key : keys()) {
        if (key.section != "limits") continue;
        EXPECT_EQ(value("chappe/limits/" + std::string(key.name)), "0") << key.name;
    }
}

TEST_F(Sys, HasATopicForEveryReasonOfADrop) {
    Totals totals;
    for (std::size_t reason = 0; reason != totals.drops.size(); ++reason) totals.drops[reason] = reason + 1;
    update(totals);
    for (std::size_t reason = 0; reason != totals.drops.size(); ++reason) {
        const auto name = to_string(static_cast<broker::DropReason>(reason));
        EXPECT_EQ(value("chappe/drops/" + std::string(name)), std::to_string(reason + 1));
    }
}

TEST_F(Sys, AddsUpTheCountersOfAllShards) {
    broker::Counters one;
    broker::Counters two;
    one.reached(broker::Bound::SessionsMax);
    two.reached(broker::Bound::SessionsMax);
    two.publish_received.add(7);
    Totals totals;
    totals.add(one);
    totals.add(two);
    update(totals);
    EXPECT_EQ(value("chappe/limits/sessions_max"), "2");
    EXPECT_EQ(value("publish/messages/received"), "7");
}

TEST_F(Sys, CallsDroppedWhatMosquittoDoes) {
    Totals totals;
    const auto dropped = [&](broker::DropReason reason) -> auto& {
        return totals.drops[static_cast<std::size_t>(reason)];
    };
    for (const auto reason : {broker::DropReason::Expired, broker::DropReason::NotAuthorized}) dropped(reason) = 100;
    dropped(broker::DropReason::QueueFull) = 1;
    dropped(broker::DropReason::QueuesFull) = 2;
    dropped(broker::DropReason::UnsentFull) = 4;
    dropped(broker::DropReason::Rejected) = 8;
    update(totals);
    EXPECT_EQ(value("publish/messages/dropped"), "15");
}

TEST_F(Sys, PublishesAgainOnlyWhatHasChanged) {
    update({.bytes_received = 1});
    EXPECT_EQ(value("bytes/received"), "1");
    EXPECT_EQ(value("uptime"), "0 seconds");
    now += 61s;
    update({.bytes_received = 1});
    EXPECT_EQ(value("bytes/received"), "not published");
    EXPECT_EQ(value("version"), "not published");
    EXPECT_EQ(value("uptime"), "61 seconds");
}

TEST_F(Sys, TellsClientsThatAreAwayAndTheMostAtOnce) {
    update({.clients_connected = 3, .sessions = 5});
    EXPECT_EQ(value("clients/connected"), "3");
    EXPECT_EQ(value("clients/disconnected"), "2");
    EXPECT_EQ(value("clients/total"), "5");
    update({.clients_connected = 1, .sessions = 5});
    EXPECT_EQ(value("clients/maximum"), "not published");
    update({.clients_connected = 4, .sessions = 5});
    EXPECT_EQ(value("clients/maximum"), "4");
}

TEST_F(Sys, CountsSubscriptionsWithoutThoseOfTheBrokerItself) {
    commons.local_subscribers.push_back(nullptr);
    commons.tree.add("$CONTROL/#", {.subscriber = {.kind = broker::SubscriberKind::Local}});
    update();
    EXPECT_EQ(value("subscriptions/count"), "0");
    EXPECT_NE(value("chappe/subscriptions/bytes"), "0");
    commons.tree.add("a", {.subscriber = {.id = 1}});
    update();
    EXPECT_EQ(value("subscriptions/count"), "1");
}

TEST_F(Sys, CountsMembersOfSharedSubscriptionsApart) {
    commons.tree.add("a", {.subscriber = {.id = 1}});
    commons.tree.add("b", {.subscriber = {.kind = broker::SubscriberKind::Group, .id = 2}});
    update({.shared_subscriptions = 1});
    EXPECT_EQ(value("subscriptions/count"), "1");
    EXPECT_EQ(value("shared_subscriptions/count"), "1");
}

TEST_F(Sys, CountsPayloadsOfWhatIsStored) {
    const auto message = [](std::string_view payload) {
        return broker::Message::create({.topic = "a/long/topic", .payload = as_bytes(payload), .retain = true});
    };
    commons.retained.set(message("12345"));
    update({.queued_payload_bytes = 100});
    EXPECT_EQ(value("store/messages/bytes"), "105");
    commons.retained.set(message("123"));
    update();
    EXPECT_EQ(value("store/messages/bytes"), "3");
    commons.retained.set(message(""));
    update();
    EXPECT_EQ(value("store/messages/bytes"), "0");
}

TEST(LoadAverage, ApproachesARateThatStaysTheSame) {
    LoadAverages averages;
    std::uint64_t total = 0;
    for (int second = 0; second != 60; ++second) averages.update(total += 10, 1s);
    EXPECT_NEAR(averages.average(0), 600 * (1 - std::exp(-1.0)), 0.01);  // After a minute, 63 % for one minute.
    EXPECT_LT(averages.average(1), averages.average(0));
    for (int second = 0; second != 3600; ++second) averages.update(total += 10, 1s);
    for (std::size_t index = 0; index != 3; ++index) EXPECT_NEAR(averages.average(index), 600, 15);
}

TEST(LoadAverage, DoesNotMindTwoUpdatesAtOnce) {
    LoadAverages averages;
    averages.update(10, Duration{0});
    EXPECT_EQ(averages.average(0), 0);
}

}  // namespace
}  // namespace chappe::server
