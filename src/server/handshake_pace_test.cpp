#include "server/handshake_pace.h"

#include <memory>

#include <gtest/gtest.h>

#include "net/test_support.h"

namespace chappe::server {
namespace {

class Pace : public testing::Test {
protected:
    std::unique_ptr<net::Listener> listen() {
        auto made = net::Listener::create(*loop, *net::ListenUrl::parse("mqtt://127.0.0.1:0"), {}, {});
        EXPECT_TRUE(made.has_value());
        return std::move(*made);
    }
    // The time stands still while the loop does not run.
    int begun(int times) {
        int count = 0;
        for (; count != times && !listener->paused(); ++count) pace.begin(*listener);
        return count;
    }

    std::unique_ptr<net::EventLoop> loop = net::test::make_loop();
    HandshakePace pace{*loop};
    std::unique_ptr<net::Listener> listener = listen();
};

TEST_F(Pace, PausesTheListenerAndLetsItGoOn) {
    pace.configure(100);
    EXPECT_EQ(begun(100), 6);  // Those of 50 ms, and one more, after which the others wait.
    EXPECT_EQ(pace.waits(), 1U);
    EXPECT_TRUE(net::test::run_until(*loop, [&] { return !listener->paused(); }));
    EXPECT_GE(begun(100), 1);
    EXPECT_EQ(pace.waits(), 2U);
}

TEST_F(Pace, IsOfAllListeners) {
    const auto other = listen();
    pace.configure(100);
    EXPECT_EQ(begun(100), 6);
    pace.begin(*other);
    EXPECT_TRUE(other->paused());
    EXPECT_TRUE(net::test::run_until(*loop, [&] { return !listener->paused() && !other->paused(); }));
}

TEST_F(Pace, ForgetsAListenerThatCloses) {
    pace.configure(100);
    begun(100);
    const auto other = listen();
    pace.begin(*other);
    pace.forget(*listener);
    listener.reset();
    EXPECT_TRUE(net::test::run_until(*loop, [&] { return !other->paused(); }));
}

TEST_F(Pace, WithoutABoundNobodyWaits) {
    EXPECT_EQ(begun(10'000), 10'000);
    EXPECT_EQ(pace.waits(), 0U);
}

}  // namespace
}  // namespace chappe::server
