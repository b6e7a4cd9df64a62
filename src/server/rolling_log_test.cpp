#include "server/rolling_log.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

namespace chappe::server {
namespace {

class Logins : public testing::Test {
protected:
    Logins() : folder(std::filesystem::temp_directory_path() / "chappe-logins-XXXXXX") {
        auto name = folder.string();
        folder = ::mkdtemp(name.data());
    }
    ~Logins() override { std::filesystem::remove_all(folder); }

    [[nodiscard]] std::string path() const { return folder / "logins.log"; }

    [[nodiscard]] static std::string content(const std::string& path) {
        std::ifstream file(path);
        return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    }

    std::filesystem::path folder;
};

TEST_F(Logins, AreAppendedForTheOwnerOnly) {
    for (const auto* line : {"one", "two"}) RollingLog::open(path(), 100).value()->write(line);
    EXPECT_EQ(content(path()), "one\ntwo\n");
    EXPECT_EQ(std::filesystem::status(path()).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(Logins, AreKeptInTwoFilesAtMost) {
    {
        const auto log = RollingLog::open(path(), 10).value();
        for (const auto* line : {"1234", "5678", "next", "more", "last"}) log->write(line);
    }
    EXPECT_EQ(content(path() + ".1"), "next\nmore\n");
    EXPECT_EQ(content(path()), "last\n");
    // What is there already counts.
    RollingLog::open(path(), 5).value()->write("after");
    EXPECT_EQ(content(path() + ".1"), "last\n");
    EXPECT_EQ(content(path()), "after\n");
}

TEST_F(Logins, BeginAnewAlsoWhereSomebodyHasTakenThemAway) {
    {
        const auto log = RollingLog::open(path(), 10).value();
        std::filesystem::remove(path());
        for (const auto* line : {"1234", "5678", "next"}) log->write(line);
    }
    EXPECT_EQ(content(path()), "next\n");
}

TEST_F(Logins, SayWhyTheyCannotBeWritten) {
    const auto nowhere = folder / "nowhere" / "logins.log";
    const auto opened = RollingLog::open(nowhere, 10);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error(), nowhere.string() + ": No such file or directory");
}

}  // namespace
}  // namespace chappe::server
