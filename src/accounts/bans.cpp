// The functions of AccountStore that concern bans.

#include <algorithm>
#include <array>

#include "accounts/account_store.h"
#include "accounts/fault.h"
#include "accounts/valid.h"

namespace chappe::accounts {

namespace {

struct KindName {
    BanKind kind;
    std::string_view name;
};

constexpr std::array kind_names{
    KindName{BanKind::Address, "address"},
    KindName{BanKind::User, "user"},
    KindName{BanKind::Client, "client"},
};

}  // namespace

std::string_view name_of(BanKind kind) noexcept { return std::ranges::find(kind_names, kind, &KindName::kind)->name; }

std::optional<BanKind> ban_kind_named(std::string_view name) noexcept {
    const auto* const found = std::ranges::find(kind_names, name, &KindName::name);
    if (found == kind_names.end()) return std::nullopt;  // The file checks them, unless somebody tells it not to.
    return found->kind;
}

store::Result<std::vector<Ban>> AccountStore::read_bans() {
    std::vector<Ban> bans;
    const auto take = [&](store::Row row) {
        const auto kind = ban_kind_named(row.get<std::string_view>(0));
        if (!kind) return;
        bans.push_back(Ban{.kind = *kind,
                           .value = row.get<std::string>(1),
                           .until = row.get<std::optional<Seconds>>(2),
                           .reason = row.get<std::string>(3),
                           .created_at = row.get<Seconds>(4)});
    };
    TRY(sql_.for_each("SELECT kind, value, until, reason, created_at FROM bans ORDER BY kind, value", take));
    return bans;
}

Result<std::vector<Ban>> AccountStore::bans() { return TRY(read_bans()); }

Result<void> AccountStore::add_ban(const Ban& ban) {
    const auto value = TRY(plain_ban_value(ban.kind, ban.value));
    TRY(check_text("reason", ban.reason));
    auto transaction = TRY(begin());
    TRY(sql_.run("REPLACE INTO bans(kind, value, until, reason, created_at) VALUES (?, ?, ?, ?, ?)", name_of(ban.kind),
                 value, ban.until, ban.reason, ban.created_at));
    if (TRY(sql_.count("SELECT count(*) FROM bans")) > limits_.bans) return limit_reached("bans", limits_.bans);
    return commit(transaction);
}

Result<void> AccountStore::remove_ban(BanKind kind, std::string_view value) {
    const auto plain = TRY(plain_ban_value(kind, value));
    auto transaction = TRY(begin());
    if (TRY(sql_.run("DELETE FROM bans WHERE kind = ? AND value = ?", name_of(kind), plain)) == 0) {
        return std::unexpected(
            Error(Fault::NoSuchBan, "there is no ban of the " + std::string(name_of(kind)) + " " + plain));
    }
    return commit(transaction);
}

Result<std::size_t> AccountStore::expire_bans(Seconds now) {
    auto transaction = TRY(begin());
    const auto count = TRY(sql_.run("DELETE FROM bans WHERE until <= ?", now));
    if (count > 0) TRY(commit(transaction));
    return static_cast<std::size_t>(count);
}

}  // namespace chappe::accounts
