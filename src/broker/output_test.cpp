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

const std::string large(Output::reference_from_bytes, 'L');

TEST(Output, CopiesSmallPayloadsTogether) {
    Output output;
    append(output, "head");
    output.append_payload(message("small"));
    append(output, "next");
    EXPECT_THAT(pieces_of(output), ElementsAre("headsmallnext"));
    EXPECT_EQ(output.size(), 13U);
}

TEST(Output, ReferencesLargePayloads) {
    Output output;
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
    Output output;
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
    Output output;
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

// Appends, holds and writes in random steps; what comes out is what went in.
TEST(Output, SendsWhatWasAppendedHoweverItIsWritten) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        SCOPED_TRACE(seed);
        Random random(seed);
        Output output;
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
    }
}

}  // namespace
}  // namespace chappe::broker
