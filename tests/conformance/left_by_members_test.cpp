// Shared subscriptions, and what their members leave unacknowledged.

#include "tests/conformance/every_strategy.h"

namespace chappe::conformance {
namespace {

// What a member has not acknowledged when its connection ends.
class LeftByMembers : public EveryStrategy {
protected:
    void publish_one(QoS qos, std::string_view payload = "x") { publisher.send(publish("a", payload, qos, next_id++)); }
    Client member(std::string_view client_id, QoS qos = ExactlyOnce) {
        return broker.subscriber(lasting(client_id), "$share/group/a", {.qos = qos});
    }
    // For the next round of the same test.
    void end(std::string_view client_id) {
        Connect connect{.client_id = client_id};
        broker.connect(connect).send(disconnect());
    }

    Broker broker{{.limits = {.inflight_max = 2}, .policy = policy()}};
    Client publisher = broker.connect("p");
    std::uint16_t next_id = 1;
};
CHAPPE_EVERY_STRATEGY(LeftByMembers);

TEST_P(LeftByMembers, IsSentAgainWhereThereIsNobodyElse) {  // [MQTT-3.3.1-1] [MQTT-4.4.0-1]
    for (const auto name : names) {
        auto alone = member(name);
        publish_one(AtLeastOnce);
        publish_one(ExactlyOnce);
        EXPECT_THAT(alone.received(), ElementsAre("PUBLISH a 'x' qos=1 id=1", "PUBLISH a 'x' qos=2 id=2"));
        alone.drop();
        alone = broker.connect(lasting(name));
        EXPECT_THAT(alone.received(), ElementsAre("PUBLISH a 'x' qos=1 id=1 dup", "PUBLISH a 'x' qos=2 id=2 dup"))
            << name;
        alone = broker.connect(lasting(name));  // Takes it over.
        EXPECT_THAT(alone.received(), ElementsAre("PUBLISH a 'x' qos=1 id=1 dup", "PUBLISH a 'x' qos=2 id=2 dup"))
            << name;
        end(name);
    }
}

TEST_P(LeftByMembers, IsSentAgainToOneWhoHasUnsubscribed) {  // [MQTT-3.10.4-3]
    for (const auto name : names) {
        auto leaver = member(name);
        publish_one(AtLeastOnce);
        publish_one(ExactlyOnce);
        leaver.send(unsubscribe(2, {"$share/group/a"}));
        (void)leaver.received();
        auto other = member("other");
        leaver.drop();
        EXPECT_THAT(other.received(), IsEmpty());
        leaver = broker.connect(lasting(name));
        EXPECT_THAT(leaver.received(), ElementsAre("PUBLISH a 'x' qos=1 id=1 dup", "PUBLISH a 'x' qos=2 id=2 dup"))
            << name;
        EXPECT_THAT(leaver.exchange(puback(1)), IsEmpty());
        EXPECT_THAT(leaver.exchange(pubrec(2)), ElementsAre("PUBREL 2"));
        end(name);
        end("other");
    }
    EXPECT_THAT(broker.drops(), IsEmpty());
}

TEST_P(LeftByMembers, GoesToAnotherAtOnce) {
    for (const auto name : names) {
        auto gone = member(name);
        publish_one(AtLeastOnce);
        EXPECT_EQ(gone.received().size(), 1U);
        auto other = member("other");
        gone.drop();
        EXPECT_THAT(other.received(), ElementsAre("PUBLISH a 'x' qos=1 id=1")) << name;
        EXPECT_THAT(broker.connect(lasting(name)).received(), IsEmpty()) << name;
        EXPECT_THAT(take_all(other), IsEmpty());
        end(name);
        EXPECT_THAT(other.received(), IsEmpty());
        end("other");
    }
}

TEST_P(LeftByMembers, GoesToAnotherWhoComesLater) {
    for (const auto name : names) {
        auto gone = member(name);
        publish_one(AtLeastOnce);
        gone.drop();
        auto other = broker.connect(lasting("other"));
        EXPECT_THAT(other.exchange(subscribe(1, "$share/group/a", AtLeastOnce)),
                    ElementsAre("SUBACK 1 0x01", "PUBLISH a 'x' qos=1 id=1"))
            << name;
        end(name);
        end("other");
    }
}

TEST_P(LeftByMembers, GoesToAnotherWhenThatHasRoom) {
    for (const auto name : names) {
        auto other = member("other");
        for (const auto* payload : {"1", "2"}) publish_one(AtLeastOnce, payload);
        EXPECT_EQ(other.received().size(), 2U);
        auto gone = member(name);
        for (const auto* payload : {"3", "4", "5"}) publish_one(AtLeastOnce, payload);
        const auto taken = gone.received().size();
        gone.drop();
        EXPECT_THAT(other.received(), IsEmpty()) << name;
        other.send(puback(1));
        EXPECT_THAT(other.received(), ElementsAre("PUBLISH a '3' qos=1 id=3")) << name;
        if (taken == 2 && !by_hash()) {
            gone = broker.connect(lasting(name));
            EXPECT_THAT(gone.received(), ElementsAre("PUBLISH a '4' qos=1 id=2 dup", "PUBLISH a '5' qos=1 id=3"))
                << name;
            EXPECT_THAT(other.exchange(puback(2)), IsEmpty());
        } else {  // It was not its turn, or a hash has given its turn to the other.
            EXPECT_THAT(other.exchange(puback(2)), ElementsAre("PUBLISH a '4' qos=1 id=4")) << name;
            EXPECT_THAT(other.exchange(puback(3)), ElementsAre("PUBLISH a '5' qos=1 id=5")) << name;
            EXPECT_THAT(broker.connect(lasting(name)).received(), IsEmpty());
        }
        end(name);
        end("other");
    }
}

TEST_P(LeftByMembers, GoesToAnotherWhenTheSessionEnds) {  // [MQTT-4.8.2-5]
    for (const auto name : names) {
        auto ends = broker.subscriber(Connect{.client_id = name}, "$share/group/a", {.qos = ExactlyOnce});
        publish_one(AtLeastOnce, "one");
        publish_one(ExactlyOnce, "two");
        EXPECT_EQ(ends.received().size(), 2U);
        auto other = member("other");
        ends.drop();
        EXPECT_THAT(other.received(), ElementsAre("PUBLISH a 'one' qos=1 id=1")) << name;
        end("other");
    }
    EXPECT_EQ(broker.dropped(broker::DropReason::SessionEnded), names.size());  // QoS 2.
}

// What waits for this member, or in the queue of all, is younger.
TEST_P(LeftByMembers, GoesToAnotherInOrderWhenTheSessionEnds) {
    for (const auto name : names) {
        Connect connect{.client_id = name};
        connect.receive_maximum = 1;
        auto ends = broker.subscriber(connect, "$share/group/a", {.qos = AtLeastOnce});
        for (const auto* payload : {"1", "2", "3"}) publish_one(AtLeastOnce, payload);
        EXPECT_EQ(ends.received().size(), 1U);
        auto other = broker.connect("other");
        other.send(subscribe(1, "$share/group/a", AtLeastOnce));
        const auto before = take_all(other);
        ends.drop();
        const auto after = take_all(other);
        EXPECT_TRUE(std::ranges::is_sorted(after)) << name << testing::PrintToString(after);
        EXPECT_EQ(before.size() + after.size(), 3U);
        end("other");
    }
}

TEST_P(LeftByMembers, TakesItsRoomWhenItSubscribesAgain) {
    for (const auto name : names) {
        auto back = member(name);
        publish_one(AtLeastOnce, "1");
        back.send({unsubscribe(2, {"$share/group/a"}), subscribe(3, "$share/group/a", AtLeastOnce)});
        for (const auto* payload : {"2", "3", "4"}) publish_one(AtLeastOnce, payload);
        EXPECT_THAT(back.received(), testing::IsSupersetOf({"PUBLISH a '1' qos=1 id=1", "PUBLISH a '2' qos=1 id=2"}));
        EXPECT_THAT(back.exchange(puback(1)), ElementsAre("PUBLISH a '3' qos=1 id=3")) << name;
        EXPECT_THAT(back.exchange(puback(2)), ElementsAre("PUBLISH a '4' qos=1 id=4")) << name;
        back.send({puback(3), puback(4)});
        end(name);
    }
}

// What comes while it is asked for is younger, and waits for it.
TEST_P(LeftByMembers, GoesToAnotherBeforeWhatIsYounger) {
    for (const auto name : names) {
        auto gone = member(name);
        for (const auto* payload : {"1", "2"}) publish_one(AtLeastOnce, payload);
        EXPECT_EQ(gone.received().size(), 2U);
        auto other = member("other");
        broker.hold_mail();
        gone.drop();
        for (const auto* payload : {"3", "4"}) publish_one(AtLeastOnce, payload);
        broker.read_mail();
        EXPECT_THAT(take_all(other), ElementsAre("1", "2", "3", "4")) << name;
        end(name);
        end("other");
    }
}

// Others ask for it while something else happens to the member. Whatever that is, one of them gets it, and the shared
// subscription goes on.
class Recalled : public LeftByMembers {
protected:
    void expect_that_one_gets_it(std::string_view name) {
        const auto taken = take_all(gone).size() + take_all(other).size();
        EXPECT_EQ(taken, 1U) << name;
        EXPECT_THAT(broker.drops(), IsEmpty());
        expect_that_it_goes_on(name);
    }
    void expect_that_it_goes_on(std::string_view name) {
        for (int i = 0; i != 6; ++i) publish_one(i % 2 == 0 ? AtLeastOnce : ExactlyOnce);
        EXPECT_EQ(take_all(gone).size() + take_all(other).size(), 6U) << name;
        end(name);
        end("other");
    }
    // From here on shards do not hear of one another.
    void lose(std::string_view name) {
        gone = member(name);
        publish_one(AtLeastOnce);
        EXPECT_EQ(gone.received().size(), 1U);
        other = member("other");
        broker.hold_mail();
        gone.drop();
    }

