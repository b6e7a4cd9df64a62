// Who may connect, and enhanced authentication (4.12).

#include "tests/conformance/broker.h"

namespace chappe::conformance {
namespace {

using broker::Verdict;

// Takes a password for a name; or, by the method "riddle", an answer to its question. "again" gets another question.
class Riddler : public broker::Authenticator {
public:
    std::optional<Verdict> authenticate(const broker::Login& login, broker::Ticket) override {
        if (login.client_id == "bad id") return Verdict{.code = ReasonCode::ClientIdentifierNotValid};
        if (login.authentication_method == "riddle") return question();
        if (login.authentication_method) return Verdict{.code = ReasonCode::BadAuthenticationMethod};
        if (login.user_name == "mallory") return Verdict{.code = ReasonCode::BadUserNameOrPassword};
        return Verdict{};
    }

    std::optional<Verdict> proceed(const broker::Continuation& said, broker::Ticket) override {
        const auto& auth = said.auth;
        if (auth.reason_code == ReasonCode::ReAuthenticate) return question();
        const auto answer = as_text(auth.authentication_data.value_or(Bytes{}));
        if (answer == "again") return question();
        if (answer == "banned") return Verdict{.code = ReasonCode::Banned};
        if (answer != "right") return Verdict{.code = ReasonCode::NotAuthorized};
        return Verdict{.authentication_data = "welcome"};
    }

    void abandon(broker::Ticket) override {}

private:
    static Verdict question() {
        return {.code = ReasonCode::ContinueAuthentication, .authentication_data = "question"};
    }
};

class Authentication : public testing::Test {
protected:
    static Connect with_method(std::string_view method) {
        return {.client_id = "c", .authentication_method = method, .authentication_data = as_bytes("hello")};
    }

    static Auth auth(ReasonCode reason_code, std::string_view data, std::string_view method = "riddle") {
        return {.reason_code = reason_code, .authentication_method = method, .authentication_data = as_bytes(data)};
    }
    static Auth answer(std::string_view data) { return auth(ReasonCode::ContinueAuthentication, data); }

    // A client that has been accepted by the riddle.
    Client authenticated() {
        auto client = broker.open(with_method("riddle"));
        client.send(answer("right"));
        (void)client.received();
        return client;
    }

    static constexpr auto question_line = "AUTH 0x18 method='riddle' data='question'";

