#include "server/file_watch.h"

#include <filesystem>
#include <fstream>
#include <random>

#include <gtest/gtest.h>

namespace chappe::server {
namespace {

class WatchedFiles : public testing::Test {
protected:
    WatchedFiles() { std::filesystem::create_directory(folder); }
    ~WatchedFiles() override { std::filesystem::remove_all(folder); }

    std::string write(const std::string& name, const std::string& text) {
        const auto path = folder / name;
        std::ofstream(path) << text;
        return path;
    }

    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("chappe-watch-" + std::to_string(std::random_device{}()));
    FileWatch watch;
};

TEST_F(WatchedFiles, AreToldOnceWhenTheyChange) {
    const auto one = write("one", "1");
    const auto two = write("two", "2");
    watch.watch({one, two});
    EXPECT_FALSE(watch.changed());
    write("two", "22");
    EXPECT_TRUE(watch.changed());
    EXPECT_FALSE(watch.changed());
}

TEST_F(WatchedFiles, MayBeReplacedAndVanishAndComeBack) {
    const auto path = write("one", "1");
    watch.watch({path});
    std::filesystem::rename(write("new", "2"), path);
    EXPECT_TRUE(watch.changed());
    std::filesystem::remove(path);
    EXPECT_TRUE(watch.changed());
    EXPECT_FALSE(watch.changed());
    write("one", "3");
    EXPECT_TRUE(watch.changed());
}

TEST_F(WatchedFiles, MayBeBehindALink) {
    write("old", "1");
    write("new", "1");
    const auto link = folder / "link";
    std::filesystem::create_symlink("old", link);
    watch.watch({link});
    std::filesystem::remove(link);
    std::filesystem::create_symlink("new", link);
    EXPECT_TRUE(watch.changed());
}

}  // namespace
}  // namespace chappe::server
