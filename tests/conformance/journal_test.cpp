// What waits for the Journal, and what is written there: an answer that a client may rely on after a crash is sent when
// what it stands for is permanent, and not before.

#include <deque>

#include <fmt/format.h>

#include "broker/delivery.h"
#include "broker/session.h"
#include "tests/conformance/broker.h"
#include "tests/conformance/transcript.h"

namespace chappe::conformance {
namespace {

std::string describe(const broker::record::SessionKept& kept) {
    return fmt::format("session {} {}{}", kept.client_id, kept.expiry_interval_seconds, kept.ends_at ? " ending" : "");
}
std::string describe(const broker::record::SessionEnded&) { return "session ended"; }
std::string describe(const broker::record::WillKept& kept) {
    return fmt::format("will {}{}", kept.will->topic, kept.due_at ? " due" : "");
}
std::string describe(const broker::record::WillGone&) { return "will gone"; }
std::string describe(const broker::record::SubscriptionKept& kept) {
    return fmt::format("subscription {}", kept.subscription->filter.text());
}
std::string describe(const broker::record::SubscriptionRemoved& removed) {
    return fmt::format("subscription removed {}", removed.filter);
}
std::string describe(const broker::record::MessageOwed& owed) {
    return fmt::format("owed {} {}", owed.number, owed.delivery->message->topic());
}
std::string describe(const broker::record::MessageSent& sent) {
    return fmt::format("sent {} as {}", sent.number, sent.packet_id.value);
}
std::string describe(const broker::record::MessageReleased& released) {
    return fmt::format("released {}", released.number);
}
std::string describe(const broker::record::MessageDone& done) { return fmt::format("done {}", done.number); }
std::string describe(const broker::record::PacketReceived& received) {
    return fmt::format("received {}", received.packet_id.value);
}
std::string describe(const broker::record::PacketReleased& released) {
    return fmt::format("packet released {}", released.packet_id.value);
}
std::string describe(const broker::record::Retained& retained) {
    return fmt::format("retained {} '{}'", retained.message->topic(), as_text(retained.message->payload()));
}

// Remembers what it is told, and commits when the test says so.
class SlowJournal : public broker::Journal {
public:
    void write(broker::ShardId, const broker::Record& record) override {
        lines.push_back(std::visit([](const auto& kind) { return describe(kind); }, record));
    }
    void commit(broker::ShardId shard, broker::JournalBatch batch) override { open.push_back({shard, batch}); }

    // The records since this was last called.
    Lines written() { return std::exchange(lines, {}); }

    Lines lines;
    std::deque<std::pair<broker::ShardId, broker::JournalBatch>> open;
};

class Journaling : public BothVersions {
protected:
    // Everything that waits, and what then waits.
    void commit(bool written = true) {
        while (!journal.open.empty()) {
            const auto [shard, batch] = journal.open.front();
            journal.open.pop_front();
            broker.committed(shard, batch, written);
        }
    }

    // A client whose session is kept, connected, and subscribed where there is a filter. All of it is permanent.
    Client kept(std::string_view client_id, std::string_view filter = {}, QoS qos = ExactlyOnce) {
        auto client = broker.open(lasting(client_id));
        if (!filter.empty()) client.send(subscribe(1, filter, qos));
        commit();
        (void)client.received();
        (void)journal.written();
        return client;
    }

