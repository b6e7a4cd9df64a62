#pragma once

// What the tests of files share: a folder for them, and a person who is not root.

#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "store/database.h"

namespace chappe::store::test {

constexpr std::int32_t test_id = 0x43685465;  // "ChTe"

// Goes with all that is in it.
class Folder {
public:
    Folder() { std::filesystem::create_directory(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }

    [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }
    [[nodiscard]] std::string path() const { return path_; }

private:
    std::filesystem::path path_ =
        std::filesystem::temp_directory_path() / ("chappe-store-" + std::to_string(std::random_device{}()));
};

// While it lives, this thread has no more rights over files than anybody has, even where tests run as root.
class AsAnybody {
public:
    AsAnybody() {
        if (geteuid() == 0) setfsuid(65'534);
    }
    AsAnybody(const AsAnybody&) = delete;
    AsAnybody& operator=(const AsAnybody&) = delete;
    ~AsAnybody() { setfsuid(geteuid()); }
};

inline mode_t mode_of(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 0777U;
}

inline void write_file(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

[[nodiscard]] inline std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// The value, or a failure of the test that says why there is none.
template <class Type>
Type must(Result<Type> result) {
    if (!result) {
        ADD_FAILURE() << result.error().text;
        std::abort();
    }
    if constexpr (!std::is_void_v<Type>) return std::move(*result);
}

[[nodiscard]] inline Database open_test(const std::string& path, Access access = Access::Create) {
    return must(Database::open(path, {.application_id = test_id, .access = access}));
}

}  // namespace chappe::store::test