    Riddler riddler;
    Broker broker{{.authenticator = &riddler}};
    Client watcher = broker.subscriber("w", "#");
};

// [MQTT-4.12.0-2] [MQTT-4.12.0-5] [MQTT-3.15.2-1] [MQTT-3.2.0-1]
TEST_F(Authentication, AsksUntilItAccepts) {
    auto client = broker.open(with_method("riddle"));
    EXPECT_THAT(client.received(), ElementsAre(question_line));
    EXPECT_THAT(client.exchange(answer("again")), ElementsAre(question_line));
    EXPECT_THAT(client.exchange(answer("right")), ElementsAre("CONNACK 0x00 method='riddle' data='welcome'"));
    EXPECT_THAT(client.exchange(PingReq{}), ElementsAre("PINGRESP"));
}

TEST_F(Authentication, FailureEndsTheConnection) {  // [MQTT-4.12.0-4] [MQTT-3.1.4-2] [MQTT-3.2.2-8]
    auto client = broker.open(with_method("riddle"));
    (void)client.received();
    EXPECT_THAT(client.exchange(answer("wrong")), ElementsAre("CONNACK 0x87", "closed"));
}

TEST_F(Authentication, MethodThatIsNotKnownEndsTheConnection) {  // [MQTT-4.12.0-1] [MQTT-3.2.2-8]
    EXPECT_THAT(broker.open(with_method("other")).received(), ElementsAre("CONNACK 0x8C", "closed"));
}

// [MQTT-3.1.4-2] [MQTT-3.2.2-7] [MQTT3-3.2.2-5]
TEST_F(Authentication, WrongPasswordEndsTheConnection) {
    EXPECT_THAT(broker.open(Connect{.client_id = "c", .user_name = "mallory"}).received(),
                ElementsAre("CONNACK 0x86", "closed"));
    auto old = broker.open(Connect{.version = V311, .client_id = "c", .user_name = "mallory"});
    EXPECT_THAT(old.received_bytes(), ElementsAre(0x20, 2, 0, 4));
    EXPECT_FALSE(old.connected());
}

TEST_F(Authentication, ClientIdThatIsRefusedEndsTheConnection) {  // [MQTT-3.1.3-8] [MQTT3-3.1.3-9]
    EXPECT_THAT(broker.open(Connect{.client_id = "bad id"}).received(), ElementsAre("CONNACK 0x85", "closed"));
    auto old = broker.open(Connect{.version = V311, .client_id = "bad id"});
    EXPECT_THAT(old.received_bytes(), ElementsAre(0x20, 2, 0, 2));
    EXPECT_FALSE(old.connected());
}

TEST_F(Authentication, OnlyAuthMayComeBeforeConnack) {  // [MQTT-3.1.2-30]
    for (const auto& packet : {Packet{publish("a", "x")}, Packet{subscribe(1, "a")}, Packet{PingReq{}}}) {
        auto client = broker.open(with_method("riddle"));
        client.send({packet, answer("right")});
        EXPECT_THAT(client.received(), ElementsAre(question_line, "CONNACK 0x82", "closed"));
    }
    auto client = broker.open(with_method("riddle"));
    client.send_bytes({0x30, 8, 0, 1, 'a', 3, 0x23, 0, 0, 'x'});  // 0x94, for its topic alias, is none of CONNACK's.
    EXPECT_THAT(client.received(), ElementsAre(question_line, "CONNACK 0x82", "closed"));
    EXPECT_THAT(watcher.received(), IsEmpty());
}

// What it might be is not looked at, so the answer has no code that belongs to another packet.
TEST_F(Authentication, WrongPublishBeforeConnackIsRefusedWithACodeOfConnack) {  // [MQTT-3.2.2-8]
    auto client = broker.open(with_method("riddle"));
    EXPECT_THAT(client.exchange(with_alias(publish("a", "x"), 0)),
                ElementsAre(question_line, "CONNACK 0x82", "closed"));
}

TEST_F(Authentication, DisconnectMayComeBeforeConnack) {  // [MQTT-3.1.2-30]
    auto client = broker.open(with_method("riddle"));
    client.send(disconnect());
    EXPECT_THAT(client.received(), ElementsAre(question_line, "closed"));
}

TEST_F(Authentication, ClientThatIsNotInYetIsRefusedWhenTheServerShutsDown) {  // [MQTT-3.2.2-8]
    auto client = broker.open(with_method("riddle"));
    broker.shut_down();
    EXPECT_THAT(client.received(), ElementsAre(question_line, "CONNACK 0x88", "closed"));
    EXPECT_THAT(watcher.received(), ElementsAre("DISCONNECT 0x8B", "closed"));
}

TEST_F(Authentication, AnswersContinueAndDoNotBegin) {  // [MQTT-4.12.0-3]
    auto client = broker.open(with_method("riddle"));
    (void)client.received();
    EXPECT_THAT(client.exchange(auth(ReasonCode::ReAuthenticate, "right")), ElementsAre("CONNACK 0x82", "closed"));
}

TEST_F(Authentication, AnswersNameTheMethodOfConnect) {  // [MQTT-4.12.0-5]
    auto client = broker.open(with_method("riddle"));
    (void)client.received();
    EXPECT_THAT(client.exchange(auth(ReasonCode::ContinueAuthentication, "right", "other")),
                ElementsAre("CONNACK 0x82", "closed"));
}

TEST_F(Authentication, IsNotOfferedToAClientThatNamesNoMethod) {  // [MQTT-4.12.0-6]
    auto client = broker.open(Connect{.client_id = "c", .user_name = "alice"});
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x00"));
}

TEST_F(Authentication, IsNotAcceptedFromAClientThatNamesNoMethod) {  // [MQTT-4.12.0-7]
    EXPECT_THAT(broker.connect("c").exchange(answer("right")), ElementsAre("DISCONNECT 0x82", "closed"));
    EXPECT_THAT(broker.connect("c").exchange(auth(ReasonCode::ReAuthenticate, "right")),
                ElementsAre("DISCONNECT 0x82", "closed"));
}

TEST_F(Authentication, CanBeDoneAgainWhileTheConnectionIsUsed) {  // [MQTT-4.12.0-5] [MQTT-3.15.2-1]
    auto client = authenticated();
    EXPECT_THAT(client.exchange(auth(ReasonCode::ReAuthenticate, "hello")), ElementsAre(question_line));
    EXPECT_THAT(client.exchange(PingReq{}), ElementsAre("PINGRESP"));
    EXPECT_THAT(client.exchange(answer("right")), ElementsAre("AUTH 0x00 method='riddle' data='welcome'"));
}

// Nothing but the method and the data is in the broker's AUTH, so nothing can be left out of it.
TEST_F(Authentication,
       QuestionTooLargeForTheClientEndsTheConnection) {  // [MQTT-3.1.2-24] [MQTT-3.15.2-2] [MQTT-3.15.2-3]
    auto connect = with_method("riddle");
    connect.maximum_packet_size = 23;  // "question" and its method take 24.
    EXPECT_THAT(broker.open(connect).received(), ElementsAre("CONNACK 0x95", "closed"));
    connect.maximum_packet_size = 24;
    auto client = broker.open(connect);
    auto packets = client.packets();
    ASSERT_EQ(packets.size(), 1U);
    const auto& question = std::get<Auth>(packets[0]);
    EXPECT_FALSE(question.reason_string.has_value());
    EXPECT_TRUE(question.user_properties.empty());
}

TEST_F(Authentication, DoneAgainAndFailedEndsTheConnection) {  // [MQTT-4.12.1-2]
    auto client = authenticated();
    client.send(auth(ReasonCode::ReAuthenticate, "hello"));
    (void)client.received();
    EXPECT_THAT(client.exchange(answer("wrong")), ElementsAre("DISCONNECT 0x87", "closed"));
}

TEST_F(Authentication, DoneAgainAndFailedIsToldWithACodeOfDisconnect) {  // [MQTT-3.14.2-1]
    auto client = authenticated();
    client.send(auth(ReasonCode::ReAuthenticate, "hello"));
    (void)client.received();
    EXPECT_THAT(client.exchange(answer("banned")), ElementsAre("DISCONNECT 0x87", "closed"));
}

TEST_F(Authentication, DoneAgainNamesTheMethodOfConnect) {  // [MQTT-4.12.1-1]
    EXPECT_THAT(authenticated().exchange(auth(ReasonCode::ReAuthenticate, "hello", "other")),
                ElementsAre("DISCONNECT 0x82", "closed"));
}

// Answers the second question of each connection later, or never.
class Ponderer : public Riddler {
public:
    std::optional<Verdict> proceed(const broker::Continuation& said, broker::Ticket ticket) override {
        const auto data = as_text(said.auth.authentication_data.value_or(Bytes{}));
        if (data != "ponder") return Riddler::proceed(said, ticket);
        asked.push_back(ticket);
        return std::nullopt;
    }
    void abandon(broker::Ticket ticket) override { abandoned.push_back(ticket); }

