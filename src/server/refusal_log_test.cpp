#include "server/refusal_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chappe::server {
namespace {

using broker::Event;
using broker::EventKind;
using testing::ElementsAre;
using testing::IsEmpty;

class Refusals : public testing::Test {
protected:
    void add(EventKind kind, std::string_view client, std::string_view topic = {}, std::string_view user = {}) {
        const Event event{.kind = kind,
                          .client_id = client,
                          .user_name = user,
                          .address = "192.0.2.7:1",
                          .topic = topic,
                          .code = mqtt::ReasonCode::NotAuthorized,
                          .reason = "no rule allows it"};
        log.add(event, WallTime());
    }

    std::vector<std::string> found(const RefusalQuery& query = {}, std::size_t count = 100) const {
        std::vector<std::string> lines;
        for (const auto& one : log.find(query, count)) {
            lines.push_back(std::string(one.what) + ' ' + one.client_id + ' ' + one.topic);
        }
        return lines;
    }

    RefusalLog log{4};
};

TEST_F(Refusals, AreFoundByWhatWasRefusedToWhom) {
    add(EventKind::ConnectRefused, "a", {}, "bob");
    add(EventKind::PublishRefused, "b", "x/1", "bob");
    add(EventKind::SubscribeRefused, "b", "x/#");
    add(EventKind::SubscriptionRevoked, "c", "y");
    add(EventKind::ClientConnected, "d");  // Is none.
    EXPECT_THAT(found(), ElementsAre("connect a ", "publish b x/1", "subscribe b x/#", "subscription c y"));
    EXPECT_THAT(found({.client = "b"}), ElementsAre("publish b x/1", "subscribe b x/#"));
    EXPECT_THAT(found({.user = "bob"}), ElementsAre("connect a ", "publish b x/1"));
    EXPECT_THAT(found({.what = "subscribe"}), ElementsAre("subscribe b x/#"));
    EXPECT_THAT(found({.topic = "+/1"}), ElementsAre("publish b x/1"));
    EXPECT_THAT(found({}, 1), ElementsAre("subscription c y"));
    EXPECT_EQ(log.find({}, 1).front().code, "Not authorized");
}

TEST_F(Refusals, AreForgottenWhenThereAreNewerOnes) {
    for (const auto* client : {"a", "b", "c", "d", "e"}) add(EventKind::ConnectRefused, client);
    EXPECT_THAT(found(), ElementsAre("connect b ", "connect c ", "connect d ", "connect e "));
    log.keep(2);
    EXPECT_THAT(found(), ElementsAre("connect d ", "connect e "));
    add(EventKind::ConnectRefused, "f");
    EXPECT_THAT(found(), ElementsAre("connect e ", "connect f "));
    log.keep(0);
    add(EventKind::ConnectRefused, "g");
    EXPECT_THAT(found(), IsEmpty());
}

TEST_F(Refusals, KeepNotMoreOfATextThanIsOfUse) {
    add(EventKind::PublishRefused, std::string(2000, 'c'), std::string(2000, 't'));
    const auto one = log.find({}, 1).front();
    EXPECT_EQ(one.client_id.size(), RefusalLog::text_size_max);
    EXPECT_EQ(one.topic.size(), RefusalLog::text_size_max);
}

}  // namespace
}  // namespace chappe::server
