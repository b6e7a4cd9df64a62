#include "store/migrate.h"

#include <array>

#include <gtest/gtest.h>

#include "store/test_support.h"

namespace chappe::store {
namespace {

using test::must;
using test::open_test;

constexpr std::array steps{
    Migration{R"(
        CREATE TABLE parents(name TEXT PRIMARY KEY) STRICT;
        CREATE TABLE children(name TEXT PRIMARY KEY, parent TEXT REFERENCES parents ON DELETE CASCADE) STRICT;
    )"},
    // As SQLite's manual says how a table is changed.
    Migration{R"(
        CREATE TABLE new_parents(name TEXT PRIMARY KEY, age INTEGER NOT NULL DEFAULT 40) STRICT;
        INSERT INTO new_parents(name) SELECT name FROM parents;
        DROP TABLE parents;
        ALTER TABLE new_parents RENAME TO parents;
    )"},
    Migration{"DELETE FROM parents"},  // Leaves children without their parents.
};
const auto version_1 = std::span(steps).first(1);
const auto version_2 = std::span(steps).first(2);
const auto version_3 = std::span(steps).first(3);

class Migrations : public testing::Test {
protected:
    std::int64_t ask(const char* sql) { return must(must(database.prepare(sql)).first<std::int64_t>()).value(); }
    std::int64_t version() { return ask("PRAGMA user_version"); }

    void make_version_1() {
        must(migrate(database, version_1));
        must(database.execute("INSERT INTO parents VALUES ('Ada'); INSERT INTO children VALUES ('Bob', 'Ada')"));
    }

    test::Folder folder;
    std::string path = folder.file("test.db");
    std::string copy = path + ".v1.bak";
    Database database = open_test(path);
};

TEST_F(Migrations, OfANewFileDoAllSteps) {
    must(migrate(database, version_2));
    EXPECT_EQ(version(), 2);
    must(database.execute("INSERT INTO parents VALUES ('Ada', 28)"));
    EXPECT_FALSE(std::filesystem::exists(path + ".v0.bak"));
}

TEST_F(Migrations, DoNothingWhereTheVersionIsTheLast) {
    make_version_1();
    auto other = open_test(path);
    const auto seen = must(other.data_version());
    must(migrate(database, version_1));
    EXPECT_EQ(must(other.data_version()), seen);
    EXPECT_FALSE(std::filesystem::exists(copy));
}

TEST_F(Migrations, KeepACopyAndDependants) {
    make_version_1();
    must(migrate(database, version_2));
    EXPECT_EQ(version(), 2);
    EXPECT_EQ(ask("SELECT age FROM parents"), 40);
    EXPECT_EQ(ask("SELECT count(*) FROM children"), 1);
    EXPECT_EQ(ask("PRAGMA foreign_keys"), 1);
    EXPECT_EQ(test::mode_of(copy), 0600U);

    database = open_test(copy);
    EXPECT_EQ(version(), 1);
    EXPECT_EQ(ask("SELECT count(*) FROM parents"), 1);
    EXPECT_TRUE(migrate(database, version_2).has_value());
}

TEST_F(Migrations, ThatFailLeaveTheFileAsItWas) {
    make_version_1();
    const std::array wrong{steps[0], steps[1], Migration{"CREATE TABLE parents(name)"}};
    EXPECT_EQ(migrate(database, wrong).error().text, "cannot use " + path + ": table parents already exists");
    EXPECT_EQ(version(), 1);
    EXPECT_FALSE(database.prepare("SELECT age FROM parents").has_value());
    EXPECT_EQ(ask("PRAGMA foreign_keys"), 1);
    must(migrate(database, version_2));  // The copy may be there already.
    EXPECT_EQ(version(), 2);
}

TEST_F(Migrations, MayNotLeaveWhatRefersToNothing) {
    make_version_1();
    EXPECT_EQ(migrate(database, version_3).error().text,
              "cannot upgrade " + path + ": the table children refers to what is not there");
    EXPECT_EQ(version(), 1);
}

TEST_F(Migrations, DoNotBeginWithoutACopy) {
    make_version_1();
    std::filesystem::create_directories(copy);
    EXPECT_EQ(migrate(database, version_2).error().text, "cannot copy " + path + " to " + copy + ": Is a directory");
    EXPECT_EQ(version(), 1);
}

TEST_F(Migrations, RefuseAFileOfANewerChappe) {
    must(migrate(database, version_2));
    const auto refused = migrate(database, version_1);
    ASSERT_FALSE(refused.has_value());
    EXPECT_TRUE(refused.error().is_foreign());
    EXPECT_EQ(refused.error().text,
              "cannot use " + path +
                  ": a newer Chappe has written it (version 2, this one knows versions up to 1). Use the newer Chappe, "
                  "or the copy of the file that it has made before it changed it (" +
                  path + ".v*.bak).");
    EXPECT_EQ(version(), 2);
}

TEST_F(Migrations, RefuseAVersionBelowZero) {
    must(database.execute("PRAGMA user_version = -1"));
    EXPECT_TRUE(migrate(database, version_1).error().is_foreign());
}

TEST_F(Migrations, AreMissedByWhoOnlyReads) {
    make_version_1();
    auto reader = open_test(path, Access::Look);
    EXPECT_TRUE(check_version(reader, version_1).has_value());
    EXPECT_EQ(check_version(reader, version_2).error().text,
              "cannot use " + path + ": an older Chappe has written it; chappe serve brings it up to date");
    must(migrate(database, version_2));
    EXPECT_TRUE(check_version(reader, version_2).has_value());
    EXPECT_TRUE(check_version(reader, version_1).error().text.contains("a newer Chappe has written it"));
}

TEST_F(Migrations, CannotBeDoneByAReader) {
    make_version_1();
    auto reader = open_test(path, Access::ReadOnly);
    EXPECT_TRUE(migrate(reader, version_1).has_value());
    EXPECT_FALSE(migrate(reader, version_2).has_value());
    EXPECT_EQ(version(), 1);
}

}  // namespace
}  // namespace chappe::store