    std::vector<broker::Ticket> asked;
    std::vector<broker::Ticket> abandoned;
};

class Pondering : public testing::Test {
protected:
    static Auth auth(ReasonCode reason_code, std::string_view data) {
        return {.reason_code = reason_code, .authentication_method = "riddle", .authentication_data = as_bytes(data)};
    }

    Client connecting() {
        auto client = broker.open(Connect{.client_id = "c", .authentication_method = "riddle"});
        (void)client.received();
        return client;
    }

    Ponderer ponderer;
    Broker broker{{.authenticator = &ponderer}};
    const Auth slow = auth(ReasonCode::ContinueAuthentication, "ponder");
    const Auth slow_again = auth(ReasonCode::ReAuthenticate, "ponder");
    const Auth right = auth(ReasonCode::ContinueAuthentication, "right");
};

TEST_F(Pondering, NextStepWaitsForTheAnswerToTheLast) {
    auto client = connecting();
    client.send({slow, slow});
    ASSERT_EQ(ponderer.asked.size(), 1U);
    broker.authenticated(ponderer.asked[0], {.code = ReasonCode::ContinueAuthentication});
    EXPECT_EQ(ponderer.asked.size(), 2U);
    broker.authenticated(ponderer.asked[1], {});
    EXPECT_THAT(client.received(), ElementsAre("AUTH 0x18 method='riddle'", "CONNACK 0x00 method='riddle'"));
}

TEST_F(Pondering, OnAConnectionInUseANewStepBeforeTheAnswerIsAnError) {
    auto client = connecting();
    EXPECT_THAT(client.exchange(right), testing::SizeIs(1));
    client.send({slow_again, PingReq{}});
    EXPECT_THAT(client.received(), ElementsAre("PINGRESP"));
    EXPECT_THAT(client.exchange(slow_again), ElementsAre("DISCONNECT 0x82", "closed"));
    EXPECT_EQ(ponderer.asked.size(), 1U);
    EXPECT_EQ(ponderer.abandoned, ponderer.asked);
}

TEST_F(Pondering, NobodyWaitsForTheAnswerOfAConnectionThatIsGone) {
    for (const bool drops : {true, false}) {
        auto client = connecting();
        client.send({right, slow_again});
        if (drops) {
            client.drop();
        } else {
            client.send(disconnect());
        }
    }
    EXPECT_EQ(ponderer.asked.size(), 2U);
    EXPECT_EQ(ponderer.abandoned, ponderer.asked);
}

// Each step is one of the standard's, whoever is in a hurry.

TEST_F(Authentication, NothingIsToBeContinuedOnAConnectionInUse) {  // [MQTT-4.12.0-3]
    EXPECT_THAT(authenticated().exchange(answer("right")), ElementsAre("DISCONNECT 0x82", "closed"));
    auto client = authenticated();
    client.send(auth(ReasonCode::ReAuthenticate, "hello"));
    client.send(answer("right"));
    (void)client.received();
    EXPECT_THAT(client.exchange(answer("right")), ElementsAre("DISCONNECT 0x82", "closed"));
}

TEST_F(Authentication, IsNotBegunAnewBeforeItHasEnded) {  // 4.12.1
    auto client = authenticated();
    EXPECT_THAT(client.exchange(auth(ReasonCode::ReAuthenticate, "hello")), ElementsAre(question_line));
    EXPECT_THAT(client.exchange(auth(ReasonCode::ReAuthenticate, "hello")), ElementsAre("DISCONNECT 0x82", "closed"));
}

// Writes down what it is asked, and answers when the test does.
class Deliberate : public broker::Authenticator {
public:
    std::optional<Verdict> authenticate(const broker::Login&, broker::Ticket ticket) override {
        asked.push_back(ticket);
        return std::nullopt;
    }
    std::optional<Verdict> proceed(const broker::Continuation&, broker::Ticket ticket) override {
        asked.push_back(ticket);
        return std::nullopt;
    }
    void abandon(broker::Ticket ticket) override { abandoned.push_back(ticket); }

