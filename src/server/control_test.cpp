#include "server/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "mqtt/encoder.h"
#include "server/test_support.h"

namespace chappe::server {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

class NoLog : public broker::EventLog {
public:
    void record(const broker::Event&) override {}
};

class FewBans : public BanDesk {
public:
    std::expected<std::vector<accounts::Ban>, std::string> bans() override { return kept; }
    std::expected<void, std::string> add_ban(const accounts::Ban& ban) override {
        kept.push_back(ban);
        return {};
    }
    std::expected<void, std::string> remove_ban(accounts::BanKind kind, const std::string& value) override {
        const auto gone = std::erase_if(kept, [&](const auto& ban) { return ban.kind == kind && ban.value == value; });
        if (gone == 0) return std::unexpected("there is no such ban");
        return {};
    }

    std::vector<accounts::Ban> kept;
};

// Two shards whose loops the test runs itself, and what the operator was answered.
class Asking : public testing::Test {
protected:
    Asking() {
        for (std::uint16_t id = 0; id < 2; ++id) {
            auto thread = ShardThread::create(broker::ShardId{id}, commons, {.limits = limits}, id, shards);
            EXPECT_TRUE(thread);
            shards.push_back(std::move(*thread));
        }
    }

    // The answer to a request, or nothing where none was given.
    std::optional<Json> ask(const std::string& command, std::string_view payload, const std::string& response = "r") {
        mqtt::MessageProperties properties{.correlation_data = as_bytes("42")};
        if (!response.empty()) properties.response_topic = response;
        Buffer encoded;
        mqtt::encode_forwarded_properties(properties, encoded);
        answers.clear();
        control.deliver(broker::Message::create({.topic = std::string(control_prefix) + command,
                                                 .payload = as_bytes(payload),
                                                 .properties = encoded.bytes()}));
        loop->run_once(Duration{0});  // The request; the shards, each on its own loop; their answers.
        for (const auto& shard : shards) shard->loop().run_once(Duration{0});
        loop->run_once(Duration{0});
        if (answers.empty()) return std::nullopt;
        EXPECT_EQ(answers.size(), 1U);
        return Json::parse(as_text(answers.front()->payload()));
    }
    std::string error(const std::string& command, std::string_view payload) {
        const auto answer = ask(command, payload);
        return answer ? answer->value("error", "no error") : "no answer";
    }

    // The topics of the drops that are listed.
    std::vector<std::string> topics(std::string_view request) {
        std::vector<std::string> found;
        const auto answer = *ask("drops", request);  // Of its own: g++ 12 ends a temporary before such a loop begins.
        for (const auto& one : answer["drops"]) found.push_back(one["topic"]);
        return found;
    }

    // A message that is dropped, since nothing may be retained.
    void drop(std::size_t shard, std::string_view topic, Instant at) {
        shards[shard]->shard().publish(
            broker::Message::create({.topic = topic, .payload = as_bytes("x"), .retain = true}), at);
    }

    // A client of the shard that is its home.
    broker::Shard& connect(std::string_view client_id) {
        auto& shard = shards[commons.home_of_client(client_id).value]->shard();
        const auto id = shard.accept({.address = "test", .anonymous_allowed = true}, Instant{});
        EXPECT_TRUE(id);
        Buffer packet;
        mqtt::encode(mqtt::Connect{.client_id = client_id}, mqtt::ProtocolVersion::V5, packet);
        shard.receive(*id, packet.bytes(), Instant{});
        EXPECT_TRUE(is_connected(client_id));
        return shard;
    }
    [[nodiscard]] bool is_connected(std::string_view client_id) const {
        const auto* session = shards[commons.home_of_client(client_id).value]->shard().find_session(client_id);
        return session != nullptr && session->connected();
    }

