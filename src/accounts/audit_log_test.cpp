#include "accounts/audit_log.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "accounts/test_support.h"

namespace chappe::accounts {
namespace {

using test::fault;
using test::must;

class AuditLogTest : public testing::Test {
protected:
    [[nodiscard]] std::string content() const {
        std::ifstream file(path);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    store::test::Folder folder;
    std::string path = folder.file("audit.log");
};

AuditEntry entry_of(std::string target) {
    return {.time = 1'774'948'500,
            .who = "alice",
            .uid = 1000,
            .from = "command line",
            .what = "user add",
            .target = std::move(target),
            .detail = {}};
}

TEST_F(AuditLogTest, WritesOneJsonObjectOnALine) {
    auto entry = entry_of("bob");
    entry.detail = "role viewer";
    must(must(AuditLog::open(path)).append(entry));
    EXPECT_EQ(content(),
              R"({"time":"2026-03-31T09:15:00Z","who":"alice","uid":1000,"from":"command line","what":"user add",)"
              R"("target":"bob","detail":"role viewer"})"
              "\n");
}

TEST_F(AuditLogTest, LeavesOutWhatIsNotKnown) {
    auto entry = entry_of("bob");
    entry.uid.reset();
    must(must(AuditLog::open(path)).append(entry));
    EXPECT_EQ(content().find("uid"), std::string::npos);
    EXPECT_EQ(content().find("detail"), std::string::npos);
}

TEST_F(AuditLogTest, AppendsToWhatIsThere) {
    const auto first = must(AuditLog::open(path));
    const auto second = must(AuditLog::open(path));
    must(first.append(entry_of("one")));
    must(second.append(entry_of("two")));
    must(first.append(entry_of("three")));
    const auto text = content();
    EXPECT_LT(text.find("one"), text.find("two"));
    EXPECT_LT(text.find("two"), text.find("three"));
    EXPECT_EQ(std::ranges::count(text, '\n'), 3);
}

TEST_F(AuditLogTest, NoNameCanMakeALineOfItsOwn) {
    must(must(AuditLog::open(path)).append(entry_of("a\n{\"who\":\"b\"}\xff")));
    EXPECT_EQ(std::ranges::count(content(), '\n'), 1);
}

TEST_F(AuditLogTest, OnlyItsOwnerMayReadIt) {
    must(must(AuditLog::open(path)).append(entry_of("bob")));
    struct stat status{};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(AuditLogTest, SaysWhichFileItCannotOpen) {
    const auto error = fault(AuditLog::open(folder.file("none/audit.log")));
    EXPECT_EQ(error.text, "cannot open " + folder.file("none/audit.log") + ": No such file or directory");
}

}  // namespace
}  // namespace chappe::accounts