    std::vector<broker::Ticket> asked;
    std::vector<broker::Ticket> abandoned;
};

class AnswerThatComesLater : public BothVersions {
protected:
    static Verdict success() { return {}; }

    void answer(const Verdict& verdict) { broker.authenticated(authenticator.asked.back(), verdict); }

    Deliberate authenticator;
    Broker broker{{.authenticator = &authenticator}};
};
CHAPPE_BOTH_VERSIONS(AnswerThatComesLater);

TEST_P(AnswerThatComesLater, LetsTheClientInWithAllThatItHasSentMeanwhile) {
    auto client = broker.open(version());
    client.send({brief("c"), PingReq{}});
    client.send(subscribe(1, "a"));
    EXPECT_THAT(client.received(), IsEmpty());
    answer(success());
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x00", "PINGRESP", "SUBACK 1 0x00"));
    EXPECT_THAT(authenticator.abandoned, IsEmpty());
}

TEST_P(AnswerThatComesLater, ThatTooManyWaitForIsCounted) {
    auto client = broker.open(brief("c"));
    answer({.code = ReasonCode::ServerBusy});
    EXPECT_FALSE(client.connected());
    EXPECT_EQ(broker.reached(broker::Bound::LoginsWaitingMax), 1U);
}

TEST_P(AnswerThatComesLater, ThatTooManyComeFromOneAddressIsCounted) {
    auto client = broker.open(brief("c"));
    answer({.code = ReasonCode::ConnectionRateExceeded});
    EXPECT_FALSE(client.connected());
    EXPECT_EQ(broker.reached(broker::Bound::AddressConnectsPerMinuteMax), 1U);
}

TEST_P(AnswerThatComesLater, RefusesTheClientAndAllThatItHasSentMeanwhile) {  // [MQTT-3.1.4-6]
    auto client = broker.open(version());
    client.send({brief("c"), PingReq{}});
    answer({.code = ReasonCode::BadUserNameOrPassword});
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x86", "closed"));
    EXPECT_THAT(authenticator.abandoned, IsEmpty());
}

TEST_P(AnswerThatComesLater, IsAwaitedNoLongerThanTheConnectTimeout) {
    auto client = broker.open(brief("c"));
    broker.advance(9s);
    EXPECT_THAT(client.received(), IsEmpty());
    broker.advance(1s);
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x87", "closed"));
    EXPECT_EQ(authenticator.abandoned, authenticator.asked);
    answer(success());
    EXPECT_THAT(client.received(), IsEmpty());
}

TEST_P(AnswerThatComesLater, IsNotWantedWhenTheConnectionIsGone) {
    auto client = broker.open(lasting("c"));
    client.drop();
    EXPECT_EQ(authenticator.abandoned, authenticator.asked);
    answer(success());
    auto next = broker.open(lasting("c"));
    answer(success());
    EXPECT_THAT(next.received(), ElementsAre("CONNACK 0x00"));  // The first has left no session.
}

TEST_P(AnswerThatComesLater, IsNotWantedWhenTheServerShutsDown) {  // [MQTT-3.2.2-8]
    auto client = broker.open(brief("c"));
    broker.shut_down();
    EXPECT_EQ(client.received_bytes().at(3), version() == V5 ? 0x88 : 3);
    EXPECT_EQ(authenticator.abandoned, authenticator.asked);
    answer(success());
    EXPECT_FALSE(client.connected());
}

TEST_P(AnswerThatComesLater, LeavesWhoIsConnectedAloneUntilItIsThere) {  // [MQTT-3.1.4-3]
    auto first = broker.open(lasting("c"));
    answer(success());
    (void)first.received();
    auto second = broker.open(lasting("c"));
    EXPECT_THAT(first.exchange(PingReq{}), ElementsAre("PINGRESP"));
    answer({.code = ReasonCode::BadUserNameOrPassword});
    EXPECT_THAT(second.received(), ElementsAre("CONNACK 0x86", "closed"));
    EXPECT_TRUE(first.connected());

    auto third = broker.open(lasting("c"));
    answer(success());
    EXPECT_EQ(first.received(), ended(version(), "DISCONNECT 0x8E"));
    EXPECT_THAT(third.received(), ElementsAre("CONNACK 0x00 session_present"));
}

// Two connections of a client wait at once: who is let in last has it.
TEST_P(AnswerThatComesLater, DecidesWhoTakesOver) {  // [MQTT-3.1.4-3]
    auto first = broker.open(lasting("c"));
    auto second = broker.open(lasting("c"));
    broker.authenticated(authenticator.asked[1], success());
    EXPECT_THAT(second.received(), ElementsAre("CONNACK 0x00"));
    EXPECT_THAT(first.received(), IsEmpty());
    broker.authenticated(authenticator.asked[0], success());
    EXPECT_THAT(first.received(), ElementsAre("CONNACK 0x00 session_present"));
    EXPECT_EQ(second.received(), ended(version(), "DISCONNECT 0x8E"));
}

TEST_P(AnswerThatComesLater, CountsOnce) {
    auto client = broker.open(brief("c"));
    answer(success());
    answer(success());
    answer({.code = ReasonCode::NotAuthorized});
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x00"));
    EXPECT_TRUE(client.connected());
}

TEST_P(AnswerThatComesLater, MayNotBeAChallengeForWhoNamesNoMethod) {  // [MQTT-4.12.0-6]
    auto client = broker.open(brief("c"));
    answer({.code = ReasonCode::ContinueAuthentication});
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x87", "closed"));
}

// The same for enhanced authentication, which takes several answers.
class Deliberating : public testing::Test {
protected:
    static constexpr auto challenge_line = "AUTH 0x18 method='riddle'";

