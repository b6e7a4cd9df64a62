#include "server/access_control.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "access/stored_password.h"
#include "accounts/audit_log.h"
#include "accounts/utc.h"
#include "base/assert.h"
#include "crypto/base64.h"
#include "crypto/random.h"
#include "net/endpoint.h"
#include "server/policy_file.h"
#include "server/rolling_log.h"

namespace chappe::server {
namespace {

constexpr std::size_t scram_secret_size = 32;
constexpr const char* no_store = "chappe.db cannot be used; the log says why";
constexpr std::uint64_t decision_log_size_max = std::uint64_t{64} * 1024 * 1024;  // Of some days.

std::uint64_t random_seed() {
    std::random_device device;
    return static_cast<std::uint64_t>(device()) << 32 | device();
}

// Nobody, who may do nothing.
std::shared_ptr<const access::Directory> empty_directory() {
    return access::Directory::make({}, {.is_set = true}).directory;
}

// Also where that cannot be found out, and where a link leads to a disk that is not there now.
bool may_exist(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::symlink_status(path, ignored).type() != std::filesystem::file_type::not_found;
}

std::string unreadable(std::string_view reason) {
    return fmt::format(
        "{}\nThe accounts, roles and bans are in this file, and without it clients could be let in that it keeps out. "
        "Let "
        "the user who runs the broker read and write it, put back a copy, or move it away to begin without accounts.",
        reason);
}

}  // namespace

AccessControl::AccessControl(const Settings& settings, Logger& logger)
    : settings_(settings.access),
      directory_(settings.data_directory),
      logger_(logger),
      current_(std::make_shared<access::Current>(empty_directory())),
      decisions_(random_seed()),
      permissions_(*current_, &decisions_),
      methods_(current_) {}

// The threads of the Chain have to end.
AccessControl::~AccessControl() { methods_.stop(); }

std::expected<std::unique_ptr<AccessControl>, std::string> AccessControl::open(const Settings& settings,
                                                                               access::Chain::Shards shards,
                                                                               Logger& logger) {
    auto control = std::unique_ptr<AccessControl>(new AccessControl(settings, logger));
    TRY(control->open_store());
    TRY(control->read_at_start());
    TRY(control->methods_.open(settings.access));
    access::Chain::Options options{.waiting_max = settings.limits.logins_waiting_max,
                                   .seed = random_seed(),
                                   .scram_secret = control->scram_secret()};
    control->chain_ = std::make_unique<access::Chain>(*control->current_, control->methods_.methods(),
                                                      std::move(options), std::move(shards));
    control->gate_ = std::make_unique<access::Gate>(*control->current_, *control->chain_, random_seed());
    control->configure_bounds(settings);
    control->record_decisions();
    control->methods_.tell(logger);
    return control;
}

std::expected<void, std::string> AccessControl::read_at_start() {
    watch_policy();
    auto file = read_policy_of(settings_);
    auto snapshot = store_ ? store_->snapshot() : accounts::Snapshot{};
    if (!snapshot) return std::unexpected(unreadable(snapshot.error().text));
    auto made = make_directory(*std::move(snapshot), file);
    if (!made.directory) return std::unexpected(lines_of(made.findings));
    report(made.findings);
    texts_ = std::move(file.texts);
    current_->replace(std::move(made.directory));
    return {};
}

// A file that is there may keep clients out: without it, they would be let in. Where there is none and none can be
// made, the broker serves those who need no account.
std::expected<void, std::string> AccessControl::open_store() {
    std::error_code ignored;  // Opening says what is wrong.
    std::filesystem::create_directories(directory_, ignored);
    const auto path = accounts_path(directory_);
    auto store = accounts::AccountStore::open(path);
    if (store) {
        store_ = *std::move(store);
        const auto administrator = make_administrator();
        if (administrator) return {};
        store = std::unexpected(administrator.error());
    }
    if (may_exist(path)) return std::unexpected(unreadable(store.error().text));
    logger_.write(LogLevel::Error, "no_accounts", "accounts cannot be used; nobody who has one can connect",
                  {{"reason", store.error().text}});
    return {};
}

// One that does not outlive a restart would tell a patient stranger which users there are; it is better than none.
crypto::Secret AccessControl::scram_secret() {
    auto fresh = crypto::encode_base64(crypto::random_bytes(scram_secret_size));
    auto kept = store_ ? store_->secret("scram", fresh) : accounts::Result<std::string>(fresh);
    return crypto::Secret::taken_from(kept ? *kept : fresh);
}

// Where nobody has an account yet.
accounts::Result<void> AccessControl::make_administrator() {
    if (!TRY(store_->users()).empty()) return {};
    auto password = crypto::random_password();
    auto stored = access::stored_password(password);
    ASSERT(stored);  // It has no letters that SCRAM does not take.
    accounts::NewUser admin{
        .name = "admin", .password = *std::move(stored), .comment = "made at the first start", .roles = {"admin"}};
    TRY(store_->add_user(admin, accounts::seconds_since_1970()));
    logger_.write(LogLevel::Info, "administrator_made",
                  "the account admin has been made; chappe user passwd admin "
                  "gives it another password");
    first_password_ = std::move(password);
    return {};
}

// Nothing: they cannot be read, and stay as they are.
std::optional<accounts::Snapshot> AccessControl::take_snapshot() {
    if (!store_) return accounts::Snapshot{};
    auto taken = store_->snapshot();
    const bool were_readable = std::exchange(accounts_are_readable_, taken.has_value());
    if (taken) return *std::move(taken);
    if (were_readable) {
        logger_.write(LogLevel::Error, "accounts_unread", "accounts cannot be read; the old ones stay",
                      {{"reason", taken.error().text}});
    }
    return std::nullopt;
}

void AccessControl::watch_policy() { policy_file_.watch_one(settings_.policy); }

// One with an error is reported, and what it said before counts.
void AccessControl::read_policy() {
    watch_policy();  // Before it is read: a change meanwhile is noticed the next time.
    auto file = read_policy_of(settings_);
    report(file.findings);
    if (file.findings.empty()) texts_ = std::move(file.texts);
}

// An account that is disabled is so at once, whatever is wrong with the rules.
void AccessControl::apply(accounts::Snapshot snapshot) {
    const auto before = current_->share();
    auto made = access::Directory::make(snapshot, texts_);
    report(made.findings);
    const auto after = made.directory ? std::move(made.directory) : before->with_accounts(std::move(snapshot));
    current_->replace(after);
    if (changed_) changed_(std::make_shared<const Dismissals>(*before, after));
    logger_.write(LogLevel::Info, "access_changed", "accounts, roles, bans or the policy have changed");
}

void AccessControl::report(const std::vector<policy::Finding>& findings) {
    for (const auto& finding : findings) {
        const bool is_error = finding.severity == policy::Finding::Severity::Error;
        logger_.write(is_error ? LogLevel::Error : LogLevel::Warning, "policy",
                      is_error ? "the policy is not used, the old one stays" : "the policy has a doubtful place",
                      {{"reason", to_string(finding)}});
    }
}

void AccessControl::poll() {
    if (methods_.poll()) chain_->replace(methods_.methods());
    methods_.tell(logger_);
    const bool policy_changed = policy_file_.changed();
    if (policy_changed) read_policy();
    const auto accounts_changed = store_ ? store_->changed() : accounts::Result<bool>(false);
    if (!policy_changed && accounts_changed && !*accounts_changed) return;
    auto snapshot = take_snapshot();
    if (!snapshot) return;
    if (policy_changed || !current_->share()->is_of(*snapshot)) apply(*std::move(snapshot));
}

std::expected<std::vector<accounts::Ban>, std::string> AccessControl::bans() {
    if (!store_) return std::unexpected(no_store);
    auto bans = store_->bans();
    if (!bans) return std::unexpected(bans.error().text);
    return *std::move(bans);
}

std::expected<void, std::string> AccessControl::add_ban(const accounts::Ban& ban) {
    const auto end = ban.until ? "until " + accounts::utc(*ban.until) : std::string("for ever");
    return change_bans("ban add", ban.kind, ban.value, end, [&] { return store_->add_ban(ban); });
}

std::expected<void, std::string> AccessControl::remove_ban(accounts::BanKind kind, const std::string& value) {
    return change_bans("ban remove", kind, value, {}, [&] { return store_->remove_ban(kind, value); });
}

// Whoever may use the control socket is the operator. Nothing is changed where audit.log cannot be written.
std::expected<void, std::string> AccessControl::change_bans(std::string_view what, accounts::BanKind kind,
                                                            const std::string& value, std::string detail,
                                                            const std::function<accounts::Result<void>()>& change) {
    if (!store_) return std::unexpected(no_store);
    const auto log = accounts::AuditLog::open(directory_ + "/audit.log");
    if (!log) return std::unexpected(log.error().text);
    if (const auto changed = change(); !changed) return std::unexpected(changed.error().text);
    poll();
    const auto appended = log->append({.time = accounts::seconds_since_1970(),
                                       .who = "operator",
                                       .uid = ::getuid(),
                                       .from = "control socket",
                                       .what = std::string(what),
                                       .target = std::string(accounts::name_of(kind)) + ' ' + value,
                                       .detail = std::move(detail)});
    if (!appended) return std::unexpected("it is done, but not recorded: " + appended.error().text);
    return {};
}

void AccessControl::configure_bounds(const Settings& settings) {
    chain_->slow_down_guessing(
        {.free_of_name = settings.access.wrong_passwords_max,
         .longest_wait = std::chrono::seconds{settings.access.wrong_passwords_wait_max_seconds}});
    gate_->configure(settings.limits.address_connects_per_minute_max, trusted_proxies(settings));
}

void AccessControl::record_decisions() {
    if (!settings_.decision_log) return decisions_.enable(nullptr);
    auto log = RollingLog::open(directory_ + "/decisions.log", decision_log_size_max);
    if (!log) {
        return logger_.write(LogLevel::Error, "no_decision_log", "decisions are not recorded",
                             {{"reason", log.error()}});
    }
    decisions_.enable([log = std::shared_ptr(*std::move(log))](std::string line) { log->write(std::move(line)); },
                      [this] {
                          logger_.write(LogLevel::Warning, "decision_log_full",
                                        "no more decisions are recorded today: there are too many kinds of them");
                      });
}

void AccessControl::configure(const Settings& settings) {
    configure_bounds(settings);
    if (settings.access != settings_) {
        const auto before = std::exchange(settings_, settings.access);
        if (before.decision_log != settings_.decision_log) record_decisions();
        methods_.configure(settings_);
        chain_->replace(methods_.methods());
        methods_.tell(logger_);
    }
    read_policy();
    if (auto snapshot = take_snapshot()) apply(*std::move(snapshot));
}

Dismissals::Dismissals(const access::Directory& before, std::shared_ptr<const access::Directory> after)
    : after_(std::move(after)), bans_changed_(!std::ranges::equal(before.bans(), after_->bans())) {
    for (const auto& user : before.users()) {
        const auto* still = after_->find(user.name);
        if (still == nullptr) {
            accounts_.emplace(user.name, Why::Removed);
        } else if ((user.enabled && !still->enabled) || user.password != still->password) {
            accounts_.emplace(user.name, Why::Changed);
        }
    }
}

std::optional<broker::Farewell> Dismissals::farewell(const broker::Identity& who, std::string_view address) const {
    using mqtt::ReasonCode;
    if (const auto account = accounts_.find(who.user_name); account != accounts_.end()) {
        const bool is_gone = account->second == Why::Removed;
        return broker::Farewell{.code = ReasonCode::NotAuthorized,
                                .reason = is_gone ? "the account has been removed" : "the account has been changed",
                                .ends_session = is_gone};
    }
    const auto now = std::chrono::system_clock::now();
    if (!bans_changed_ || !after_->banned(net::without_port(address), who.user_name, who.client_id, now)) {
        return std::nullopt;
    }
    return broker::Farewell{.code = ReasonCode::Banned, .reason = "banned"};
}

}  // namespace chappe::server
