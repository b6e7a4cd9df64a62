#include "server/logger.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace chappe::server {
namespace {

using testing::HasSubstr;

constexpr WallTime a_time{std::chrono::milliseconds{1'000'000'000'123}};

std::string line(LogFormat format, std::string_view text, std::initializer_list<Field> fields) {
    return format_line(format, a_time, LogLevel::Info, "client_connected", text, fields);
}

TEST(LogLine, IsForPeopleAsText) {
    EXPECT_EQ(line(LogFormat::Text, "client connected", {{"client", "pump-7"}, {"address", "127.0.0.1:5000"}}),
              "2001-09-09T01:46:40.123Z info    client connected client=pump-7 address=127.0.0.1:5000");
}

TEST(LogLine, LeavesOutFieldsWithoutValue) {
    EXPECT_THAT(line(LogFormat::Text, "text", {{"client", ""}, {"code", "x"}}), testing::EndsWith("text code=x"));
    EXPECT_EQ(nlohmann::json::parse(line(LogFormat::Json, "text", {{"client", ""}})).size(), 4U);
}

TEST(LogLine, KeepsFieldsApartWhateverTheirValues) {
    EXPECT_THAT(line(LogFormat::Text, "a\nb", {{"client", "c d"}, {"topic", "x=\"y\\\n\x1b[2J"}}),
                testing::EndsWith(R"(a\nb client="c d" topic="x=\"y\\\n\u001b[2J")"));
}

TEST(LogLine, IsOneObjectAsJson) {
    const auto written = line(LogFormat::Json, "client connected", {{"client", "a \"b\"\\\n\t\r\x01\x7f"}});
    EXPECT_EQ(written.find('\n'), std::string::npos);
    EXPECT_EQ(nlohmann::json::parse(written), nlohmann::json({{"time", "2001-09-09T01:46:40.123Z"},
                                                              {"level", "info"},
                                                              {"event", "client_connected"},
                                                              {"message", "client connected"},
                                                              {"client", "a \"b\"\\\n\t\r\x01\x7f"}}));
}

class LogFile : public testing::Test {
protected:
    LogFile() { std::filesystem::create_directories(folder); }
    ~LogFile() override { std::filesystem::remove_all(folder); }

    [[nodiscard]] Log settings(LogLevel level = LogLevel::Info) const {
        return {.level = level, .format = LogFormat::Text, .file = file()};
    }
    [[nodiscard]] std::string file(std::string_view name = "log") const { return (folder / name).string(); }

    // The lines of a log whose Logger has gone, without their times.
    [[nodiscard]] static std::vector<std::string> lines_of(const std::string& path) {
        std::ifstream in(path);
        std::vector<std::string> lines;
        for (std::string one; std::getline(in, one);) lines.push_back(one.substr(25));
        return lines;
    }

    const std::filesystem::path folder =
        std::filesystem::temp_directory_path() /
        ("chappe-log-" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()));
};

TEST_F(LogFile, HasWhatIsAtLeastAsImportantAsTheLevelSays) {
    auto logger = Logger::create(settings(LogLevel::Warning));
    ASSERT_TRUE(logger);
    for (const auto level : {LogLevel::Debug, LogLevel::Info, LogLevel::Warning, LogLevel::Error}) {
        (*logger)->write(level, "event", "text");
    }
    logger->reset();  // Writes what still waits.
    EXPECT_THAT(lines_of(file()), testing::ElementsAre("warning text", "error   text"));
}

TEST_F(LogFile, IsOpenedAnewAtAReload) {
    auto logger = Logger::create(settings());
    ASSERT_TRUE(logger);
    (*logger)->write(LogLevel::Info, "event", "before");
    std::filesystem::rename(file(), file("rotated"));
    ASSERT_TRUE((*logger)->configure(settings()));
    (*logger)->write(LogLevel::Info, "event", "after");
    logger->reset();
    EXPECT_THAT(lines_of(file("rotated")), testing::ElementsAre("info    before"));
    EXPECT_THAT(lines_of(file()), testing::ElementsAre("info    after"));
}

TEST_F(LogFile, NeedsAFolderThatIsThere) {
    auto wrong = settings();
    wrong.file = file("no/such/log");
    const auto logger = Logger::create(wrong);
    ASSERT_FALSE(logger);
    EXPECT_THAT(logger.error(), HasSubstr("no/such/log: No such file"));
    EXPECT_FALSE(std::filesystem::exists(folder / "no"));
}

TEST_F(LogFile, StaysTheOldOneWhenTheNewOneCannotBeOpened) {
    auto logger = Logger::create(settings());
    ASSERT_TRUE(logger);
    auto wrong = settings(LogLevel::Error);
    wrong.file = folder.string();  // A folder.
    const auto configured = (*logger)->configure(wrong);
    ASSERT_FALSE(configured);
    EXPECT_THAT(configured.error(), HasSubstr(folder.string()));
    (*logger)->write(LogLevel::Info, "event", "still here");
    logger->reset();
    EXPECT_THAT(lines_of(file()), testing::ElementsAre("info    still here"));
    EXPECT_FALSE(Logger::create(wrong));
}

}  // namespace
}  // namespace chappe::server
