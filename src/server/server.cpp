#include "server/server.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <limits>
#include <random>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "net/privileges.h"
#include "net/process.h"
#include "proxy/stream.h"
#include "server/settings/changes.h"
#include "web/entrance.h"

namespace chappe::server {
namespace {

constexpr auto files_looked_at_every = 2s;
constexpr auto access_looked_at_every = 200ms;  // Asking takes microseconds.

std::uint64_t random_seed() {
    std::random_device device;
    return static_cast<std::uint64_t>(device()) << 32 | device();
}

broker::ShardConfig shard_config(const Settings& settings) {
    return {.limits = settings.limits,
            .policy = settings.policy,
            .response_topic_prefix = settings.response_topic_prefix,
            .drops_kept = settings.drops_kept};
}

}  // namespace

std::expected<std::unique_ptr<Server>, std::string> Server::start(const Settings& settings, Reload reload,
                                                                  Logger& logger) {
    auto server = std::unique_ptr<Server>(new Server(settings, std::move(reload), logger));
    TRY(server->open());
    return server;
}

Server::Server(const Settings& settings, Reload reload, Logger& logger)
    : settings_(settings),
      reload_(std::move(reload)),
      logger_(logger),
      refusals_(settings.refusals_kept),
      events_(logger, refusals_) {}

// Listeners and timers go before the loops that they stand on, the shards' threads before what they share.
Server::~Server() {
    for (const auto& shard : shards_) shard->stop();
    listeners_.clear();
    shards_.clear();
}

std::expected<void, std::string> Server::open() {
    net::ignore_broken_pipes();
    if (const auto limit = net::raise_open_file_limit(); !limit) {
        logger_.write(LogLevel::Warning, "open_file_limit", limit.error().what);
    }
    auto loop = net::EventLoop::create();
    if (!loop) return std::unexpected(loop.error().what);
    loop_ = std::move(*loop);
    auto signals =
        net::SignalWatch::create(*loop_, {SIGTERM, SIGINT, SIGHUP}, [this](int signal) { on_signal(signal); });
    if (!signals) return std::unexpected(signals.error().what);
    signals_ = std::move(*signals);
    if (!settings_.user.empty()) TRY(become_user());
    TRY(open_access());
    TRY(start_shards());
    access_->on_change([this](const auto& dismissals) { access_changed(dismissals); });
    add_control();
    watch_tls_files();
    TRY(open_listeners());
    if (!settings_.user.empty()) net::give_up_capabilities();  // No thread that lasts has been started since.
    open_login_log();
    for (const auto& shard : shards_) shard->start();
    for (const auto& url : listening_on_) {
        logger_.write(LogLevel::Info, "listening", "listening on " + url.text(), {{"url", url.text()}});
    }
    const auto now = std::chrono::steady_clock::now();
    sys_topics_ = std::make_unique<SysTopics>(
        *commons_, [this](std::string_view topic, std::string_view payload) { publish_sys(topic, payload); }, now);
    sys_timer_ = std::make_unique<net::Timer>(*loop_, [this] { update_sys_topics(); });
    files_timer_ = std::make_unique<net::Timer>(*loop_, [this] {
        if (tls_files_.changed()) reload_tls();
        files_timer_->set(loop_->now() + files_looked_at_every);
    });
    files_timer_->set(loop_->now() + files_looked_at_every);
    access_timer_ = std::make_unique<net::Timer>(*loop_, [this] {
        access_->poll();
        access_timer_->set(loop_->now() + access_looked_at_every);
    });
    access_timer_->set(loop_->now() + access_looked_at_every);
    shutdown_timer_ = std::make_unique<net::Timer>(*loop_, [this] {
        logger_.write(LogLevel::Warning, "shutdown_timeout", "some clients did not take their last bytes in time");
        loop_->stop();
    });
    update_sys_topics();
    return {};
}

// Before there are files or threads, so that all are that user's.
std::expected<void, std::string> Server::become_user() {
    const auto became = net::become_user(settings_.user);
    if (!became) return std::unexpected("server.user: " + became.error().what);
    std::error_code ignored;  // Whether it can be written to is what matters.
    std::filesystem::create_directories(settings_.data_directory, ignored);
    if (::access(settings_.data_directory.c_str(), W_OK | X_OK) != 0) {
        return std::unexpected(
            fmt::format("server.user: {0} cannot write to the data directory {1}; as root: "
                        "install -d -m 700 -o {0} {1}, and chown what is in it already",
                        settings_.user, settings_.data_directory));
    }
    logger_.write(LogLevel::Info, "user", "running as " + settings_.user, {{"user", settings_.user}});
    return {};
}

std::expected<void, std::string> Server::open_access() {
    access::Chain::Shards shards{
        .loop = [this](broker::ShardId id) -> net::EventLoop& { return shards_[id.value]->loop(); },
        .answer =
            [this](broker::Ticket ticket, const broker::Verdict& verdict) {
                auto& thread = *shards_[ticket.shard.value];
                thread.shard().authenticated(ticket, verdict, thread.loop().now());
            }};
    auto access = AccessControl::open(settings_, std::move(shards), logger_);
    if (!access) return std::unexpected(access.error());
    access_ = *std::move(access);
    return {};
}

// Who cannot be let in without a trace is let in with one in the log.
void Server::open_login_log() {
    if (settings_.access.login_log == LoginsLogged::Off) return;
    auto logins = RollingLog::open(settings_.data_directory + "/logins.log", settings_.access.login_log_size_max);
    if (logins) return events_.write_logins(*std::move(logins), settings_.access.login_log);
    logger_.write(LogLevel::Error, "no_login_log", "logins are written to this log only", {{"reason", logins.error()}});
}

// On every shard, since a user may have clients on all of them.
void Server::access_changed(const std::shared_ptr<const Dismissals>& dismissals) {
    for (const auto& shard : shards_) {
        shard->with_shard([dismissals](broker::Shard& target, Instant now) {
            const auto judge = [&](const broker::Identity& who, std::string_view address) {
                return dismissals->farewell(who, address);
            };
            if (!dismissals->empty()) target.dismiss(judge, now);
            target.permissions_changed();
        });
    }
}

std::expected<void, std::string> Server::start_shards() {
    const auto count = static_cast<std::uint16_t>(shard_count(settings_));
    commons_ = std::make_unique<broker::Commons>(count, settings_.limits, random_seed(), access_->authenticator(),
                                                 access_->permissions(), events_);
    for (std::uint16_t id = 0; id != count; ++id) {
        auto shard =
            ShardThread::create(broker::ShardId{id}, *commons_, shard_config(settings_), random_seed(), shards_);
        if (!shard) return std::unexpected(shard.error().what);
        shards_.push_back(std::move(*shard));
    }
    return {};
}

void Server::add_control() {
    control_ =
        std::make_unique<Control>(*loop_, shards_, refusals_, *access_, [this](const broker::MessagePtr& message) {
            publish(message);
            shards_.front()->wake();
        });
    const broker::SubscriberId subscriber{.shard = broker::Commons::every_shard,
                                          .kind = broker::SubscriberKind::Local,
                                          .id = commons_->local_subscribers.size()};
    commons_->local_subscribers.push_back(control_.get());
    commons_->tree.add(std::string(control_prefix) + "+", {.subscriber = subscriber, .qos = mqtt::QoS::ExactlyOnce});
}

std::expected<void, std::string> Server::open_listeners() {
    std::size_t next = 0;
    for (const auto& listener : settings_.listeners) {
        TRY(open_listener(listener, *shards_[next++ % shards_.size()]));
    }
    if (listening_on_.empty()) return std::unexpected("no listener could be opened");
    TRY(open_control_socket());
    apply_listener_settings();
    return {};
}

std::expected<void, std::string> Server::open_listener(const Listener& wanted, ShardThread& thread) {
    auto url = listen(wanted, thread, false);
    if (!url) {
        if (wanted.may_be_absent && url.error().code != EADDRINUSE) return {};
        return std::unexpected(url.error().what);
    }
    listening_on_.push_back(std::move(*url));
    return {};
}

// A broker serves also where it cannot have a control socket. But one that is in use belongs to another broker, and two
// must not share a data directory.
std::expected<void, std::string> Server::open_control_socket() {
    const auto path = control_socket(settings_);
    if (path.empty()) return {};
    if (std::filesystem::path(path).parent_path() == settings_.data_directory) {
        std::error_code ignored;  // Listening says what is wrong.
        std::filesystem::create_directories(settings_.data_directory, ignored);
    }
    Listener wanted{.mode = 0600};
    wanted.url.scheme = net::Scheme::Unix;
    wanted.url.path = path;
    const auto url = listen(wanted, *shards_.front(), true);
    if (url) return {};
    if (url.error().code == EADDRINUSE) {
        return std::unexpected(url.error().what + "; is another Chappe running with this data directory?");
    }
    logger_.write(LogLevel::Warning, "no_control_socket", "chappe drops, redirect and disconnect will not work",
                  {{"reason", url.error().what}});
    return {};
}

net::Result<net::ListenUrl> Server::listen(const Listener& wanted, ShardThread& thread, bool is_control) {
    auto account = std::make_shared<ListenerAccount>();
    account->is_control = is_control;
    if (speaks_tls(wanted.url.scheme)) {
        auto context = tls::ServerContext::load(tls_options(settings_, wanted));
        if (!context) return std::unexpected(net::IoError{EINVAL, wanted.url.text() + ": " + context.error()});
        account->tls = *std::move(context);
    }
    if (speaks_http(wanted.url.scheme)) account->web = web_rules(settings_);
    const auto name = wanted.url.text();
    const auto self = std::make_shared<net::Listener*>();  // Set before its loop runs.
    auto accept = [this, &thread, account, name, self](std::unique_ptr<net::Stream> stream) {
        if (this->accept(std::move(stream), thread, account, name)) thread.handshakes().begin(**self);
    };
    auto failed = [this, name](const net::IoError& error) {
        logger_.write(LogLevel::Error, "accept_failed", "cannot accept connections for now",
                      {{"url", name}, {"reason", error.what}});
    };
    auto listener = TRY(net::Listener::create(thread.loop(), wanted.url, std::move(accept), std::move(failed),
                                              {.unix_mode = static_cast<mode_t>(wanted.mode)}));
    *self = listener.get();
    auto url = listener->local_url();
    listeners_.push_back({&thread, wanted.url, std::move(account), std::move(listener)});
    return url;
}

// On the listener's thread. Returns whether a TLS handshake is going to follow.
bool Server::accept(std::unique_ptr<net::Stream> stream, ShardThread& thread,
                    const std::shared_ptr<ListenerAccount>& account, const std::string& listener) {
    const auto proxies = account->proxies.load();
    if (!proxies && !admit(*stream)) return false;
    const auto most = account->connections_max.load(std::memory_order_relaxed);
    if (most != 0 && account->connections.load(std::memory_order_relaxed) >= most) {
        account->refused.fetch_add(1, std::memory_order_relaxed);
        refuse(*stream, mqtt::ReasonCode::ServerBusy, "connections_max of the listener " + listener + " is reached");
        return false;
    }
    if (proxies && !net::any_contains(*proxies, stream->peer().endpoint)) {
        refuse(*stream, mqtt::ReasonCode::NotAuthorized,
               "the listener " + listener + " has proxy_protocol, and this address is not in server.trusted_proxies");
        return false;
    }
    broker::Peer peer{.address = stream->peer().text(),
                      .anonymous_allowed = account->anonymous_allowed.load(std::memory_order_relaxed),
                      .is_operator = account->is_control};
    if (proxies) {
        stream = std::make_unique<proxy::Stream>(std::move(stream),
                                                 [this](const net::Endpoint& client) { return admit(client); });
    }
    const auto tls = account->tls.load();
    if (tls) stream = tls->accept(std::move(stream));
    if (auto rules = account->web.load()) stream = std::make_unique<web::Entrance>(std::move(stream), std::move(rules));
    thread.accept(std::move(stream), std::move(peer), account);
    return tls != nullptr;
}

// Whether a connection may go on. One that may not is closed, before anything else is spent on it.
bool Server::admit(net::Stream& stream) {
    const auto closed = access_->gate().enter(stream.peer().endpoint, std::chrono::steady_clock::now(),
                                              std::chrono::system_clock::now());
    if (!closed) return true;
    if (closed->is_worth_a_line) {
        refuse(stream, closed->code, closed->why);
    } else {
        stream.close();
    }
    return false;
}

// The same for a client of a proxy, of whom the header has just told. An error of the protocol gets a line in the log.
net::Result<void> Server::admit(const net::Endpoint& client) {
    auto closed = access_->gate().enter(client, std::chrono::steady_clock::now(), std::chrono::system_clock::now());
    if (!closed) return {};
    return std::unexpected(net::IoError{closed->is_worth_a_line ? EPROTO : ECONNREFUSED, std::move(closed->why)});
}

void Server::refuse(net::Stream& stream, mqtt::ReasonCode code, std::string_view why) {
    events_.record(
        {.kind = broker::EventKind::ConnectRefused, .address = stream.peer().text(), .code = code, .reason = why});
    stream.close();
}

// What a reload may change of listeners that are open.
void Server::apply_listener_settings() {
    for (const auto& shard : shards_) shard->handshakes().configure(settings_.limits.tls_handshakes_per_second_max);
    const auto rules = web_rules(settings_);
    const auto proxies = std::make_shared<const std::vector<net::Network>>(trusted_proxies(settings_));
    for (const auto& open : listeners_) {
        if (open.account->is_control) open.account->anonymous_allowed = true;
        if (speaks_http(open.url.scheme)) open.account->web = rules;
        for (const auto& listener : settings_.listeners) {
            if (listener.url != open.url) continue;
            open.account->anonymous_allowed = anonymous_allowed(settings_, listener);
            open.account->connections_max = listener.connections_max;
            open.account->proxies = listener.proxy_protocol ? proxies : nullptr;
        }
    }
}

// Connections that are open keep what they began with.
void Server::reload_tls() {
    watch_tls_files();  // Before they are read: a change meanwhile is noticed the next time.
    for (const auto& open : listeners_) {
        const auto listener = std::ranges::find(settings_.listeners, open.url, &Listener::url);
        if (!speaks_tls(open.url.scheme) || !open.in_settings || listener == settings_.listeners.end()) continue;
        auto context = tls::ServerContext::load(tls_options(settings_, *listener));
        if (context) {
            open.account->tls = *std::move(context);
            logger_.write(LogLevel::Info, "tls_reloaded", "certificates and keys read again",
                          {{"url", open.url.text()}});
        } else {
            logger_.write(LogLevel::Error, "tls_reload_failed",
                          "the certificates and keys are not used, the old ones stay",
                          {{"url", open.url.text()}, {"reason", context.error()}});
        }
    }
}

void Server::watch_tls_files() {
    std::vector<std::string> paths;
    for (const auto& listener : settings_.listeners) {
        if (!speaks_tls(listener.url.scheme)) continue;
        const auto options = tls_options(settings_, listener);
        for (const auto& [certificate, key] : options.certificates) paths.insert(paths.end(), {certificate, key});
        if (!options.client_ca.empty()) paths.push_back(options.client_ca);
        if (!options.client_crl.empty()) paths.push_back(options.client_crl);
        if (!options.psk_file.empty()) paths.push_back(options.psk_file);
    }
    tls_files_.watch(paths);
}

void Server::run() {
    tell_service_manager("READY=1");
    loop_->run();
    sys_timer_->cancel();
    files_timer_->cancel();
    access_timer_->cancel();
    shutdown_timer_->cancel();
    for (const auto& shard : shards_) shard->stop();
    logger_.write(LogLevel::Info, "stopped", "stopped");
}

void Server::on_signal(int signal) {
    if (signal == SIGHUP) return reload_settings();
    if (shutting_down_) {
        logger_.write(LogLevel::Warning, "shutdown_cut_short", "a second signal: clients are not waited for");
        return loop_->stop();
    }
    begin_shutdown();
}

void Server::reload_settings() {
    auto loaded = reload_();
    if (!loaded) {
        logger_.write(LogLevel::Error, "reload_failed", "the configuration is not used, the old one stays",
                      {{"reason", loaded.error()}});
        return;
    }
    std::string now;
    std::string after_restart;
    for (const auto& change : changes(settings_, *loaded)) {
        auto& names = change.reload == server::Reload::Now ? now : after_restart;
        names += (names.empty() ? "" : " ") + change.name;
    }
    settings_ = after_reload(settings_, *loaded);
    for (auto& open : listeners_) {
        open.in_settings = std::ranges::find(loaded->listeners, open.url, &Listener::url) != loaded->listeners.end();
    }
    refusals_.keep(settings_.refusals_kept);
    if (const auto log = logger_.configure(settings_.log); !log) {
        logger_.write(LogLevel::Error, "log_failed", "the log stays as it is", {{"reason", log.error()}});
    }
    for (const auto& shard : shards_) {
        shard->with_shard(
            [config = shard_config(settings_)](broker::Shard& target, Instant) { target.configure(config); });
    }
    access_->configure(settings_);
    apply_listener_settings();
    reload_tls();
    update_sys_topics();
    logger_.write(LogLevel::Info, "reloaded", "configuration reloaded",
                  {{"changed", now}, {"waits_for_restart", after_restart}});
}

void Server::begin_shutdown() {
    shutting_down_ = true;
    logger_.write(LogLevel::Info, "stopping", "stopping");
    tell_service_manager("STOPPING=1");
    sys_timer_->cancel();
    close_listeners();
    for (const auto& shard : shards_) {
        shard->with_shard([](broker::Shard& target, Instant now) { target.begin_shutdown(now); });
    }
    await_mail();
    shutdown_timer_->set(loop_->now() + std::chrono::seconds{settings_.shutdown_timeout_seconds});
}

void Server::tell_service_manager(std::string_view state) {
    if (const auto told = net::notify_service_manager(state); !told) {
        logger_.write(LogLevel::Warning, "service_manager", told.error().what);
    }
}

// Wills on their way to subscribers of another shard, over the home of a shared subscription even to a third one, must
// be there before connections are closed. Mail comes only from mail now, since no shard reads its clients any more:
// once all have been asked and none has had any since it was asked before, there will be none.
void Server::await_mail() {
    shards_awaited_ = shards_.size();
    quiet_ = true;
    for (const auto& shard : shards_) {
        shard->when_mail_is_read([this](bool quiet) {
            loop_->post([this, quiet] {
                quiet_ &= quiet;
                if (--shards_awaited_ != 0) return;
                quiet_ ? close_connections() : await_mail();
            });
        });
    }
}

void Server::close_connections() {
    shards_awaited_ = shards_.size();
    for (const auto& shard : shards_) {
        shard->going_away();
        shard->with_shard([](broker::Shard& target, Instant now) { target.shut_down(now); });
        shard->when_drained([this] {
            loop_->post([this] {
                if (--shards_awaited_ == 0) loop_->stop();
            });
        });
    }
}

// On the loops that they stand on; their threads run.
void Server::close_listeners() {
    for (auto& open : listeners_) {
        open.thread->loop().post(
            [&thread = *open.thread, listener = std::move(open.listener)] { thread.handshakes().forget(*listener); });
    }
    listeners_.clear();
}

void Server::update_sys_topics() {
    if (settings_.sys_interval_seconds == 0) return;
    Totals totals;
    for (const auto& shard : shards_) totals.add(shard->counters());
    for (const auto& open : listeners_) totals.refused_by_listeners += open.account->refused;
    for (const auto& shard : shards_) {
        totals.add(broker::Bound::TlsHandshakesPerSecondMax, shard->handshakes().waits());
    }
    totals.add(broker::Bound::AddressConnectsPerMinuteMax, access_->gate().too_many());
    totals.banned = access_->gate().banned();
    totals.log_lines_lost = logger_.lines_lost();
    const auto now = std::chrono::steady_clock::now();
    sys_topics_->update(totals, now);
    shards_.front()->wake();
    sys_timer_->set(now + std::chrono::seconds{settings_.sys_interval_seconds});
}

void Server::publish_sys(std::string_view topic, std::string_view payload) {
    publish(broker::Message::create({.topic = topic, .payload = as_bytes(payload), .retain = true}));
}

void Server::publish(const broker::MessagePtr& message) {
    std::vector<broker::Mail> batch;
    batch.push_back(broker::mail::Injected{message});
    static_cast<void>(commons_->mailboxes[0].put(batch, message->size_bytes()));
}

}  // namespace chappe::server