    Client gone = publisher;
    Client other = publisher;
};
CHAPPE_EVERY_STRATEGY(Recalled);

TEST_P(Recalled, WhileTheMemberComesBack) {
    for (const auto name : names) {
        lose(name);
        gone = broker.connect(lasting(name));
        broker.read_mail();
        expect_that_one_gets_it(name);
    }
}

TEST_P(Recalled, WhileTheMemberComesBackAndIsLostAgain) {
    for (const auto name : names) {
        lose(name);
        broker.connect(lasting(name)).drop();
        broker.connect(lasting(name)).drop();
        broker.read_mail();
        expect_that_one_gets_it(name);
    }
}

TEST_P(Recalled, WhileTheMembersSessionEnds) {
    for (const auto name : names) {
        lose(name);
        gone = broker.connect(name);
        broker.read_mail();
        expect_that_one_gets_it(name);
    }
}

TEST_P(Recalled, WhileTheMemberUnsubscribes) {
    for (const auto name : names) {
        lose(name);
        gone = broker.connect(lasting(name));
        gone.send(unsubscribe(2, {"$share/group/a"}));
        broker.read_mail();
        expect_that_one_gets_it(name);
    }
}

// Who asks is on the same shard as the shared subscription, so that the question is already on its way.
TEST_P(Recalled, WhileTheMemberUnsubscribesAndIsLostAgain) {  // [MQTT-3.10.4-3]
    for (const auto name : names) {
        for (const std::string other_name : {"1", "2", "3", "4"}) {
            gone = member(name);
            publish_one(AtLeastOnce);
            gone.drop();
            other = broker.connect(lasting(other_name));
            broker.hold_mail();
            other.send(subscribe(1, "$share/group/a", AtLeastOnce));
            gone = broker.connect(lasting(name));
            const auto kept = gone.received();  // Unless it was there to be asked at once.
            gone.send(unsubscribe(2, {"$share/group/a"}));
            gone.drop();
            broker.read_mail();
            EXPECT_EQ(broker.connect(lasting(name)).received(), kept) << name << ' ' << other_name;
            EXPECT_EQ(take_all(other).size(), 1 - kept.size()) << name << ' ' << other_name;
            end(name);
            end(other_name);
        }
    }
}

TEST_P(Recalled, WhileEverybodyUnsubscribes) {
    for (const auto name : names) {
        lose(name);
        other.send(unsubscribe(2, {"$share/group/a"}));
        gone = broker.connect(lasting(name));
        gone.send({unsubscribe(2, {"$share/group/a"}), subscribe(3, "$share/group/a", AtLeastOnce)});
        other.send(subscribe(3, "$share/group/a", ExactlyOnce));
        broker.read_mail();
        take_all(gone);
        take_all(other);
        expect_that_it_goes_on(name);
    }
}

TEST_P(Recalled, WhileTheServerShutsDown) {
    lose("one");
    broker.read_mail();
    broker.hold_mail();
    other.drop();
    broker.shut_down();
    EXPECT_FALSE(publisher.connected());
}

}  // namespace
}  // namespace chappe::conformance
