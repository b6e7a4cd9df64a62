#include "broker/output.h"

#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace chappe::broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

MessagePtr message(std::string_view payload) { return Message::create({.topic = "a", .payload = as_bytes(payload)}); }

void append(Output& output, std::string_view text) {
    output.append_with([&](Buffer& buffer) { buffer.append(as_bytes(text)); });
}

// What one gathered write of at most so many pieces would send.
std::vector<std::string> pieces_of(const Output& output, std::size_t pieces_max = 16) {
    std::vector<Bytes> pieces(pieces_max);
    pieces.resize(output.gather(pieces));
    std::vector<std::string> texts;
    for (const auto piece : pieces) texts.emplace_back(as_text(piece));
    return texts;
}

struct Count {
    UnsentBytesTotal total;
    UnsentBytes unsent{total};
};

// With a count of its own.
class CountedOutput : private Count, public Output {
public:
    CountedOutput() : Output(unsent) {}
};

const std::string large(Output::reference_from_bytes, 'L');

TEST(Output, CopiesSmallPayloadsTogether) {
    CountedOutput output;
    append(output, "head");
    output.append_payload(message("small"));
    append(output, "next");
    EXPECT_THAT(pieces_of(output), ElementsAre("headsmallnext"));
    EXPECT_EQ(output.size(), 13U);
}

TEST(Output, ReferencesLargePayloads) {
    CountedOutput output;
    const auto payload = message(large);
    append(output, "head");
    output.append_payload(payload);
    append(output, "next");
    EXPECT_THAT(pieces_of(output), ElementsAre("head", large, "next"));
    std::array<Bytes, 3> pieces;
    EXPECT_EQ(output.gather(pieces), 3U);
    EXPECT_EQ(pieces[1].data(), payload->payload().data());
    EXPECT_THAT(pieces_of(output, 2), ElementsAre("head", large));
}

TEST(Output, GoesOnWhereAWriteEnded) {
    CountedOutput output;
    append(output, "head");
    output.append_payload(message(large));
    append(output, "next");
    output.consume(2);
    EXPECT_THAT(pieces_of(output), ElementsAre("ad", large, "next"));
    output.consume(2 + 1);
    EXPECT_THAT(pieces_of(output), ElementsAre(large.substr(1), "next"));
    output.consume(large.size() - 1 + 3);
    EXPECT_THAT(pieces_of(output), ElementsAre("t"));
    output.consume(1);
    EXPECT_TRUE(output.empty());
    EXPECT_THAT(pieces_of(output), IsEmpty());
}

TEST(Output, HoldsWhatTheJournalHasNotCommitted) {
    CountedOutput output;
    append(output, "free");
    output.hold(1);
    append(output, "first");
    output.hold(2);
    append(output, "second");
    EXPECT_THAT(pieces_of(output), ElementsAre("free"));
    output.consume(4);
    EXPECT_EQ(output.writable(), 0U);
    EXPECT_TRUE(output.committed(1));
    EXPECT_THAT(pieces_of(output), ElementsAre("first"));
    EXPECT_TRUE(output.committed(2));
    EXPECT_THAT(pieces_of(output), ElementsAre("firstsecond"));
    EXPECT_FALSE(output.committed(3));
}

TEST(Output, CountsItsMemoryAndWhatIsReferencedOnce) {
    UnsentBytesTotal total;
    UnsentBytes first_shard(total);
    UnsentBytes second_shard(total);
    const auto payload = message(std::string(100'000, 'L'));
    {
        Output first(first_shard);
        Output second(second_shard);
        append(first, "head");
        const auto copied = first.unsent_by_all();
        EXPECT_GE(copied, 4U);
        EXPECT_LT(copied, 1000U);
        first.append_payload(payload);
        first.append_payload(payload);
        second.append_payload(payload);
        EXPECT_EQ(first.unsent_by_all(), copied + payload->size_bytes());
        first.consume(4 + 100'000);
        first.consume(99'999);
        EXPECT_EQ(first.unsent_by_all(), copied + payload->size_bytes());
        first.consume(1);
        first.clear();
        EXPECT_EQ(first.unsent_by_all(), payload->size_bytes());
    }
    EXPECT_EQ(first_shard.all(), 0U);
}

// Appends, holds and writes in random steps; what comes out is what went in.
TEST(Output, SendsWhatWasAppendedHoweverItIsWritten) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        SCOPED_TRACE(seed);
        Random random(seed);
        CountedOutput output;
        std::string appended;
        std::string sent;
        JournalBatch batch = 0;
        for (int step = 0; step < 300; ++step) {
            const std::string text(1 + random.below(100), static_cast<char>('a' + random.below(26)));
            switch (random.below(5)) {
                case 0:
                    append(output, text);
                    appended += text;
                    break;
                case 1: {
                    const auto payload = random.below(2) == 0 ? text : text + large;
                    output.append_payload(message(payload));
                    appended += payload;
                    break;
                }
                case 2:
                    output.hold(++batch);
                    break;
                case 3:
                    if (batch != 0) (void)output.committed(1 + random.below(batch));
                    break;
                default: {
                    std::string written;
                    for (const auto& piece : pieces_of(output, 1 + random.below(4))) written += piece;
                    ASSERT_LE(written.size(), output.writable());
                    written.resize(random.below(written.size() + 1));
                    output.consume(written.size());
                    sent += written;
                }
            }
            ASSERT_EQ(output.size(), appended.size() - sent.size());
        }
        (void)output.committed(batch);
        for (auto pieces = pieces_of(output); !pieces.empty(); pieces = pieces_of(output)) {
            sent += pieces.front();
            output.consume(pieces.front().size());
        }
        ASSERT_EQ(sent, appended);
        ASSERT_TRUE(output.empty());
        output.clear();
        ASSERT_EQ(output.unsent_by_all(), 0U);
    }
}

}  // namespace
}  // namespace chappe::broker