    SlowJournal journal;
    Broker broker{{.journal = &journal}};
};
CHAPPE_BOTH_VERSIONS(Journaling);

TEST_P(Journaling, NobodyWaitsForWhatNobodyKeeps) {
    auto subscriber = broker.subscriber(brief("s"), "a", {.qos = ExactlyOnce});
    auto publisher = broker.connect(brief("p"));
    publisher.send(publish("a", "x", AtLeastOnce, 1));
    EXPECT_THAT(publisher.received(), ElementsAre("PUBACK 1"));
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a 'x' qos=1 id=1"));
    EXPECT_THAT(journal.written(), IsEmpty());
    EXPECT_TRUE(journal.open.empty());
}

TEST_P(Journaling, ConnackOfAKeptSessionWaits) {
    auto client = broker.open(lasting("c"));
    EXPECT_THAT(client.received(), IsEmpty());
    EXPECT_THAT(journal.written(), ElementsAre("session c 4294967295"));
    commit();
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x00"));
}

TEST_P(Journaling, SubackAndUnsubackWaitWithAllThatFollows) {
    auto client = kept("c");
    client.send({subscribe(1, "a"), PingReq{}});
    EXPECT_THAT(client.received(), IsEmpty());
    EXPECT_THAT(journal.written(), ElementsAre("subscription a"));
    commit();
    EXPECT_THAT(client.received(), ElementsAre("SUBACK 1 0x00", "PINGRESP"));

    client.send(unsubscribe(2, {"a"}));
    EXPECT_THAT(client.received(), IsEmpty());
    EXPECT_THAT(journal.written(), ElementsAre("subscription removed a"));
    commit();
    EXPECT_THAT(client.received(), ElementsAre(version() == V5 ? "UNSUBACK 2 0x00" : "UNSUBACK 2"));
}

// On each shard, so that the publisher's is once the subscriber's and once another.
TEST_P(Journaling, PubackWaitsForEveryKeptSession) {
    auto one = kept("one", "a");
    auto two = kept("two", "a");
    auto three = kept("three", "a");
    for (const auto* name : {"p", "q", "r", "t"}) {
        auto publisher = broker.connect(brief(name));
        publisher.send(publish("a", "x", AtLeastOnce, 7));
        EXPECT_THAT(publisher.received(), IsEmpty()) << name;
        commit();
        EXPECT_THAT(publisher.received(), ElementsAre("PUBACK 7")) << name;
    }
}

// [MQTT-4.6.0-2]
TEST_P(Journaling, AcknowledgementsKeepTheirOrderWhateverWaits) {
    auto subscriber = kept("s", "kept");
    auto publisher = broker.connect(brief("p"));
    publisher.send({publish("kept", "x", AtLeastOnce, 1), publish("other", "y", AtLeastOnce, 2)});
    EXPECT_THAT(publisher.received(), IsEmpty());
    commit();
    const std::string second = version() == V5 ? "PUBACK 2 0x10" : "PUBACK 2";
    EXPECT_THAT(publisher.received(), ElementsAre("PUBACK 1", second));
}

// A message of QoS 1 goes out at once: the worst that a crash brings is another copy.
TEST_P(Journaling, AtLeastOnceIsDeliveredWithoutWaiting) {
    auto subscriber = kept("s", "a");
    auto publisher = broker.connect(brief("p"));
    publisher.send(publish("a", "x", AtLeastOnce, 1));
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a 'x' qos=1 id=1"));
    EXPECT_THAT(journal.written(), ElementsAre("owed 1 a", "sent 1 as 1"));
    subscriber.send(puback(1));
    EXPECT_THAT(journal.written(), ElementsAre("done 1"));
}

// The identifier is what tells the client that it has a message already ([MQTT-4.3.3-10]), so each step of the exchange
// is permanent before the other side can have taken it.
TEST_P(Journaling, ExactlyOnceWaitsAtEachStepTowardsTheSubscriber) {
    auto subscriber = kept("s", "a");
    auto publisher = broker.connect(brief("p"));
    publisher.send(publish("a", "x", ExactlyOnce, 1));
    EXPECT_THAT(subscriber.received(), IsEmpty());
    EXPECT_THAT(journal.written(), ElementsAre("owed 1 a", "sent 1 as 1"));
    commit();
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a 'x' qos=2 id=1"));

    subscriber.send(pubrec(1));
    EXPECT_THAT(subscriber.received(), IsEmpty());
    EXPECT_THAT(journal.written(), ElementsAre("released 1"));
    commit();
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBREL 1"));

    subscriber.send(pubcomp(1));
    EXPECT_THAT(journal.written(), ElementsAre("done 1"));
}

TEST_P(Journaling, ExactlyOnceWaitsAtEachStepTowardsThePublisher) {
    auto publisher = kept("p");
    publisher.send(publish("a", "x", ExactlyOnce, 1));
    EXPECT_THAT(publisher.received(), IsEmpty());
    EXPECT_THAT(journal.written(), ElementsAre("received 1"));
    commit();
    EXPECT_THAT(publisher.received(), ElementsAre(version() == V5 ? "PUBREC 1 0x10" : "PUBREC 1"));

    publisher.send(pubrel(1));
    EXPECT_THAT(publisher.received(), IsEmpty());
    EXPECT_THAT(journal.written(), ElementsAre("packet released 1"));
    commit();
    EXPECT_THAT(publisher.received(), ElementsAre("PUBCOMP 1"));
}

TEST_P(Journaling, PubrelSentAgainWaitsForItsRecord) {
    auto subscriber = kept("s", "a");
    auto publisher = broker.connect(brief("p"));
    publisher.send(publish("a", "x", ExactlyOnce, 1));
    commit();
    subscriber.send(pubrec(1));
    subscriber.drop();
    auto again = broker.open(lasting("s"));
    EXPECT_THAT(again.received(), IsEmpty());
    commit();
    EXPECT_THAT(again.received(), ElementsAre("CONNACK 0x00 session_present", "PUBREL 1"));
}

TEST_P(Journaling, WhatWaitsForAnAbsentClientIsKeptUntilItIsDone) {
    auto subscriber = kept("s", "a");
    subscriber.drop();
    auto publisher = broker.connect(brief("p"));
    publisher.send(publish("a", "x", AtLeastOnce, 1));
    EXPECT_THAT(publisher.received(), IsEmpty());
    commit();
    EXPECT_THAT(publisher.received(), ElementsAre("PUBACK 1"));
    EXPECT_THAT(journal.written(), testing::Contains("owed 1 a"));

    auto again = broker.open(lasting("s"));
    commit();
    EXPECT_THAT(again.received(), ElementsAre("CONNACK 0x00 session_present", "PUBLISH a 'x' qos=1 id=1"));
    EXPECT_THAT(journal.written(), ElementsAre("session s 4294967295", "sent 1 as 1"));
}

// [MQTT-4.3.3-10]
TEST_P(Journaling, EachCopyOfAPacketIsAcknowledgedWhenTheFirstIs) {
    auto publisher = kept("p");
    publisher.send({publish("a", "x", ExactlyOnce, 1), dup(publish("a", "x", ExactlyOnce, 1)), PingReq{},
                    publish("a", "y", ExactlyOnce, 2)});
    EXPECT_THAT(publisher.received(), ElementsAre("PINGRESP"));
    commit();
    const std::string code = version() == V5 ? " 0x10" : "";
    EXPECT_THAT(publisher.received(), ElementsAre("PUBREC 1" + code, "PUBREC 1" + code, "PUBREC 2" + code));
}

TEST_P(Journaling, RetainedMessagesAreKeptWhoeverSubscribes) {
    auto publisher = broker.connect(brief("p"));
    publisher.send(retained(publish("a", "x", AtLeastOnce, 1)));
    EXPECT_THAT(publisher.received(), IsEmpty());
    publisher.send(retained(publish("b", "y")));
    EXPECT_THAT(journal.written(), ElementsAre("retained a 'x'", "retained b 'y'"));
    commit();
    EXPECT_THAT(publisher.received(), ElementsAre(version() == V5 ? "PUBACK 1 0x10" : "PUBACK 1"));
    publisher.send(retained(publish("a", "")));
    EXPECT_THAT(journal.written(), ElementsAre("retained a ''"));
}

TEST_P(Journaling, AWillIsKeptUntilItsOccasion) {
    auto connect = lasting("c");
    connect.will = Will{.topic = "gone", .payload = as_bytes("x")};
    auto client = broker.open(connect);
    EXPECT_THAT(journal.written(), ElementsAre("session c 4294967295", "will gone"));
    client.drop();
    EXPECT_THAT(journal.written(), ElementsAre("will gone", "session c 4294967295"));
}

TEST_P(Journaling, ASessionThatIsStartedAnewEnds) {
    auto client = kept("c", "a");
    client.send(disconnect());
    EXPECT_THAT(journal.written(), ElementsAre("session c 4294967295"));
    auto again = broker.open(brief("c"));
    EXPECT_THAT(journal.written(), ElementsAre("session ended"));
}

// In 5.0 the publisher is told; before, it is left to send the message again.
TEST_P(Journaling, APublisherIsNotToldThatAMessageIsSafeWhenItIsNot) {
    auto subscriber = kept("s", "a");
    auto publisher = broker.connect(brief("p"));
    publisher.send(
        {publish("a", "x", AtLeastOnce, 1), publish("a", "y", ExactlyOnce, 2), publish("b", "z", AtLeastOnce, 3)});
    commit(false);
    if (version() == V5) {
        EXPECT_THAT(publisher.received(), ElementsAre("PUBACK 1 0x97", "PUBREC 2 0x97", "PUBACK 3 0x10"));
    } else {
        EXPECT_THAT(publisher.received(), ElementsAre("PUBACK 3"));
    }
    publisher.send(publish("b", "again", ExactlyOnce, 2));  // Not taken for the one that was refused.
    EXPECT_THAT(publisher.received(), ElementsAre(version() == V5 ? "PUBREC 2 0x10" : "PUBREC 2"));
}

TEST_P(Journaling, AClientWhoseSessionCannotBeKeptIsNotToldThatItIs) {
    auto client = broker.open(lasting("c"));
    commit(false);
    EXPECT_THAT(client.received(), ElementsAre("closed"));

    auto subscriber = kept("s");
    subscriber.send(subscribe(1, "a"));
    commit(false);
    EXPECT_THAT(subscriber.received(), ElementsAre("closed"));
}

TEST(JournalingV5, ASessionMayStopBeingKeptAtDisconnect) {
    SlowJournal journal;
    Broker broker{{.journal = &journal}};
    auto client = broker.open(lasting("c"));
    (void)journal.written();
    auto goodbye = disconnect();
    goodbye.session_expiry_interval_seconds = 0;
    client.send(goodbye);
    EXPECT_THAT(journal.written(), ElementsAre("session ended"));
}

TEST(JournalingV5, NothingIsWrittenForASessionThatIsNoLongerKept) {
    SlowJournal journal;
    Broker broker{{.journal = &journal}};
    auto kept = broker.open(lasting("c"));
    kept.send(subscribe(1, "a", ExactlyOnce));
    kept.drop();
    broker.connect("p").send(publish("a", "x", ExactlyOnce, 1));
    (void)journal.written();
    auto client = broker.open(Connect{.clean_start = false, .client_id = "c"});
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x00 session_present", "PUBLISH a 'x' qos=2 id=1"));
    client.send(pubrec(1));
    client.send(pubcomp(1));
    EXPECT_THAT(journal.written(), ElementsAre("session ended"));
}

TEST(JournalingV5, AWillWithADelayIsKeptWithItsTime) {
    SlowJournal journal;
    Broker broker{{.journal = &journal}};
    auto connect = lasting("c");
    connect.will = Will{.topic = "gone", .payload = as_bytes("x"), .delay_interval_seconds = 5};
    auto client = broker.open(connect);
    (void)journal.written();
    client.drop();
    EXPECT_THAT(journal.written(), ElementsAre("will gone due", "session c 4294967295"));
    broker.advance(5s);
    EXPECT_THAT(journal.written(), ElementsAre("will gone"));
}

}  // namespace
}  // namespace chappe::conformance