    static Auth auth(ReasonCode reason_code) { return {.reason_code = reason_code, .authentication_method = "riddle"}; }

    void answer(std::size_t question, const Verdict& verdict) {
        broker.authenticated(authenticator.asked.at(question), verdict);
    }
    Client connected() {
        auto client = broker.open(connect);
        broker.authenticated(authenticator.asked.back(), alice);
        (void)client.received();
        authenticator.asked.clear();
        return client;
    }

    const Connect connect{.client_id = "c", .authentication_method = "riddle"};
    const Verdict challenge{.code = ReasonCode::ContinueAuthentication};
    const Verdict alice{.user_name = "alice"};
    const Auth step = auth(ReasonCode::ContinueAuthentication);
    const Auth again = auth(ReasonCode::ReAuthenticate);
    Deliberate authenticator;
    Broker broker{{.authenticator = &authenticator}};
};

TEST_F(Deliberating, AuthBeforeTheChallengeWaitsForIt) {
    auto client = broker.open(connect);
    client.send({step, step});
    EXPECT_EQ(authenticator.asked.size(), 1U);
    answer(0, challenge);
    EXPECT_THAT(client.received(), ElementsAre(challenge_line));
    EXPECT_EQ(authenticator.asked.size(), 2U);
    answer(1, alice);
    EXPECT_THAT(client.received(),
                ElementsAre("CONNACK 0x00 method='riddle'", "DISCONNECT 0x82", "closed"));  // For the second.
}

TEST_F(Deliberating, AnswerToAnEarlierStepIsNone) {
    auto client = broker.open(connect);
    answer(0, challenge);
    answer(0, alice);  // Nothing is asked now.
    client.send(step);
    answer(0, alice);
    EXPECT_THAT(client.received(), ElementsAre(challenge_line));
    answer(1, alice);
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x00 method='riddle'"));
}

TEST_F(Deliberating, NoAuthFollowsASecondVerdict) {
    auto client = broker.open(connect);
    answer(0, alice);
    answer(0, alice);
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x00 method='riddle'"));
}

TEST_F(Deliberating, ChallengeThatNobodyAnswersIsAbandoned) {
    auto client = broker.open(connect);
    answer(0, challenge);
    broker.advance(10s);
    EXPECT_THAT(client.received(), ElementsAre(challenge_line, "CONNACK 0x87", "closed"));
    EXPECT_EQ(authenticator.abandoned, authenticator.asked);
}

TEST_F(Deliberating, DoneAgainTheConnectionIsUsedUntilTheAnswer) {  // 4.12.1
    auto client = connected();
    client.send({again, PingReq{}});
    EXPECT_THAT(client.received(), ElementsAre("PINGRESP"));
    answer(0, challenge);
    EXPECT_THAT(client.exchange(PingReq{}), ElementsAre(challenge_line, "PINGRESP"));
    client.send(step);
    answer(1, alice);
    EXPECT_THAT(client.received(), ElementsAre("AUTH 0x00 method='riddle'"));
    EXPECT_THAT(authenticator.abandoned, IsEmpty());
}

// What the session has was granted to the user who connected.
TEST_F(Deliberating, DoneAgainByAnotherUserEndsTheConnection) {  // [MQTT-4.12.1-2]
    auto client = connected();
    client.send(again);
    answer(0, {.user_name = "bob"});
    EXPECT_THAT(client.received(), ElementsAre("DISCONNECT 0x87", "closed"));
}

TEST_F(Deliberating, DoneAgainIsAbandonedAtATakeover) {
    auto client = connected();
    client.send(again);
    auto other = broker.open(connect);
    answer(1, alice);
    EXPECT_THAT(client.received(), ElementsAre("DISCONNECT 0x8E", "closed"));
    EXPECT_THAT(authenticator.abandoned, ElementsAre(authenticator.asked[0]));
    answer(0, alice);
    EXPECT_THAT(other.received(), ElementsAre("CONNACK 0x00 method='riddle'"));
}

}  // namespace
}  // namespace chappe::conformance
