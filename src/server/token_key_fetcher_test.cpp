#include "server/token_key_fetcher.h"

#include <thread>

#include <gtest/gtest.h>

namespace chappe::server {
namespace {

class TokenKeys : public testing::Test {
protected:
    // Whether a fetch begins at this time; waits for its end, which is at the same time.
    bool fetches_at(Duration since_start) {
        const auto now = start + since_start;
        EXPECT_FALSE(fetcher.poll(now).has_value());
        if (!fetcher.is_fetching()) return false;
        std::optional<TokenKeyFetcher::Result> result;
        while (!(result = fetcher.poll(now))) std::this_thread::yield();
        EXPECT_EQ(result->has_value(), answer.has_value());
        return true;
    }

    const Instant start{1h};
    TokenKeyFetcher::Result answer = TokenKeyFetcher::Fetched{};
    TokenKeyFetcher fetcher{[this] { return answer; }, 1h, start};
};

TEST_F(TokenKeys, AreFetchedAgainAfterATime) {
    EXPECT_FALSE(fetches_at(-1ns));
    EXPECT_TRUE(fetches_at(0s));
    EXPECT_FALSE(fetches_at(59min));
    EXPECT_TRUE(fetches_at(60min));
}

TEST_F(TokenKeys, TheIssuerMayWantThemFetchedEarlier) {
    answer->fresh_for = std::chrono::minutes{10};
    EXPECT_TRUE(fetches_at(0s));
    EXPECT_FALSE(fetches_at(9min));
    EXPECT_TRUE(fetches_at(10min));
}

TEST_F(TokenKeys, TheIssuerCannotWantThemFetchedAllTheTimeOrNeverAgain) {
    answer->fresh_for = std::chrono::seconds{0};
    EXPECT_TRUE(fetches_at(0s));
    EXPECT_FALSE(fetches_at(59s));
    answer->fresh_for = std::chrono::hours{1'000'000};
    EXPECT_TRUE(fetches_at(60s));
    EXPECT_TRUE(fetches_at(61min));
}

TEST_F(TokenKeys, AreAskedForMoreAndMoreSeldomWhereTheIssuerCannotBeReached) {
    answer = std::unexpected("refused");
    EXPECT_TRUE(fetches_at(0s));
    EXPECT_FALSE(fetches_at(4s));
    EXPECT_TRUE(fetches_at(5s));
    EXPECT_FALSE(fetches_at(14s));
    EXPECT_TRUE(fetches_at(15s));
    Duration at = 15s;
    for (int time = 0; time < 10; ++time) EXPECT_TRUE(fetches_at(at += 5min)) << time;
    EXPECT_FALSE(fetches_at(at + 4min));
    answer = TokenKeyFetcher::Fetched{};
    EXPECT_TRUE(fetches_at(at + 5min));
    EXPECT_FALSE(fetches_at(at + 64min));
}

TEST_F(TokenKeys, OneThatIsMissingIsFetchedButNotAsOftenAsStrangersLike) {
    EXPECT_TRUE(fetches_at(0s));
    fetcher.wish()();
    EXPECT_FALSE(fetches_at(9s));
    EXPECT_TRUE(fetches_at(10s));
    EXPECT_FALSE(fetches_at(20s)) << "nobody wants it any more";
    fetcher.wish()();
    EXPECT_TRUE(fetches_at(21s));
}

}  // namespace
}  // namespace chappe::server
