#include "broker/inflight_window.h"

#include <algorithm>
#include <deque>
#include <string>

#include <gtest/gtest.h>

#include "base/random.h"

namespace chappe::broker {
namespace {

using Ids = std::vector<int>;

// What would be sent again on a new connection with this quota.
Ids sent_again(InflightWindow& window, std::uint16_t quota) {
    Ids ids;
    window.resume(quota);
    while (const auto id = window.next_to_send_again()) {
        ids.push_back(id->value);
        window.sent_again(*id);
    }
    return ids;
}

class Window : public testing::Test {
protected:
    Window() { window.resume(100); }

    InflightWindow window;
};

TEST_F(Window, GivesIdentifiersInTurn) {
    EXPECT_EQ(window.add({}).value, 1);
    EXPECT_EQ(window.add({}).value, 2);
    window.remove(mqtt::PacketId{1});
    EXPECT_EQ(window.add({}).value, 3);
    EXPECT_EQ(sent_again(window, 100), Ids({2, 3}));
}

// [MQTT-2.2.1-4] [MQTT-4.3.2-1] [MQTT-4.3.3-1] [MQTT3-2.3.1-4]
TEST_F(Window, LeavesOutIdentifiersInUseWhenTheCountStartsAgain) {
    const auto kept = window.add({});
    const auto also_kept = window.add({});
    for (int i = 0; i < 200'000; ++i) {
        ASSERT_TRUE(window.has_room()) << i;
        const auto id = window.add({});
        ASSERT_NE(id.value, 0);
        ASSERT_NE(id, kept);
        ASSERT_NE(id, also_kept);
        window.remove(id);
    }
    EXPECT_EQ(sent_again(window, 100), Ids({1, 2}));
}

TEST_F(Window, SendsWhatWasSetAsideAgainFirst) {  // [MQTT-4.4.0-1] [MQTT3-4.6.0-6]
    (void)window.add({});
    (void)window.add({});
    for (int i = 0; i < 5000; ++i) window.remove(window.add({}));
    const auto last = window.add({});
    EXPECT_EQ(sent_again(window, 2), Ids({1, 2}));
    EXPECT_FALSE(window.has_room());
    window.remove(mqtt::PacketId{1});
    EXPECT_EQ(window.next_to_send_again(), last);
    window.sent_again(last);
    window.remove(mqtt::PacketId{2});
    EXPECT_TRUE(window.has_room());
}

TEST_F(Window, ForgetsWhatIsAcknowledgedBeforeItIsSentAgain) {
    for (int i = 0; i < 4; ++i) (void)window.add({});
    window.resume(100);
    window.remove(mqtt::PacketId{2});
    window.release(mqtt::PacketId{3});
    Ids ids;
    while (const auto id = window.next_to_send_again()) {
        ids.push_back(id->value);
        window.sent_again(*id);
    }
    EXPECT_EQ(ids, Ids({1, 4}));
}

TEST_F(Window, RemembersTheOrderOfRelease) {  // [MQTT3-4.6.0-6]
    for (int i = 0; i < 5; ++i) (void)window.add({});
    for (const int id : {4, 1, 5, 2}) {
        window.release(mqtt::PacketId{static_cast<std::uint16_t>(id)});
    }
    window.remove(mqtt::PacketId{5});
    using mqtt::PacketId;
    EXPECT_EQ(window.released(), std::vector({PacketId{4}, PacketId{1}, PacketId{2}}));
}

// Against a list of what is in flight, searched from end to end.
TEST(WindowModel, HoldsWhatAPlainListHolds) {
    struct Run {
        std::uint64_t seed;
        std::uint16_t quota;
        int steps;
    };
    for (const auto& [seed, quota, steps] :
         {Run{1, 1, 20'000}, Run{2, 20, 200'000}, Run{3, 3000, 50'000}, Run{4, 0xFFFF, 50'000}}) {
        SCOPED_TRACE(seed);
        Random random(seed);
        InflightWindow window;
        window.resume(quota);
        std::deque<int> model;
        for (int step = 0; step < steps; ++step) {
            const auto choice = random.below(1000);
            if (choice < 510 && window.has_room()) {
                const auto id = window.add({}).value;
                ASSERT_NE(id, 0);
                ASSERT_EQ(std::ranges::find(model, id), model.end()) << "step " << step;
                model.push_back(id);
            } else if (choice < 999 && !model.empty()) {
                // Mostly among the youngest, so that the oldest stay for long.
                const auto from = random.below(1000) == 0 ? 0 : model.size() - std::min<std::size_t>(model.size(), 10);
                const auto place = from + random.below(model.size() - from);
                (void)window.remove(mqtt::PacketId{static_cast<std::uint16_t>(model[place])});
                model.erase(model.begin() + static_cast<std::ptrdiff_t>(place));
            } else if (choice == 999) {
                ASSERT_EQ(sent_again(window, quota), Ids(model.begin(), model.end())) << "step " << step;
            }
            ASSERT_EQ(window.size(), model.size());
        }
        EXPECT_EQ(sent_again(window, quota), Ids(model.begin(), model.end()));
    }
}

}  // namespace
}  // namespace chappe::broker
