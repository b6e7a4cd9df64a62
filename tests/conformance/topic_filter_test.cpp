// Which topic filters and topic names the broker takes.

#include "tests/conformance/broker.h"

namespace chappe::conformance {
namespace {

class Topics : public BothVersions {
protected:
    Lines subscribing(std::string_view filter) { return broker.connect(brief("c")).exchange(subscribe(1, filter)); }
    Lines unsubscribing(std::string_view filter) {
        return broker.connect(brief("c")).exchange(unsubscribe(1, {filter}));
    }
    Lines publishing(std::string_view topic) {
        return broker.connect(brief("c")).exchange(publish(topic, "x", AtLeastOnce, 1));
    }

    Broker broker{{.limits = limits()}};

private:
    static broker::Limits limits() {
        broker::Limits limits;
        limits.topic_length_max = 65'535;
        return limits;
    }
};
CHAPPE_BOTH_VERSIONS(Topics);

// [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1] [MQTT3-4.7.1-2] [MQTT3-4.7.1-3] [MQTT3-4.7.3-1]
TEST_P(Topics, FiltersWithWildcardsInTheWrongPlaceAreRefused) {
    for (auto filter :
         {"", "#/a", "a/#/b", "a#", "a/b#", "##", "a/##", "+a", "a+", "a/+b/c", "a/b+", "++", "#+", "+#"}) {
        EXPECT_THAT(subscribing(filter), ElementsAre(version() == V5 ? "SUBACK 1 0x8F" : "SUBACK 1 0x80")) << filter;
        EXPECT_THAT(unsubscribing(filter), ElementsAre(version() == V5 ? "UNSUBACK 1 0x8F" : "UNSUBACK 1")) << filter;
    }
}

// [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1] [MQTT3-4.7.1-2] [MQTT3-4.7.1-3] [MQTT3-4.7.3-1] [MQTT3-3.8.3-2]
TEST_P(Topics, FiltersWithWildcardsInTheRightPlaceAreAccepted) {
    for (auto filter : {"#", "+", "/", "a", "/#", "+/#", "a/#", "a/+/b", "+/+", "/+", "+/", "a//b", "$SYS/#", " "}) {
        EXPECT_THAT(subscribing(filter), ElementsAre("SUBACK 1 0x00")) << filter;
    }
}

// [MQTT-4.7.0-1] [MQTT-4.7.3-1] [MQTT-3.3.2-2] [MQTT3-4.7.1-1] [MQTT3-4.7.3-1] [MQTT3-3.3.2-2]
TEST_P(Topics, NamesHaveNoWildcard) {
    for (auto topic : {"#", "+", "a/#", "a/+/b", "a+", "#a"}) {
        EXPECT_EQ(publishing(topic), ended(version(), "DISCONNECT 0x90")) << topic;
    }
}

// [MQTT-4.7.3-3] [MQTT3-4.7.3-3]
TEST_P(Topics, CanHave65535Bytes) {
    const std::string longest(65'535, 'a');
    auto client = broker.connect(brief("c"));
    EXPECT_THAT(client.exchange(subscribe(1, longest)), ElementsAre("SUBACK 1 0x00"));
    EXPECT_THAT(client.exchange(publish(longest, "x")), ElementsAre("PUBLISH " + longest + " 'x'"));
}

// [MQTT-4.7.3-2] [MQTT-1.5.4-2] [MQTT3-4.7.3-2] [MQTT3-1.5.3-2]
TEST_P(Topics, HaveNoNullCharacter) {
    using namespace std::string_view_literals;
    EXPECT_EQ(subscribing("a\0b"sv), ended(version(), "DISCONNECT 0x81"));
    EXPECT_EQ(unsubscribing("a\0b"sv), ended(version(), "DISCONNECT 0x81"));
    EXPECT_EQ(publishing("a\0b"sv), ended(version(), "DISCONNECT 0x81"));
}

TEST_P(Topics, AreWellFormedUtf8) {  // [MQTT-1.5.4-1] [MQTT3-1.5.3-1]
    for (auto text :
         {"\xFF", "a\xC3", "\xC0\x80", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF4\x90\x80\x80", "\xE0\x80\xAF"}) {
        EXPECT_EQ(subscribing(text), ended(version(), "DISCONNECT 0x81"));
        EXPECT_EQ(unsubscribing(text), ended(version(), "DISCONNECT 0x81"));
        EXPECT_EQ(publishing(text), ended(version(), "DISCONNECT 0x81"));
    }
}

TEST(SharedFilters, HaveANameAndAFilter) {  // [MQTT-4.8.2-1] [MQTT-4.8.2-2]
    Broker broker;
    for (auto filter : {"$share/", "$share//a", "$share/group", "$share/group/", "$share/gr+oup/a", "$share/#/a",
                        "$share/+/a", "$share/group/a#"}) {
        EXPECT_THAT(broker.connect("c").exchange(subscribe(1, filter)), ElementsAre("SUBACK 1 0x8F")) << filter;
    }
    for (auto filter : {"$share/g/a", "$share/group//", "$share/group/#", "$share/gr oup/+/a", "$share/$share/a"}) {
        EXPECT_THAT(broker.connect("c").exchange(subscribe(1, filter)), ElementsAre("SUBACK 1 0x00")) << filter;
    }
}

}  // namespace
}  // namespace chappe::conformance
