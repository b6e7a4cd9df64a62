#include "server/settings/keys/parts.h"

namespace chappe::server {
namespace {

constexpr Access<Settings> listen_urls = {
    .get = [](const Settings& settings) -> Value {
        std::vector<std::string> urls;
        for (const auto& listener : settings.listeners) {
            if (has_only_url(listener)) urls.push_back(listener.url.text());
        }
        return urls;
    },
    .set =
        [](Settings& settings, const Value& value) {
            std::erase_if(settings.listeners, has_only_url);
            for (const auto& text : std::get<std::vector<std::string>>(value)) {
                settings.listeners.push_back({.url = parsed(text)});
            }
        },
};

constexpr Key rows[] = {
    {.section = "server",
     .name = "listen",
     .type = Type::Urls,
     .reload = Reload::Restart,
     .option = "--listen",
     .text = "The addresses that clients connect to, as an array of URLs. They are `mqtt://HOST:PORT`, where HOST "
             "is an IPv4 address, an IPv6 address in brackets or a name, `mqtts://HOST:PORT` for TLS, "
             "`http://HOST:PORT` and "
             "`https://HOST:PORT` for WebSocket at `/mqtt` (and MQTT itself, on the same port), and `unix:PATH` for "
             "a Unix socket; PORT is 1883, 8883, 80 or 443 where it is left out, and 0 takes any free one. `0.0.0.0` "
             "stands "
             "for all IPv4 addresses of the "
             "machine and `[::]` for all addresses. The defaults can be reached from this machine only, and `[::1]` "
             "is left out where there is no IPv6.",
     .example = R"(["mqtt://0.0.0.0:1883", "unix:/run/chappe/mqtt.sock"])",
     .access = listen_urls},
    {.section = "server",
     .name = "data_directory",
     .type = Type::Path,
     .range = {1, path_length_max},
     .reload = Reload::Restart,
     .option = "--data",
     .text = "The directory for everything that must outlive the program. It is made when something is first kept "
             "there. A relative path starts where the broker was started.",
     .default_text = "`/var/lib/chappe` for root, otherwise `$XDG_DATA_HOME/chappe` or `~/.local/share/chappe`",
     .example = R"("/srv/chappe")",
     .access = at<Settings, &Settings::data_directory>()},
    {.section = "server",
     .name = "control_socket",
     .type = Type::Path,
     .range = {0, path_length_max},
     .reload = Reload::Restart,
     .text = "The Unix socket by which `chappe drops`, `refusals`, `redirect` and `disconnect` ask the broker. Whoever "
             "may open it is the operator, so only the user who runs the broker may. `off`: there is none.",
     .default_text = "`control.sock` in the data directory",
     .example = R"("/run/chappe/control.sock")",
     .access = at<Settings, &Settings::control_socket>()},
    {.section = "server",
     .name = "user",
     .type = Type::Text,
     .range = {0, 256},
     .reload = Reload::Restart,
     .text = "The user of the operating system that the broker becomes, if root starts it: with nothing left of root's "
             "power than to listen on ports below 1024, and without that once it listens. The data directory and all "
             "files of the configuration must be that user's to read, and the data directory to write. A service of "
             "systemd says the user itself and leaves this empty.",
     .example = R"("chappe")",
     .access = at<Settings, &Settings::user>()},
    {.section = "server",
     .name = "allow_anonymous",
     .type = Type::Boolean,
     .reload = Reload::Now,
     .option = "--allow-anonymous",
     .text = "Whether clients that do not say who they are may connect from other machines. Each listener can say so "
             "of its own; loopback addresses and Unix sockets take such clients without it, unless a proxy may bring "
             "them from elsewhere (`listener.proxy_protocol`; `server.trusted_proxies` at `http://` and `https://`). "
             "What they may do there the role `anonymous` says, and without one they may publish and subscribe as "
             "they like.",
     .example = "true",
     .access = at<Settings, &Settings::allow_anonymous>()},
    {.section = "server",
     .name = "shards",
     .type = Type::Integer,
     .unit = "threads",
     .range = {0, shards_max},
     .reload = Reload::Restart,
     .text = "How many threads share the connections and sessions. 0 makes one for each processor core.",
     .example = "2",
     .access = at<Settings, &Settings::shards>()},
    {.section = "server",
     .name = "sys_interval_seconds",
     .type = Type::Duration,
     .range = {0, 86'400},
     .word = off,
     .reload = Reload::Now,
     .text = "How often the statistics below `$SYS/broker/` are published. `\"off\"` publishes none.",
     .example = R"("1m")",
     .access = at<Settings, &Settings::sys_interval_seconds>()},
    {.section = "server",
     .name = "shutdown_timeout_seconds",
     .type = Type::Duration,
     .range = {0, 3600},
     .reload = Reload::Now,
     .text = "How long the broker waits, when it is told to stop, for clients to take what has been sent to them. "
             "It exits after this time at the latest.",
     .example = R"("30s")",
     .access = at<Settings, &Settings::shutdown_timeout_seconds>()},
    {.section = "server",
     .name = "drops_kept",
     .type = Type::Integer,
     .unit = "messages",
     .range = {0, 1'000'000},
     .reload = Reload::Now,
     .text = "How many of the messages that were dropped last can be listed, with client, topic, reason and time. "
             "Each shard keeps as many, since they may all be its own. All that are dropped are counted, however many "
             "are kept here.",
     .example = "10000",
     .access = at<Settings, &Settings::drops_kept>()},
    {.section = "server",
     .name = "refusals_kept",
     .type = Type::Integer,
     .unit = "refusals",
     .range = {0, 1'000'000},
     .reload = Reload::Now,
     .text = "How many of the last refusals `chappe refusals` can list: of connections, messages and subscriptions.",
     .example = "10000",
     .access = at<Settings, &Settings::refusals_kept>()},
    {.section = "server",
     .name = "response_topic_prefix",
     .type = Type::Text,
     .range = {0, 1024},
     .reload = Reload::Now,
     .text = "What the topics for responses begin with. A client of MQTT 5 that asks for Response Information is "
             "told `PREFIX/CLIENT-ID/`, and can have the answers to its requests sent there. Without a prefix it is "
             "told nothing.",
     .example = R"("answers")",
     .access = at<Settings, &Settings::response_topic_prefix>()},
    {.section = "server",
     .name = "trusted_proxies",
     .type = Type::Texts,
     .range = {1, 64},
     .reload = Reload::Now,
     .text = "The addresses of proxies, or networks of them, that say for whom they connect: by `X-Forwarded-For` at "
             "`http://` and `https://`, or by the PROXY protocol where `listener.proxy_protocol` is set. The client "
             "then has that address in the log, for bans and for all else. Nobody else is believed. See "
             "[proxies](proxies.md).",
     .example = R"(["127.0.0.1", "10.0.0.0/8"])",
     .access = at<Settings, &Settings::trusted_proxies>()},
};

}  // namespace

std::span<const Key> server_keys() { return rows; }

}  // namespace chappe::server
