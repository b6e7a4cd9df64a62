#include "store/database.h"

#include <algorithm>
#include <filesystem>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/test_support.h"
#include "store/transaction.h"

namespace chappe::store {
namespace {

using test::must;
using test::open_test;
using testing::HasSubstr;
using testing::StartsWith;

class DatabaseFile : public testing::Test {
protected:
    [[nodiscard]] Error refused(Access access = Access::Create, std::int32_t id = test::test_id) const {
        auto opened = Database::open(path, {.application_id = id, .access = access});
        EXPECT_FALSE(opened.has_value());
        return opened ? Error{} : opened.error();
    }

    test::Folder folder;
    std::string path = folder.file("test.db");
};

std::int64_t count(Database& database) {
    return must(must(database.prepare("SELECT count(*) FROM things")).first<std::int64_t>()).value();
}

Database with_things(const std::string& path) {
    auto database = open_test(path);
    must(database.execute("CREATE TABLE things(name TEXT PRIMARY KEY) STRICT; INSERT INTO things VALUES ('one')"));
    return database;
}

TEST_F(DatabaseFile, IsForItsOwnerOnlyWithAllThatBelongsToIt) {
    auto database = with_things(path);
    EXPECT_EQ(test::mode_of(path), 0600U);
    EXPECT_EQ(test::mode_of(path + "-wal"), 0600U);
    EXPECT_EQ(test::mode_of(path + "-shm"), 0600U);
}

TEST_F(DatabaseFile, KeepsWhatWasWrittenAndIsOneFileAfterwards) {
    {
        auto database = with_things(path);
    }
    EXPECT_FALSE(std::filesystem::exists(path + "-wal"));
    auto database = open_test(path);
    EXPECT_EQ(count(database), 1);
}

TEST_F(DatabaseFile, IsWrittenToTheDiskWithEachCommitAndKeepsItsForeignKeys) {
    auto database = open_test(path);
    const auto ask = [&](const char* sql) { return must(must(database.prepare(sql)).first<std::string>()).value(); };
    EXPECT_EQ(ask("PRAGMA journal_mode"), "wal");
    EXPECT_EQ(ask("PRAGMA synchronous"), "2");  // FULL
    EXPECT_EQ(ask("PRAGMA foreign_keys"), "1");
    EXPECT_EQ(ask("PRAGMA trusted_schema"), "0");
    EXPECT_EQ(ask("PRAGMA application_id"), std::to_string(test::test_id));
    EXPECT_FALSE(database.prepare("SELECT \"no such column\" FROM sqlite_schema").has_value());
}

TEST_F(DatabaseFile, IsNotCreatedUnlessAsked) {
    EXPECT_EQ(refused(Access::ReadWrite).text, "cannot open " + path + ": No such file or directory");
    EXPECT_EQ(refused(Access::ReadOnly).text, "cannot open " + path + ": No such file or directory");
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(DatabaseFile, NeedsItsFolder) {
    path = folder.file("nowhere/test.db");
    const auto error = refused();
    EXPECT_EQ(error.text, "cannot create " + path + ": No such file or directory");
    EXPECT_FALSE(error.is_full() || error.is_busy() || error.is_corrupt() || error.is_foreign());
}

TEST_F(DatabaseFile, IsNotCreatedBehindALink) {
    std::filesystem::create_symlink("elsewhere.db", path);
    EXPECT_EQ(refused().text, "cannot open " + path + ": No such file or directory");
    EXPECT_FALSE(std::filesystem::exists(folder.file("elsewhere.db")));
}

TEST_F(DatabaseFile, IsNoFolder) {
    std::filesystem::create_directory(path);
    EXPECT_THAT(refused().text, StartsWith("cannot open " + path + ": "));
}

TEST_F(DatabaseFile, MayHaveANameThatMeansSomethingElseToSqlite) {
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(folder.path());
    {
        auto database = with_things(":memory:");
    }
    std::filesystem::current_path(before);
    auto database = open_test(folder.file(":memory:"));
    EXPECT_EQ(count(database), 1);
}

TEST_F(DatabaseFile, CannotBeCreatedInAReadOnlyFolder) {
    ASSERT_EQ(chmod(folder.path().c_str(), 0555), 0);
    const test::AsAnybody as_anybody;
    EXPECT_EQ(refused().text, "cannot create " + path + ": Permission denied");
}

TEST_F(DatabaseFile, CannotBeWrittenWithoutTheRight) {
    {
        auto database = with_things(path);
    }
    ASSERT_EQ(chmod(path.c_str(), 0444), 0);
    const test::AsAnybody as_anybody;
    EXPECT_EQ(refused().text, "cannot open " + path + " to write: Permission denied");
    EXPECT_EQ(refused(Access::ReadWrite).text, "cannot open " + path + " to write: Permission denied");
}

TEST_F(DatabaseFile, CannotBeReadWithoutTheRight) {
    {
        auto database = with_things(path);
    }
    ASSERT_EQ(chmod(path.c_str(), 0), 0);
    const test::AsAnybody as_anybody;
    EXPECT_EQ(refused(Access::ReadOnly).text, "cannot open " + path + ": Permission denied");
}

TEST_F(DatabaseFile, IsNotChangedByAReader) {
    auto writer = with_things(path);
    auto reader = open_test(path, Access::ReadOnly);
    EXPECT_EQ(count(reader), 1);
    const auto error = reader.execute("DELETE FROM things").error();
    EXPECT_EQ(error.text, "cannot use " + path + ": it is read-only");
    EXPECT_EQ(count(writer), 1);
}

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
}

TEST_F(DatabaseFile, IsLookedAtWithoutATrace) {
    path = folder.file("a?b#c%20d.db");
    {
        auto database = with_things(path);
    }
    const auto before = test::read_file(path);
    ASSERT_EQ(chmod(folder.path().c_str(), 0555), 0);
    ASSERT_EQ(chmod(path.c_str(), 0444), 0);
    {
        const test::AsAnybody as_anybody;
        auto looker = open_test(path, Access::Look);
        EXPECT_EQ(count(looker), 1);
        EXPECT_EQ(looker.execute("DELETE FROM things").error().text, "cannot use " + path + ": it is read-only");
    }
    EXPECT_EQ(test::read_file(path), before);
    EXPECT_EQ(names_in(folder.path()), std::vector{std::filesystem::path(path).filename().string()});
    ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
}

TEST_F(DatabaseFile, IsLookedAtWithWhatIsInItsLog) {
    auto writer = with_things(path);
    auto looker = open_test(path, Access::Look);
    EXPECT_EQ(count(looker), 1);
    must(writer.execute("INSERT INTO things VALUES ('two')"));
    EXPECT_EQ(count(looker), 2);
}

TEST_F(DatabaseFile, IsNotMadeByALook) {
    EXPECT_EQ(refused(Access::Look).text, "cannot open " + path + ": No such file or directory");
    EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST_F(DatabaseFile, OfAnotherProgramIsLeftAlone) {
    const std::string others = folder.file("others.db");
    {
        auto database = with_things(others);
        must(database.execute("PRAGMA application_id = 0; PRAGMA journal_mode = DELETE"));
    }
    const auto before = test::read_file(others);
    path = others;
    const auto error = refused();
    EXPECT_TRUE(error.is_foreign());
    EXPECT_EQ(error.text,
              "cannot open " + others + ": it is a database of SQLite, but not of the kind that Chappe keeps there");
    EXPECT_EQ(test::read_file(others), before);
}

TEST_F(DatabaseFile, OfAnotherKindIsLeftAlone) {
    {
        auto database = open_test(path);
    }
    const auto before = test::read_file(path);
    EXPECT_TRUE(refused(Access::Create, test::test_id + 1).is_foreign());
    EXPECT_TRUE(refused(Access::ReadOnly, test::test_id + 1).is_foreign());
    EXPECT_EQ(test::read_file(path), before);
}

TEST_F(DatabaseFile, ThatIsNoDatabaseIsLeftAlone) {
    const std::string text(5'000, 'x');
    test::write_file(path, text);
    const auto error = refused();
    EXPECT_TRUE(error.is_corrupt());
    EXPECT_EQ(error.text, "cannot read " + path + ": it is not a database of SQLite");
    EXPECT_EQ(test::read_file(path), text);
}

TEST_F(DatabaseFile, ThatIsEmptyIsTaken) {
    test::write_file(path, "");
    auto database = with_things(path);
    EXPECT_EQ(count(database), 1);
}

TEST_F(DatabaseFile, ThatIsDamagedIsFound) {
    {
        auto database = with_things(path);
        EXPECT_TRUE(database.quick_check().has_value());
    }
    auto bytes = test::read_file(path);
    const auto first_page = bytes.size() - bytes.size() / 3;  // The second and third of three are damaged.
    for (auto at = bytes.size() / 3; at < first_page; at += 7) bytes[at] = '\x55';
    test::write_file(path, bytes);
    auto database = open_test(path);
    const auto checked = database.quick_check();
    ASSERT_FALSE(checked.has_value());
    EXPECT_TRUE(checked.error().is_corrupt());
    EXPECT_THAT(checked.error().text, StartsWith(path + " is damaged: "));
    const auto read = must(database.prepare("SELECT name FROM things")).first<std::string>();
    ASSERT_FALSE(read.has_value());
    EXPECT_TRUE(read.error().is_corrupt());
    EXPECT_EQ(read.error().text, "cannot read " + path + ": it is damaged");
}

TEST_F(DatabaseFile, ThatIsCutShortIsDamaged) {
    {
        auto database = with_things(path);
    }
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
    auto opened = Database::open(path, {.application_id = test::test_id});
    const auto checked = opened ? opened->quick_check() : Result<void>(std::unexpected(opened.error()));
    ASSERT_FALSE(checked.has_value());
    EXPECT_TRUE(checked.error().is_corrupt());
}

TEST_F(DatabaseFile, SaysThatNoSpaceIsLeftAndUndoesTheTransaction) {
    auto database = with_things(path);
    must(database.execute("PRAGMA max_page_count = 10"));
    auto transaction = must(Transaction::write(database));
    auto insert = must(database.prepare("INSERT INTO things VALUES (?)"));
    must(insert.run("two"));
    const auto inserted = insert.run(std::string(100'000, 'x'));
    ASSERT_FALSE(inserted.has_value());
    EXPECT_TRUE(inserted.error().is_full());
    EXPECT_FALSE(inserted.error().is_corrupt() || inserted.error().is_busy());
    EXPECT_EQ(inserted.error().text, "cannot write " + path + ": no space is left");
    EXPECT_FALSE(transaction.commit().has_value());
    EXPECT_EQ(count(database), 1);
    must(insert.run("two"));  // It goes on.
}

TEST_F(DatabaseFile, ADiskWithoutSpaceForTheFileIsFullAsWell) {
    EXPECT_TRUE(system_failure(ENOSPC, "x").error().is_full());
    EXPECT_TRUE(system_failure(EDQUOT, "x").error().is_full());
    EXPECT_FALSE(system_failure(EACCES, "x").error().is_full());
}

TEST_F(DatabaseFile, IsBusyWhileAnotherWrites) {
    auto one = with_things(path);
    auto two =
        must(Database::open(path, {.application_id = test::test_id, .busy_timeout = std::chrono::milliseconds(1)}));
    {
        auto transaction = must(Transaction::write(one));
        const auto busy = Transaction::write(two);
        ASSERT_FALSE(busy.has_value());
        EXPECT_TRUE(busy.error().is_busy());
        EXPECT_EQ(busy.error().text, "cannot use " + path + ": it is locked by another process");
        EXPECT_EQ(count(two), 1);  // Reading goes on.
    }
    EXPECT_TRUE(Transaction::write(two).has_value());
}

TEST_F(DatabaseFile, TellsThatAnotherConnectionHasChangedIt) {
    auto one = with_things(path);
    auto two = open_test(path);
    const auto seen_by_one = must(one.data_version());
    const auto seen_by_two = must(two.data_version());
    must(two.execute("INSERT INTO things VALUES ('two')"));
    EXPECT_NE(must(one.data_version()), seen_by_one);
    EXPECT_EQ(must(two.data_version()), seen_by_two);
    const auto seen_afterwards = must(one.data_version());
    EXPECT_EQ(must(one.data_version()), seen_afterwards);
    {
        auto undone = must(Transaction::write(two));
        must(two.execute("INSERT INTO things VALUES ('three')"));
    }
    EXPECT_EQ(must(one.data_version()), seen_afterwards);
}

TEST_F(DatabaseFile, MayBeOpenedForTheFirstTimeByManyAtOnce) {
    for (int round = 0; round < 20; ++round) {
        path = folder.file(std::to_string(round));
        std::vector<std::string> errors(8);
        {
            std::vector<std::jthread> threads;
            for (auto& error : errors) {
                threads.emplace_back([&] {
                    auto database = Database::open(path, {.application_id = test::test_id});
                    if (!database) error = database.error().text;
                });
            }
        }
        EXPECT_THAT(errors, testing::Each(""));
    }
}

TEST_F(DatabaseFile, IsCopiedWhileOthersUseIt) {
    auto database = with_things(path);
    auto other = open_test(path);
    auto transaction = must(Transaction::write(other));
    must(other.execute("INSERT INTO things VALUES ('not committed')"));
    const auto target = folder.file("copy.db");
    test::write_file(target, "what was there before");
    must(database.copy_to(target));
    EXPECT_EQ(test::mode_of(target), 0600U);
    EXPECT_FALSE(std::filesystem::exists(target + ".part"));
    auto copy = open_test(target);
    EXPECT_EQ(count(copy), 1);
}

TEST_F(DatabaseFile, ACopyThatFailsLeavesNothing) {
    auto database = with_things(path);
    const auto target = folder.file("nowhere/copy.db");
    EXPECT_EQ(database.copy_to(target).error().text,
              "cannot copy " + path + " to " + target + ": No such file or directory");
    std::filesystem::create_directory(folder.file("busy.db.part"));
    EXPECT_THAT(database.copy_to(folder.file("busy.db")).error().text,
                StartsWith("cannot copy " + path + " to " + folder.file("busy.db") + ": "));
    std::filesystem::create_directory(folder.file("copy.db"));
    EXPECT_THAT(database.copy_to(folder.file("copy.db")).error().text, HasSubstr("Is a directory"));
    EXPECT_FALSE(std::filesystem::exists(folder.file("copy.db.part")));
}

}  // namespace
}  // namespace chappe::store
