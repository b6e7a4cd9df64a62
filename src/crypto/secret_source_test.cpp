#include "crypto/secret_source.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chappe::crypto {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class SecretSource : public testing::Test {
protected:
    SecretSource() {
        auto name = (std::filesystem::temp_directory_path() / "chappe-secret-XXXXXX").string();
        folder_ = mkdtemp(name.data());
    }
    ~SecretSource() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::string file(const std::string& name, const std::string& content) const {
        const auto path = folder_ + "/" + name;
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }

    [[nodiscard]] const std::string& folder() const { return folder_; }

    static std::string revealed(const std::string& source) {
        const auto secret = read_secret(source);
        return secret ? std::string(secret->reveal()) : "error: " + secret.error();
    }

    static std::string error_of(const std::string& source) {
        const auto secret = read_secret(source);
        return secret ? "no error" : secret.error();
    }

private:
    std::string folder_;
};

TEST_F(SecretSource, IsAFile) {
    EXPECT_EQ(revealed("file:" + file("plain", "hunter2")), "hunter2");
    EXPECT_EQ(revealed("file:" + file("line", "hunter2\n")), "hunter2");
    EXPECT_EQ(revealed("file:" + file("windows", "hunter2\r\n")), "hunter2");
    EXPECT_EQ(revealed("file:" + file("lines", "a\nb\n\n")), "a\nb\n");
    EXPECT_EQ(revealed("file:" + file("spaces", " a ")), " a ");
    const std::string zero("a\0b", 3);
    EXPECT_EQ(revealed("file:" + file("zero", zero)), zero);
}

TEST_F(SecretSource, NamesAFileThatCannotBeUsed) {
    EXPECT_THAT(error_of("file:/nowhere/at-all"), AllOf(HasSubstr("/nowhere/at-all"), HasSubstr("No such file")));
    EXPECT_THAT(error_of("file:" + folder()), HasSubstr("directory"));
    EXPECT_THAT(error_of("file:" + file("empty", "")), HasSubstr("empty"));
    EXPECT_THAT(error_of("file:" + file("only-line", "\n")), HasSubstr("empty"));
}

TEST_F(SecretSource, IsBounded) {
    const std::string largest(secret_size_max, 'x');
    EXPECT_EQ(revealed("file:" + file("largest", largest)), largest);
    EXPECT_THAT(error_of("file:" + file("larger", largest + "x")), AllOf(HasSubstr("larger"), Not(HasSubstr("xxx"))));
}

TEST_F(SecretSource, IsAnEnvironmentVariable) {
    setenv("CHAPPE_TEST_SECRET", "hunter2", 1);
    EXPECT_EQ(revealed("env:CHAPPE_TEST_SECRET"), "hunter2");
    setenv("CHAPPE_TEST_SECRET", "", 1);
    EXPECT_THAT(error_of("env:CHAPPE_TEST_SECRET"), HasSubstr("empty"));
    unsetenv("CHAPPE_TEST_SECRET");
    EXPECT_THAT(error_of("env:CHAPPE_TEST_SECRET"),
                AllOf(HasSubstr("CHAPPE_TEST_SECRET"), HasSubstr("no such environment variable")));
}

TEST_F(SecretSource, IsACredentialOfSystemd) {
    unsetenv("CREDENTIALS_DIRECTORY");
    EXPECT_THAT(error_of("credential:key"), HasSubstr("LoadCredential="));
    setenv("CREDENTIALS_DIRECTORY", folder().c_str(), 1);
    static_cast<void>(file("key", "hunter2\n"));
    EXPECT_EQ(revealed("credential:key"), "hunter2");
    EXPECT_THAT(error_of("credential:other"), HasSubstr("No such file"));
    EXPECT_THAT(error_of("credential:../key"), HasSubstr("not the name of a credential"));
    EXPECT_THAT(error_of("credential:.."), HasSubstr("not the name of a credential"));
    unsetenv("CREDENTIALS_DIRECTORY");
}

TEST_F(SecretSource, IsNotTheSecretItself) {
    for (const std::string source :
         {"hunter2", "", "file", "file:", "env:", "credential:", "File:hunter2", "plain:hunter2", "hunter2:file:x"}) {
        EXPECT_THAT(error_of(source), AllOf(HasSubstr("file:PATH"), HasSubstr("env:NAME"), HasSubstr("credential:NAME"),
                                            Not(HasSubstr("hunter2"))))
            << source;
    }
    EXPECT_THAT(error_of(std::string("file:/etc/passwd\0.txt", 21)), HasSubstr("file:PATH"));
}

TEST_F(SecretSource, IsSeenToBeReadableByOthers) {
    const auto path = file("key", "hunter2");
    chmod(path.c_str(), 0644);
    EXPECT_TRUE(is_readable_by_others(path));
    chmod(path.c_str(), 0640);
    EXPECT_FALSE(is_readable_by_others(path));
    EXPECT_FALSE(is_readable_by_others("/nowhere/at-all"));
}

}  // namespace
}  // namespace chappe::crypto