    EverybodyIsWelcome authenticator;
    ControlIsTheOperators permissions;
    NoLog no_log;
    broker::Limits limits{.retained_messages_max = 0};
    broker::Commons commons{2, limits, 1, authenticator, permissions, no_log};
    std::vector<std::unique_ptr<ShardThread>> shards;
    std::unique_ptr<net::EventLoop> loop = std::move(net::EventLoop::create().value());
    std::vector<broker::MessagePtr> answers;
    RefusalLog refusals{10};
    FewBans bans;
    Control control{*loop, shards, refusals, bans,
                    [this](const broker::MessagePtr& answer) { answers.push_back(answer); }};
};

TEST_F(Asking, IsAnsweredAtTheResponseTopic) {
    EXPECT_TRUE(ask("drops", "", "my/answers"));
    EXPECT_EQ(answers.front()->topic(), "my/answers");
    EXPECT_EQ(answers.front()->qos(), mqtt::QoS::AtLeastOnce);
    const auto properties = mqtt::decode_forwarded_properties(answers.front()->properties());
    ASSERT_TRUE(properties);
    EXPECT_EQ(as_text(*properties->correlation_data), "42");
    EXPECT_EQ(properties->content_type, "application/json");
}

TEST_F(Asking, WithoutAResponseTopicIsNotAnswered) { EXPECT_FALSE(ask("drops", "", "")); }

TEST_F(Asking, WronglyIsAnsweredWithWhatIsWrong) {
    EXPECT_THAT(error("dance", "{}"), HasSubstr("unknown command \"dance\"; there are: ban, bans, disconnect"));
    EXPECT_THAT(error("drops", "no JSON"), HasSubstr("must be a JSON object"));
    EXPECT_THAT(error("drops", "[]"), HasSubstr("must be a JSON object"));
    EXPECT_THAT(error("drops", R"({"clinet": "c"})"), HasSubstr("unknown member \"clinet\"; there are: client"));
    EXPECT_THAT(error("drops", R"({"client": 1})"), HasSubstr("\"client\" must be a string"));
    EXPECT_THAT(error("drops", R"({"topic": "a/#/b"})"), HasSubstr("\"a/#/b\" is not a topic filter"));
    EXPECT_THAT(error("drops", R"({"reason": "bad luck"})"), HasSubstr("there are: queue_full"));
    EXPECT_THAT(error("disconnect", "{}"), HasSubstr("\"client\" must be the client identifier"));
    EXPECT_THAT(error("redirect", "{}"), HasSubstr("\"to\" must name the other server"));
    EXPECT_THAT(error("redirect", R"({"to": "b\u0000"})"), HasSubstr("at most 1024 bytes"));
    EXPECT_THAT(error("redirect", R"({"to": ")" + std::string(1025, 'b') + R"("})"), HasSubstr("at most 1024 bytes"));
    EXPECT_THAT(error("redirect", R"({"to": "b", "permanent": 1})"), HasSubstr("must be true or false"));
}

TEST_F(Asking, ForDropsListsThoseOfAllShardsByTime) {
    const auto start = loop->now();
    drop(0, "a/1", start);
    drop(1, "a/2", start + 1ms);
    drop(0, "b", start + 2ms);
    EXPECT_THAT(topics("{}"), testing::ElementsAre("a/1", "a/2", "b"));
    EXPECT_THAT(topics(R"({"topic": "a/+"})"), testing::ElementsAre("a/1", "a/2"));
    EXPECT_THAT(topics(R"({"reason": "retained_full", "topic": "b"})"), testing::ElementsAre("b"));
    EXPECT_THAT(topics(R"({"reason": "offline"})"), testing::IsEmpty());
    EXPECT_THAT(topics(R"({"client": "c"})"), testing::IsEmpty());
    const auto first = (*ask("drops", "{}"))["drops"][0];
    EXPECT_EQ(first["reason"], "retained_full");
    EXPECT_THAT(first["time"].get<std::string>(), testing::MatchesRegex("....-..-..T..:..:..[.]...Z"));
}

TEST_F(Asking, ForDropsListsTheNewestOfAllShardsTogether) {
    const auto start = loop->now();
    for (const auto& shard : shards) shard->shard().configure({.limits = limits, .drops_kept = 3});
    for (int number = 0; number != 8; ++number) {
        drop(number < 6 ? 0 : 1, "t/" + std::to_string(number), start + number * 1ms);
    }
    EXPECT_THAT(topics("{}"), testing::ElementsAre("t/5", "t/6", "t/7"));
    EXPECT_THAT(topics(R"({"count": 2})"), testing::ElementsAre("t/6", "t/7"));
    EXPECT_THAT(topics(R"({"count": 100})"), testing::ElementsAre("t/5", "t/6", "t/7"));
    EXPECT_THAT(topics(R"({"count": 0})"), testing::IsEmpty());
    EXPECT_THAT(error("drops", R"({"count": -1})"), HasSubstr("\"count\" must be a number"));
}

TEST_F(Asking, ForDropsIsToldWhatDidNotFit) {
    for (int number = 0; number != 20; ++number) {
        drop(0, std::string(60'000, 'x') + std::to_string(number), loop->now() + number * 1ms);
    }
    const auto answer = *ask("drops", "{}");
    EXPECT_EQ(answer["drops"].size(), 17U);
    EXPECT_EQ(answer["left_out"], 3);
    EXPECT_TRUE(answer["drops"].back()["topic"].get<std::string>().ends_with("x19"));
}

TEST_F(Asking, ToDisconnectEndsThatConnectionOnly) {
    connect("c");
    connect("other");
    EXPECT_EQ(*ask("disconnect", R"({"client": "nobody"})"), Json({{"disconnected", false}}));
    EXPECT_EQ(*ask("disconnect", R"({"client": "c"})"), Json({{"disconnected", true}}));
    EXPECT_FALSE(is_connected("c"));
    EXPECT_TRUE(is_connected("other"));
}

TEST_F(Asking, ForBansListsThoseThatHold) {
    EXPECT_EQ(ask("ban", R"({"kind":"address","value":"::ffff:192.0.2.7","reason":"guesses","seconds":3600})"),
              Json({{"banned", "192.0.2.7"}}));
    EXPECT_EQ(ask("ban", R"({"kind":"client","value":"pump-7"})"), Json({{"banned", "pump-7"}}));
    bans.kept.push_back({.kind = accounts::BanKind::User, .value = "over", .until = 1, .reason = {}});
    const auto listed = ask("bans", "")->at("bans");
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_EQ(listed[0]["value"], "192.0.2.7");
    EXPECT_EQ(listed[0]["reason"], "guesses");
    EXPECT_EQ(*bans.kept[0].until - bans.kept[0].created_at, 3600);
    EXPECT_EQ(listed[1]["kind"], "client");
    EXPECT_TRUE(listed[1]["until"].is_null());
    EXPECT_EQ(ask("unban", R"({"kind":"client","value":"pump-7"})"), Json({{"unbanned", "pump-7"}}));
    EXPECT_EQ(ask("bans", "")->at("bans").size(), 1U);
    EXPECT_EQ(error("unban", R"({"kind":"client","value":"pump-7"})"), "there is no such ban");
}

TEST_F(Asking, ForBansIsToldWhatDidNotFit) {
    const std::string long_reason(512 * 1024, 'x');
    for (const auto* name : {"a", "b", "c"}) {
        bans.kept.push_back({.kind = accounts::BanKind::User, .value = name, .until = {}, .reason = long_reason});
    }
    const auto listed = *ask("bans", "");
    EXPECT_EQ(listed["bans"].size(), 1U);
    EXPECT_EQ(listed["left_out"], 2);
}

TEST_F(Asking, ForABanNeedsToSayOfWhom) {
    EXPECT_THAT(error("ban", "{}"), HasSubstr("\"kind\" must be"));
    EXPECT_THAT(error("ban", R"({"kind":"planet","value":"x"})"), HasSubstr("\"kind\" must be"));
    EXPECT_THAT(error("ban", R"({"kind":"user"})"), HasSubstr("\"value\" must say"));
    EXPECT_THAT(error("ban", R"({"kind":"address","value":"here"})"), HasSubstr("here"));
    EXPECT_THAT(error("ban", R"({"kind":"user","value":"bob","seconds":0})"), HasSubstr("\"seconds\" must be"));
    EXPECT_THAT(error("ban", R"({"kind":"user","value":"bob","for":"1h"})"), HasSubstr("unknown member \"for\""));
    EXPECT_THAT(error("bans", R"({"kind":"user"})"), HasSubstr("unknown member"));
    EXPECT_TRUE(bans.kept.empty());
}

TEST_F(Asking, ToRedirectSendsOneOrAllAway) {
    for (const auto* name : {"1", "2", "3", "4"}) connect(name);
    EXPECT_EQ(*ask("redirect", R"({"to": "b", "client": "3"})"), Json({{"redirected", 1}}));
    EXPECT_FALSE(is_connected("3"));
    EXPECT_EQ(*ask("redirect", R"({"to": "b"})"), Json({{"redirected", 3}}));
    connect("5");  // Only those who were there.
    EXPECT_EQ(*ask("redirect", R"({"stop": true})"), Json({{"redirected", 0}}));
    EXPECT_TRUE(is_connected("5"));
}

}  // namespace
}  // namespace chappe::server
