#include "store/statement.h"

#include <array>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/test_support.h"
#include "store/transaction.h"

namespace chappe::store {
namespace {

using test::must;
using testing::ElementsAre;

class Statements : public testing::Test {
protected:
    Statements() { must(database.execute("CREATE TABLE t(i INTEGER, r REAL, s TEXT, b BLOB) STRICT")); }

    Statement prepare(std::string_view sql) { return must(database.prepare(sql)); }
    std::int64_t count() { return must(prepare("SELECT count(*) FROM t").first<std::int64_t>()).value(); }

    test::Folder folder;
    Database database = test::open_test(folder.file("test.db"));
};

TEST_F(Statements, GiveBackWhatTheyWereGiven) {
    const std::string text("text with \0 in it, and \xE2\x82\xAC", 26);
    const std::array bytes{std::byte{0}, std::byte{255}};
    EXPECT_EQ(must(prepare("INSERT INTO t VALUES (?, ?, ?, ?)").run(std::int64_t{INT64_MIN}, 0.1, text, Blob(bytes))),
              1);
    int rows = 0;
    must(prepare("SELECT * FROM t").for_each([&](Row row) {
        ++rows;
        EXPECT_EQ(row.get<std::int64_t>(0), INT64_MIN);
        EXPECT_EQ(row.get<double>(1), 0.1);
        EXPECT_EQ(row.get<std::string_view>(2), text);
        EXPECT_EQ(row.get<std::optional<std::string>>(2), text);
        EXPECT_TRUE(std::ranges::equal(row.get<Blob>(3), bytes));
    }));
    EXPECT_EQ(rows, 1);
}

TEST_F(Statements, TellNullFromEmpty) {
    auto insert = prepare("INSERT INTO t(i, s, b) VALUES (?, ?, ?)");
    must(insert.run(1, std::string_view(), Blob()));
    must(insert.run(2, std::nullopt, std::optional<Blob>()));
    must(insert.run(3, std::optional<std::string>("x"), Blob()));
    std::vector<std::string> found;
    must(prepare("SELECT s, b, r FROM t ORDER BY i").for_each([&](Row row) {
        const auto text = row.get<std::optional<std::string_view>>(0);
        found.push_back(text ? "'" + std::string(*text) + "'" : "NULL");
        found.emplace_back(row.get<std::optional<Blob>>(1) ? "bytes" : "NULL");
        EXPECT_EQ(row.get<std::optional<double>>(2), std::nullopt);
    }));
    EXPECT_THAT(found, ElementsAre("''", "bytes", "NULL", "NULL", "'x'", "bytes"));
}

TEST_F(Statements, SayHowManyRowsTheyHaveChanged) {
    auto insert = prepare("INSERT INTO t(i) VALUES (?)");
    for (int i = 0; i < 5; ++i) must(insert.run(i));
    EXPECT_EQ(must(prepare("UPDATE t SET r = 1 WHERE i < ?").run(3U)), 3);
    EXPECT_EQ(must(prepare("DELETE FROM t WHERE i > ?").run(7)), 0);
    EXPECT_EQ(must(prepare("INSERT INTO t(i) VALUES (9) RETURNING i").run()), 1);
}

TEST_F(Statements, FindTheFirstOrNothing) {
    auto find = prepare("SELECT s FROM t WHERE i = ?");
    EXPECT_EQ(must(find.first<std::string>(1)), std::nullopt);
    must(prepare("INSERT INTO t(i, s) VALUES (1, 'a'), (1, 'b'), (2, NULL)").run());
    EXPECT_EQ(must(find.first<std::string>(1)), "a");
    EXPECT_EQ(must(find.first<std::string>(2)), "");
    const auto null = must(find.first<std::optional<std::string>>(2));
    ASSERT_TRUE(null.has_value());
    EXPECT_FALSE(null->has_value());
}

TEST_F(Statements, AreReadyAgainAfterEachUse) {
    auto find = prepare("SELECT i FROM t");
    must(prepare("INSERT INTO t(i) VALUES (1), (2)").run());
    EXPECT_EQ(must(find.first<int>()), 1);
    EXPECT_EQ(must(find.first<int>()), 1);
    // One that was not at its end would keep its view of the file, and this from being dropped.
    must(database.execute("DROP TABLE t"));
    const auto error = find.first<int>().error();
    EXPECT_EQ(error.text, "cannot read " + database.path() + ": no such table: t");
}

TEST_F(Statements, CanBeReadInPortions) {
    must(prepare("INSERT INTO t(s) VALUES ('a'), ('b'), ('c')").run());
    auto select = prepare("SELECT s FROM t WHERE s > ? ORDER BY s");
    {
        const std::string gone = "a";
        must(select.bind(gone));
    }
    ASSERT_TRUE(must(select.step()));
    EXPECT_EQ(select.row().get<std::string>(0), "b");
    ASSERT_TRUE(must(select.step()));
    EXPECT_EQ(select.row().get<std::string>(0), "c");
    EXPECT_FALSE(must(select.step()));
    must(select.bind("b"));
    ASSERT_TRUE(must(select.step()));
    EXPECT_EQ(select.row().get<std::string>(0), "c");
}

TEST_F(Statements, CopyWhatTheyAreBoundTo) {
    auto select = prepare("SELECT ?, ?");
    std::string text = "a long text that is not kept inside of the string";
    std::vector<std::byte> bytes(100, std::byte{7});
    must(select.bind(text, Blob(bytes)));
    text.assign(text.size(), 'x');
    bytes.assign(bytes.size(), std::byte{8});
    ASSERT_TRUE(must(select.step()));
    EXPECT_EQ(select.row().get<std::string>(0), "a long text that is not kept inside of the string");
    EXPECT_EQ(select.row().get<Blob>(1)[99], std::byte{7});
}

TEST_F(Statements, RefuseAWrongType) {
    const auto inserted = prepare("INSERT INTO t(i) VALUES (?)").run("text");
    ASSERT_FALSE(inserted.has_value());
    EXPECT_EQ(inserted.error().text,
              "cannot write " + database.path() + ": cannot store TEXT value in INTEGER column t.i");
    EXPECT_EQ(count(), 0);
}

TEST_F(Statements, MayOutliveTheDatabase) {
    std::optional<Database> other = test::open_test(database.path());
    auto select = must(other->prepare("SELECT count(*) FROM t"));
    other.reset();
    EXPECT_EQ(must(select.first<int>()), 0);
}

TEST_F(Statements, WithErrorsAreNotPrepared) {
    EXPECT_EQ(database.prepare("SELECT missing FROM t").error().text,
              "cannot use " + database.path() + ": no such column: missing");
}

TEST_F(Statements, TakeAllTheirValuesAndAreOne) {
    auto insert = prepare("INSERT INTO t(i, r) VALUES (?, ?)");
    EXPECT_DEATH(std::ignore = insert.run(1), "sqlite3_bind_parameter_count");
    EXPECT_DEATH(std::ignore = insert.run(1, 2, 3), "sqlite3_bind_parameter_count");
    EXPECT_DEATH(std::ignore = database.prepare("SELECT 1; SELECT 2"), "rest ==");
    EXPECT_DEATH(std::ignore = database.prepare(" "), "statement != nullptr");
}

TEST_F(Statements, OfATransactionTakeEffectTogether) {
    auto insert = prepare("INSERT INTO t(i) VALUES (?)");
    {
        auto transaction = must(Transaction::write(database));
        must(insert.run(1));
    }
    EXPECT_EQ(count(), 0);
    auto transaction = must(Transaction::write(database));
    must(insert.run(1));
    must(insert.run(2));
    auto other = test::open_test(database.path());
    auto seen = must(other.prepare("SELECT count(*) FROM t"));
    EXPECT_EQ(must(seen.first<int>()), 0);
    must(transaction.commit());
    EXPECT_EQ(must(seen.first<int>()), 2);
}

TEST_F(Statements, OfAReadTransactionSeeOneMoment) {
    auto reader = test::open_test(database.path());
    auto seen = must(reader.prepare("SELECT count(*) FROM t"));
    auto transaction = must(Transaction::read(reader));
    EXPECT_EQ(must(seen.first<int>()), 0);
    must(prepare("INSERT INTO t(i) VALUES (1)").run());
    EXPECT_EQ(must(seen.first<int>()), 0);
    must(transaction.commit());
    EXPECT_EQ(must(seen.first<int>()), 1);
}

TEST_F(Statements, ThatAreNotAtTheirEndDoNotKeepATransactionFromBeingUndone) {
    must(prepare("INSERT INTO t(i) VALUES (1), (2)").run());
    auto select = prepare("SELECT i FROM t");
    {
        auto transaction = must(Transaction::write(database));
        must(prepare("DELETE FROM t WHERE i = 2").run());
        ASSERT_TRUE(must(select.step()));
    }
    select.reset();
    EXPECT_EQ(count(), 2);
}

}  // namespace
}  // namespace chappe::store
