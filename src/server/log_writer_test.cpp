#include "server/log_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chappe::server {
namespace {

using testing::ElementsAre;

// A log that goes into a pipe, of which the test reads when it likes.
class LogPipe : public testing::Test {
protected:
    LogPipe() {
        std::array<int, 2> ends{};
        EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
        reader = net::FileDescriptor(ends[0]);
        in = std::make_shared<const net::FileDescriptor>(ends[1]);
        EXPECT_GE(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
    }

    std::unique_ptr<LogWriter> writer(const LogWriterOptions& options = {}) {
        return std::make_unique<LogWriter>(
            std::move(in), [](std::uint64_t lines) { return "lost " + std::to_string(lines); }, options);
    }

    // Where the first line is more than the pipe holds, its writer then waits in the middle of it.
    [[nodiscard]] bool has_something() const {
        pollfd waiting{.fd = reader.get(), .events = POLLIN, .revents = 0};
        return poll(&waiting, 1, 0) == 1;
    }

    // Until nobody has the other end any more.
    [[nodiscard]] std::vector<std::string> lines_to_the_end() const {
        std::string text;
        std::array<char, 4096> some{};
        while (const auto size = ::read(reader.get(), some.data(), some.size())) {
            if (size < 0) break;
            text.append(some.data(), static_cast<std::size_t>(size));
        }
        std::vector<std::string> lines;
        for (std::size_t start = 0; start < text.size(); start = text.find('\n', start) + 1) {
            lines.push_back(text.substr(start, text.find('\n', start) - start));
        }
        return lines;
    }

    net::FileDescriptor reader;
    std::shared_ptr<const net::FileDescriptor> in;
};

TEST_F(LogPipe, GetsLinesInTheirOrderUpToTheLast) {
    auto log = writer();
    for (const auto* line : {"one", "two", "three"}) log->write(line);
    log.reset();
    EXPECT_THAT(lines_to_the_end(), ElementsAre("one", "two", "three"));
}

TEST_F(LogPipe, GetsWhatAnErrorKeptFromAnotherFileAsACount) {
    auto pipe_again = in;
    auto log = writer();
    log->write_to(std::make_shared<const net::FileDescriptor>(::open("/dev/full", O_WRONLY | O_CLOEXEC)));
    log->write("one");
    log->write("two");
    log->write_to(std::move(pipe_again));
    log->write("three");
    const auto lost = [&] { return log->lines_lost(); };
    while (lost() != 2) std::this_thread::yield();
    log.reset();
    EXPECT_THAT(lines_to_the_end(), ElementsAre("lost 2", "three"));
}

TEST_F(LogPipe, LosesTheOldestLinesAndSaysHowMany) {
    auto log = writer({.lines_waiting_max = 3});
    log->write(std::string(10'000, 'x'));
    while (!has_something()) std::this_thread::yield();
    for (const auto* line : {"1", "2", "3", "4", "5"}) log->write(line);
    EXPECT_EQ(log->lines_lost(), 2U);
    std::thread end([&] { log.reset(); });
    const auto lines = lines_to_the_end();
    end.join();
    EXPECT_THAT(lines, ElementsAre(std::string(10'000, 'x'), "lost 2", "3", "4", "5"));
}

TEST_F(LogPipe, DoesNotKeepTheProgramWhenNobodyReads) {
    auto log = writer({.end_wait_max = 1ms});
    log->write(std::string(10'000, 'x'));
    while (!has_something()) std::this_thread::yield();
    log->write("never read");
    log.reset();  // Comes back.
    EXPECT_THAT(lines_to_the_end(), ElementsAre(std::string(10'000, 'x'), "never read"));
}

TEST_F(LogPipe, MayBeNonBlocking) {
    ASSERT_EQ(fcntl(in->get(), F_SETFL, O_NONBLOCK), 0);
    auto log = writer();
    log->write(std::string(10'000, 'x'));
    log->write("next");
    std::thread end([&] { log.reset(); });
    EXPECT_THAT(lines_to_the_end(), ElementsAre(std::string(10'000, 'x'), "next"));
    end.join();
}

}  // namespace
}  // namespace chappe::server
