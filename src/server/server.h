#pragma once

// The broker as a running program: settings in, threads and sockets up, signals obeyed, everything down again in order.

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/commons.h"
#include "net/event_loop.h"
#include "net/listener.h"
#include "net/signal_watch.h"
#include "server/access_control.h"
#include "server/control.h"
#include "server/event_recorder.h"
#include "server/file_watch.h"
#include "server/logger.h"
#include "server/settings/settings.h"
#include "server/shard_thread.h"
#include "server/sys_topics.h"

namespace chappe::server {

class Server {
public:
    // Reads the settings again at SIGHUP; an error text says why they cannot be used.
    using Reload = std::function<std::expected<Settings, std::string>()>;

    // Binds the listeners and starts the threads. Fails with a text for people. `logger` outlives the server.
    [[nodiscard]] static std::expected<std::unique_ptr<Server>, std::string> start(const Settings& settings,
                                                                                   Reload reload, Logger& logger);
    ~Server();

    // Serves until SIGTERM or SIGINT, then says goodbye to the clients, at most for shutdown_timeout_seconds (a second
    // signal ends the wait).
    void run();

    // Where clients connect, with the ports that were really taken.
    [[nodiscard]] const std::vector<net::ListenUrl>& listening_on() const noexcept { return listening_on_; }
    // Of the account `admin`, if this start has made it. Once.
    [[nodiscard]] std::optional<crypto::Secret> take_first_password() { return access_->take_first_password(); }

private:
    struct OpenListener {
        ShardThread* thread;
        net::ListenUrl url;  // As in the settings.
        std::shared_ptr<ListenerAccount> account;
        std::unique_ptr<net::Listener> listener;
        bool in_settings = true;  // False: a reload has removed it, and it stays as it was until the restart.
    };

    Server(const Settings& settings, Reload reload, Logger& logger);
    [[nodiscard]] std::expected<void, std::string> open();
    [[nodiscard]] std::expected<void, std::string> start_shards();
    void add_control();
    [[nodiscard]] std::expected<void, std::string> open_listeners();
    [[nodiscard]] std::expected<void, std::string> open_listener(const Listener& listener, ShardThread& thread);
    [[nodiscard]] std::expected<void, std::string> open_control_socket();
    [[nodiscard]] net::Result<net::ListenUrl> listen(const Listener& wanted, ShardThread& thread, bool is_control);
    bool accept(std::unique_ptr<net::Stream> stream, ShardThread& thread,
                const std::shared_ptr<ListenerAccount>& account, const std::string& listener);
    [[nodiscard]] bool admit(net::Stream& stream);
    [[nodiscard]] net::Result<void> admit(const net::Endpoint& client);
    void refuse(net::Stream& stream, mqtt::ReasonCode code, std::string_view why);
    [[nodiscard]] std::expected<void, std::string> become_user();
    [[nodiscard]] std::expected<void, std::string> open_access();
    void open_login_log();
    void access_changed(const std::shared_ptr<const Dismissals>& dismissals);
    void apply_listener_settings();
    void reload_tls();
    void watch_tls_files();
    void on_signal(int signal);
    void reload_settings();
    void begin_shutdown();
    void tell_service_manager(std::string_view state);
    void await_mail();
    void close_connections();
    void close_listeners();
    void update_sys_topics();
    void publish_sys(std::string_view topic, std::string_view payload);
    // Hands it to a shard; who calls this wakes that shard when the last of several is there.
    void publish(const broker::MessagePtr& message);

    Settings settings_;
    Reload reload_;
    Logger& logger_;
    RefusalLog refusals_;
    EventRecorder events_;
    std::unique_ptr<AccessControl> access_;
    std::unique_ptr<broker::Commons> commons_;
    std::vector<std::unique_ptr<ShardThread>> shards_;
    std::vector<OpenListener> listeners_;
    std::vector<net::ListenUrl> listening_on_;

    std::unique_ptr<net::EventLoop> loop_;  // Of the main thread: signals and what is to be done now and then.
    std::unique_ptr<net::SignalWatch> signals_;
    std::unique_ptr<net::Timer> sys_timer_;
    std::unique_ptr<net::Timer> files_timer_;
    std::unique_ptr<net::Timer> access_timer_;
    FileWatch tls_files_;
    std::unique_ptr<net::Timer> shutdown_timer_;
    std::unique_ptr<SysTopics> sys_topics_;
    std::unique_ptr<Control> control_;
    std::size_t shards_awaited_ = 0;  // At shutdown: that have not read their mail yet, or are not drained.
    bool quiet_ = false;              // None of the others has had mail since it was last asked.
    bool shutting_down_ = false;
};

}  // namespace chappe::server
