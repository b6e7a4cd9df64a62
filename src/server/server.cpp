#include "server/server.h"

#include <algorithm>
#include <csignal>
#include <limits>
#include <random>
#include <thread>
#include <utility>

#include "net/process.h"
#include "server/settings/changes.h"

namespace chappe::server {
namespace {

std::uint64_t random_seed() {
    std::random_device device;
    return static_cast<std::uint64_t>(device()) << 32 | device();
}

std::uint16_t shard_count(const Settings& settings) {
    const auto wanted = settings.shards != 0 ? settings.shards : std::max(1U, std::thread::hardware_concurrency());
    return static_cast<std::uint16_t>(std::min<std::uint32_t>(wanted, 1024));
}

broker::ShardConfig shard_config(const Settings& settings) {
    return {.limits = settings.limits, .policy = settings.policy, .drops_kept = settings.drops_kept};
}

}  // namespace

std::expected<std::unique_ptr<Server>, std::string> Server::start(const Settings& settings, Reload reload,
                                                                  Logger& logger) {
    auto server = std::unique_ptr<Server>(new Server(settings, std::move(reload), logger));
    TRY(server->open());
    return server;
}

Server::Server(const Settings& settings, Reload reload, Logger& logger)
    : settings_(settings), reload_(std::move(reload)), logger_(logger), events_(logger) {}

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
    TRY(start_shards());
    TRY(open_listeners());
    for (const auto& shard : shards_) shard->start();
    for (const auto& url : listening_on_) {
        logger_.write(LogLevel::Info, "listening", "listening on " + url.text(), {{"url", url.text()}});
    }
    const auto now = std::chrono::steady_clock::now();
    sys_topics_ = std::make_unique<SysTopics>(
        *commons_, [this](std::string_view topic, std::string_view payload) { publish(topic, payload); }, now);
    sys_timer_ = std::make_unique<net::Timer>(*loop_, [this] { update_sys_topics(); });
    shutdown_timer_ = std::make_unique<net::Timer>(*loop_, [this] {
        logger_.write(LogLevel::Warning, "shutdown_timeout", "some clients did not take their last bytes in time");
        loop_->stop();
    });
    update_sys_topics();
    return {};
}

std::expected<void, std::string> Server::start_shards() {
    const auto count = shard_count(settings_);
    commons_ = std::make_unique<broker::Commons>(count, settings_.limits, random_seed(), authenticator_, permissions_,
                                                 events_);
    for (std::uint16_t id = 0; id != count; ++id) {
        auto shard =
            ShardThread::create(broker::ShardId{id}, *commons_, shard_config(settings_), random_seed(), shards_);
        if (!shard) return std::unexpected(shard.error().what);
        shards_.push_back(std::move(*shard));
    }
    return {};
}

std::expected<void, std::string> Server::open_listeners() {
    std::size_t next = 0;
    for (const auto& listener : settings_.listeners) {
        TRY(open_listener(listener, *shards_[next++ % shards_.size()]));
    }
    if (listening_on_.empty()) return std::unexpected("no listener could be opened");
    return {};
}

std::expected<void, std::string> Server::open_listener(const Listener& wanted, ShardThread& thread) {
    auto account = std::make_shared<ListenerAccount>();
    const bool anonymous = anonymous_allowed(settings_, wanted);
    const auto connections_max =
        wanted.connections_max == 0 ? std::numeric_limits<std::uint32_t>::max() : wanted.connections_max;
    auto accept = [&thread, account, anonymous, connections_max](std::unique_ptr<net::Stream> stream) {
        if (account->connections.load(std::memory_order_relaxed) >= connections_max) return stream->close();
        auto address = stream->peer().text();
        thread.accept(std::move(stream), {.address = std::move(address), .anonymous_allowed = anonymous}, account);
    };
    const auto name = wanted.url.text();
    auto failed = [this, name](const net::IoError& error) {
        logger_.write(LogLevel::Error, "accept_failed", "cannot accept connections for now",
                      {{"url", name}, {"reason", error.what}});
    };
    auto listener = net::Listener::create(thread.loop(), wanted.url, std::move(accept), std::move(failed),
                                          {.unix_mode = static_cast<mode_t>(wanted.mode)});
    if (!listener) {
        if (wanted.may_be_absent && listener.error().code != EADDRINUSE) return {};
        return std::unexpected(listener.error().what);
    }
    listening_on_.push_back((*listener)->local_url());
    listeners_.push_back({.thread = &thread, .listener = std::move(*listener)});
    return {};
}

void Server::run() {
    loop_->run();
    sys_timer_->cancel();
    shutdown_timer_->cancel();
    for (const auto& shard : shards_) shard->stop();
    logger_.write(LogLevel::Info, "stopped", "stopped");
}

void Server::on_signal(int signal) {
    if (signal == SIGHUP) return reload_settings();
    if (shutting_down_) return loop_->stop();
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
    if (const auto log = logger_.configure(settings_.log); !log) {
        logger_.write(LogLevel::Error, "log_failed", "the log stays as it is", {{"reason", log.error()}});
    }
    for (const auto& shard : shards_) {
        shard->with_shard(
            [config = shard_config(settings_)](broker::Shard& target, Instant) { target.configure(config); });
    }
    update_sys_topics();
    logger_.write(LogLevel::Info, "reloaded", "configuration reloaded",
                  {{"changed", now}, {"waits_for_restart", after_restart}});
}

void Server::begin_shutdown() {
    shutting_down_ = true;
    logger_.write(LogLevel::Info, "stopping", "stopping");
    close_listeners();
    shards_draining_ = shards_.size();
    for (const auto& shard : shards_) {
        shard->with_shard([](broker::Shard& target, Instant now) { target.shut_down(now); });
        shard->when_drained([this] {
            loop_->post([this] {
                if (--shards_draining_ == 0) loop_->stop();
            });
        });
    }
    shutdown_timer_->set(loop_->now() + std::chrono::seconds{settings_.shutdown_timeout_seconds});
}

// On the loops that they stand on; their threads run.
void Server::close_listeners() {
    for (auto& open : listeners_) {
        open.thread->loop().post([listener = std::move(open.listener)] {});
    }
    listeners_.clear();
}

void Server::update_sys_topics() {
    if (settings_.sys_interval_seconds == 0) return;
    Totals totals;
    for (const auto& shard : shards_) totals.add(shard->counters());
    const auto now = std::chrono::steady_clock::now();
    sys_topics_->update(totals, now);
    shards_.front()->wake();
    sys_timer_->set(now + std::chrono::seconds{settings_.sys_interval_seconds});
}

void Server::publish(std::string_view topic, std::string_view payload) {
    std::vector<broker::Mail> batch;
    auto message = broker::Message::create({.topic = topic, .payload = as_bytes(payload), .retain = true});
    const auto size = message->size_bytes();
    batch.push_back(broker::mail::Injected{std::move(message)});
    static_cast<void>(commons_->mailboxes[0].put(batch, size));  // All are announced with one wake() at the end.
}

}  // namespace chappe::server
