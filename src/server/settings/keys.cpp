#include <algorithm>
#include <array>
#include <limits>

#include "server/settings/access.h"
#include "server/settings/key.h"

namespace chappe::server {

template <>
inline constexpr std::array words<LogLevel>{std::string_view("debug"), std::string_view("info"),
                                            std::string_view("warning"), std::string_view("error")};
template <>
inline constexpr std::array words<LogFormat>{std::string_view("text"), std::string_view("json")};
template <>
inline constexpr std::array words<broker::WhenFull>{std::string_view("drop_oldest"), std::string_view("drop_newest"),
                                                    std::string_view("reject"), std::string_view("end_session")};
template <>
inline constexpr std::array words<broker::SharedStrategy>{std::string_view("round_robin"), std::string_view("random"),
                                                          std::string_view("sticky"), std::string_view("hash_topic"),
                                                          std::string_view("hash_client")};
template <>
inline constexpr std::array words<tls::ClientCertificates>{std::string_view("ignored"), std::string_view("optional"),
                                                           std::string_view("required")};
template <>
inline constexpr std::array words<access::CertificateName>{std::string_view("cn"), std::string_view("san"),
                                                           std::string_view("subject")};
template <>
inline constexpr std::array words<LoginsLogged>{std::string_view("off"), std::string_view("refused"),
                                                std::string_view("all")};
template <>
inline constexpr std::array words<tls::Version>{std::string_view("1.2"), std::string_view("1.3")};

namespace {

using broker::Limits;
using broker::Policy;

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;
// Limits in bytes are std::size_t, which has 32 bits on the smaller Raspberry Pis.
constexpr std::uint64_t memory_most =
    std::min<std::uint64_t>(1024 * 1024 * mib, std::numeric_limits<std::size_t>::max());

constexpr Word never{"never", mqtt::session_never_expires};
constexpr Word off{"off", 0};

constexpr std::size_t path_length_max = 4095;  // Linux's PATH_MAX without the terminating 0.

template <auto Member>
constexpr auto limit = at<Settings, &Settings::limits, Member>();

template <auto Member>
constexpr auto log_member = at<Settings, &Settings::log, Member>();

template <auto Member>
constexpr auto tls_member = at<Settings, &Settings::tls, Member>();

template <auto Member>
constexpr auto access_member = at<Settings, &Settings::access, Member>();
template <auto Member>
constexpr auto jwt_member = at<Settings, &Settings::access, &AccessSettings::jwt, Member>();

template <auto Member>
constexpr auto web_member = at<Settings, &Settings::web, Member>();

template <auto Member>
constexpr auto policy = at<Settings, &Settings::policy, Member>();

net::ListenUrl parsed(const std::string& text) {
    auto url = net::ListenUrl::parse(text);
    ASSERT(url.has_value());  // read_value() let it through.
    return *std::move(url);
}

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

constexpr Access<Listener> listener_url = {
    .get = [](const Listener& listener) -> Value { return listener.url.text(); },
    .set = [](Listener& listener, const Value& value) { listener.url = parsed(std::get<std::string>(value)); },
};

constexpr Section all_sections[] = {
    {"server", "Where the broker listens and keeps its data, and how it runs.", false},
    {"listener",
     "One more address to listen on, with settings of its own. There can be any number of `[[listener]]` sections, "
     "beside `server.listen` or instead of it; an address that needs no settings of its own is shorter there.",
     true},
    {"tls",
     "Encryption, for listeners at `mqtts://` and `https://`. Certificates, keys, CAs and lists of revoked "
     "certificates are PEM "
     "files. They "
     "are read again at SIGHUP and when one of them changes; connections that are open stay, and files that cannot be "
     "used "
     "are reported while the old ones stay in use.",
     false},
    {"web", "MQTT over WebSocket, for listeners at `http://` and `https://`.", false},
    {"access",
     "Who clients are, and what they may do. Accounts and roles are managed with `chappe user` and `chappe role`; see "
     "[access](access.md).",
     false},
    {"jwt",
     "JSON Web Tokens, which clients bring as their password, for the method `jwt` of `access.methods`; see "
     "[access](access.md#tokens).",
     false},
    {"log", "What is written about the broker's work, and where.", false},
    {"limits",
     "The bounds of memory and of what one client can ask for. What happens at each bound is counted under its name "
     "below `$SYS/broker/`.",
     false},
    {"policy", "Where the standard leaves the server a choice.", false},
};

constexpr Key all_keys[] = {
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

    {.section = "listener",
     .name = "url",
     .type = Type::Url,
     .reload = Reload::Restart,
     .text = "The address, written as in `server.listen`. Every `[[listener]]` needs one.",
     .default_text = "none",
     .example = R"("mqtt://192.168.1.10:1883")",
     .access = listener_url},
    {.section = "listener",
     .name = "allow_anonymous",
     .type = Type::Boolean,
     .reload = Reload::Now,
     .text = "`server.allow_anonymous` for this listener alone.",
     .default_text = "as `server.allow_anonymous`",
     .example = "true",
     .access = at<Listener, &Listener::allow_anonymous>()},
    {.section = "listener",
     .name = "connections_max",
     .type = Type::Integer,
     .unit = "connections",
     .range = {0, 10'000'000},
     .reload = Reload::Now,
     .text = "How many connections this listener has at once; more are closed as soon as they are accepted. 0 "
             "leaves it to `limits.connections_max`.",
     .example = "500",
     .access = at<Listener, &Listener::connections_max>()},
    {.section = "listener",
     .name = "mode",
     .type = Type::Mode,
     .range = {0, 0777},
     .reload = Reload::Restart,
     .text = "The access mode of a Unix socket's file, in octal: who of this machine may connect. Only for "
             "`unix:PATH`.",
     .example = R"("0600")",
     .access = at<Listener, &Listener::mode>()},
    {.section = "listener",
     .name = "proxy_protocol",
     .type = Type::Boolean,
     .reload = Reload::Now,
     .text = "Whether connections begin with a header of the PROXY protocol (version 1 or 2). Then only "
             "`server.trusted_proxies` can connect, and each has to send one. They may also pass on the name in the "
             "client's certificate.",
     .example = "true",
     .access = at<Listener, &Listener::proxy_protocol>()},

    {.section = "listener",
     .name = "tls_certificates",
     .type = Type::Paths,
     .range = {1, path_length_max},
     .reload = Reload::Now,
     .text = "`tls.certificates` for this listener alone.",
     .default_text = "as `tls.certificates`",
     .example = R"(["/etc/chappe/public.pem"])",
     .access = at<Listener, &Listener::tls_certificates>()},
    {.section = "listener",
     .name = "tls_keys",
     .type = Type::Paths,
     .range = {1, path_length_max},
     .reload = Reload::Now,
     .text = "The private keys of `tls_certificates`, in the same order.",
     .default_text = "as `tls.keys`",
     .example = R"(["/etc/chappe/public.key"])",
     .access = at<Listener, &Listener::tls_keys>()},
    {.section = "listener",
     .name = "tls_client_ca",
     .type = Type::Path,
     .range = {0, path_length_max},
     .reload = Reload::Now,
     .text = "`tls.client_ca` for this listener alone.",
     .default_text = "as `tls.client_ca`",
     .example = R"("/etc/chappe/machines-ca.pem")",
     .access = at<Listener, &Listener::tls_client_ca>()},
    {.section = "listener",
     .name = "tls_client_crl",
     .type = Type::Path,
     .range = {0, path_length_max},
     .reload = Reload::Now,
     .text = "`tls.client_crl` for this listener alone. Where `tls_client_ca` is set, `tls.client_crl` does not hold.",
     .default_text = "as `tls.client_crl`",
     .example = R"("/etc/chappe/machines.crl")",
     .access = at<Listener, &Listener::tls_client_crl>()},
    {.section = "listener",
     .name = "tls_client_certificates",
     .type = Type::Choice,
     .choices = words<tls::ClientCertificates>,
     .reload = Reload::Now,
     .text = "`tls.client_certificates` for this listener alone.",
     .default_text = "as `tls.client_certificates`",
     .example = R"("required")",
     .access = at<Listener, &Listener::tls_client_certificates>()},

    {.section = "tls",
     .name = "certificates",
     .type = Type::Paths,
     .range = {1, path_length_max},
     .reload = Reload::Now,
     .option = "--tls-certificate",
     .text =
         "The certificates of this server, an array of files. A client that says which name it wants (SNI) is shown "
         "the first one of that name, any other client the first of all. In a file the certificate of the server "
         "comes first and those of intermediate CAs follow.",
     .example = R"(["/etc/chappe/server.pem"])",
     .access = tls_member<&TlsSettings::certificates>},
    {.section = "tls",
     .name = "keys",
     .type = Type::Paths,
     .range = {1, path_length_max},
     .reload = Reload::Now,
     .option = "--tls-key",
     .text =
         "The private keys of `certificates`, in the same order. They have no passphrase, so only the user who runs "
         "the broker should be able to read them.",
     .example = R"(["/etc/chappe/server.key"])",
     .access = tls_member<&TlsSettings::keys>},
    {.section = "tls",
     .name = "client_ca",
     .type = Type::Path,
     .range = {0, path_length_max},
     .reload = Reload::Now,
     .option = "--tls-ca",
     .text = "The CAs whose certificates clients may show. Without it clients are not asked for one.",
     .example = R"("/etc/chappe/clients-ca.pem")",
     .access = tls_member<&TlsSettings::client_ca>},
    {.section = "tls",
     .name = "client_crl",
     .type = Type::Path,
     .range = {0, path_length_max},
     .reload = Reload::Now,
     .text =
         "The certificates of clients that have been revoked: the lists (CRL) of the CAs in `client_ca`, of each that "
         "has "
         "clients. When a list is missing or older than it says that it is good for, clients of that CA are refused.",
     .example = R"("/etc/chappe/clients.crl")",
     .access = tls_member<&TlsSettings::client_crl>},
    {.section = "tls",
     .name = "client_certificates",
     .type = Type::Choice,
     .choices = words<tls::ClientCertificates>,
     .reload = Reload::Now,
     .text = "Whether clients show a certificate. `optional`: they may, where there is a `client_ca`, and one that is "
             "shown "
             "must be good. `required`: whoever has none is refused. `ignored`: they are not asked.",
     .example = R"("required")",
     .access = tls_member<&TlsSettings::client_certificates>},
    {.section = "tls",
     .name = "version_least",
     .type = Type::Choice,
     .choices = words<tls::Version>,
     .reload = Reload::Now,
     .text = "The oldest version of TLS that is spoken. Older ones than 1.2 are never.",
     .example = R"("1.3")",
     .access = tls_member<&TlsSettings::version_least>},

    {.section = "web",
     .name = "origins",
     .type = Type::Texts,
     .range = {1, 1024},
     .reload = Reload::Now,
     .text = "The pages that may connect, by their Origin as browsers send it, besides those that come from the host "
             "that they connect to. `*` lets pages of everybody connect. Without TLS, \"the host\" has to be an "
             "address or a local name (`localhost`, without a dot, `.local`, `.home.arpa`, `.internal`), since any "
             "other name can be pointed here by a stranger; list those. Programs that are not browsers are not asked.",
     .example = R"(["https://dashboard.example"])",
     .access = web_member<&WebSettings::origins>},

    {.section = "access",
     .name = "methods",
     .type = Type::Texts,
     .range = {1, 32},
     .reload = Reload::Now,
     .text = "How it is found out who a client is, in the order in which they are asked until one knows it: "
             "`certificate` takes the name in a client certificate, `accounts` knows the users of `chappe user` and "
             "their passwords, `jwt` takes a signed token as the password. A client that says nothing of itself is "
             "anonymous, where the listener allows that.",
     .example = R"(["accounts"])",
     .access = access_member<&AccessSettings::methods>},
    {.section = "access",
     .name = "policy",
     .type = Type::Path,
     .range = {0, path_length_max},
     .reload = Reload::Now,
     .text = "A TOML file of roles and users with their rules, beside those that `chappe role` manages. A role that it "
             "has replaces the one of the same name there, and anonymous clients may do only what its role "
             "`anonymous` says. It is read again when it changes; one with an error is reported, and the old one stays "
             "in use.",
     .example = R"("/etc/chappe/policy.toml")",
     .access = access_member<&AccessSettings::policy>},
    {.section = "access",
     .name = "certificate_name",
     .type = Type::Choice,
     .choices = words<access::CertificateName>,
     .reload = Reload::Now,
     .text = "What of a client certificate is the user name: its common name (`cn`), the first name in its "
             "subjectAltName (`san`), or the whole `subject`.",
     .example = R"("san")",
     .access = access_member<&AccessSettings::certificate_name>},
    {.section = "access",
     .name = "certificate_roles",
     .type = Type::Texts,
     .range = {1, 256},
     .reload = Reload::Now,
     .text = "The roles of a client that comes by certificate and has no account of that name.",
     .example = R"(["device"])",
     .access = access_member<&AccessSettings::certificate_roles>},
    {.section = "access",
     .name = "password_remembered_seconds",
     .type = Type::Duration,
     .range = {0, 7 * 86'400},
     .word = off,
     .reload = Reload::Now,
     .text = "How long a password that was right need not be hashed again, which makes it cheap for many devices to "
             "come back at once. A digest with a key that never leaves the memory is kept, no password. A changed "
             "password or account counts at once.",
     .example = R"("10m")",
     .access = access_member<&AccessSettings::password_remembered_seconds>},
    {.section = "access",
     .name = "wrong_passwords_max",
     .type = Type::Integer,
     .unit = "passwords",
     .range = {1, 1000},
     .reload = Reload::Now,
     .text = "How many wrong passwords for one name an address may give before it has to wait; for any names together, "
             "four times as many. It waits a second at first, and twice as long after each further one. Of IPv6, the "
             "first 64 bits are one address.",
     .example = "3",
     .access = access_member<&AccessSettings::wrong_passwords_max>},
    {.section = "access",
     .name = "wrong_passwords_wait_max_seconds",
     .type = Type::Duration,
     .range = {1, 86'400},
     .reload = Reload::Now,
     .text = "The longest time that an address has to wait after wrong passwords. After a quarter of an hour without "
             "any it begins anew.",
     .example = R"("15m")",
     .access = access_member<&AccessSettings::wrong_passwords_wait_max_seconds>},
    {.section = "access",
     .name = "login_log",
     .type = Type::Choice,
     .choices = words<LoginsLogged>,
     .reload = Reload::Restart,
     .text = "What is written to `logins.log` in the data directory: who was `refused` what, or also who came in, from "
             "where and by which method (`all`), one JSON object on a line.",
     .example = R"("refused")",
     .access = access_member<&AccessSettings::login_log>},
    {.section = "access",
     .name = "login_log_size_max",
     .type = Type::Size,
     .range = {4096, std::uint64_t{1} << 40},
     .reload = Reload::Restart,
     .text = "At this size `logins.log` is renamed to `logins.log.1`, in place of the one before, and begun anew.",
     .example = R"("100MiB")",
     .access = access_member<&AccessSettings::login_log_size_max>},

    {.section = "jwt",
     .name = "algorithms",
     .type = Type::Texts,
     .range = {1, 16},
     .reload = Reload::Now,
     .text =
         "How tokens may be signed: `HS256`, `HS384`, `HS512`, `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, "
         "`ES256`, `ES384`, `ES512`, `EdDSA`. Others are refused, whatever the token says.",
     .example = R"(["RS256"])",
     .access = jwt_member<&JwtSettings::algorithms>},
    {.section = "jwt",
     .name = "key",
     .type = Type::Text,
     .range = {0, path_length_max},
     .reload = Reload::Now,
     .text = "Where the key is that tokens are checked with: `file:PATH`, `env:NAME`, or `credential:NAME` for a "
             "credential of systemd. Public keys are PEM (also a certificate) or a set of JSON Web Keys; for `HS256` "
             "and its like it is the secret itself. A file is read again when it changes; one that cannot be used is "
             "reported, and the old key stays in use.",
     .example = R"("file:/etc/chappe/jwt.pem")",
     .access = jwt_member<&JwtSettings::key>},
    {.section = "jwt",
     .name = "issuer",
     .type = Type::Text,
     .range = {0, 1024},
     .reload = Reload::Now,
     .text = "What the claim `iss` must be. Empty: anything.",
     .example = R"("https://login.example.com/")",
     .access = jwt_member<&JwtSettings::issuer>},
    {.section = "jwt",
     .name = "audience",
     .type = Type::Text,
     .range = {0, 1024},
     .reload = Reload::Now,
     .text =
         "What the claim `aud` must be, or have among others. Empty: tokens with this claim are refused, since they "
         "are meant for somebody else.",
     .example = R"("chappe")",
     .access = jwt_member<&JwtSettings::audience>},
    {.section = "jwt",
     .name = "leeway_seconds",
     .type = Type::Duration,
     .range = {0, 3600},
     .reload = Reload::Now,
     .text = "By how much the clocks of this machine and of the issuer may differ.",
     .example = R"("10s")",
     .access = jwt_member<&JwtSettings::leeway_seconds>},
    {.section = "jwt",
     .name = "expiry_required",
     .type = Type::Boolean,
     .reload = Reload::Now,
     .text = "Whether tokens without an end (`exp`) are refused. A connection ends when its token does.",
     .example = "false",
     .access = jwt_member<&JwtSettings::expiry_required>},
    {.section = "jwt",
     .name = "user_name_claim",
     .type = Type::Text,
     .range = {1, 256},
     .reload = Reload::Now,
     .text = "The claim that is the user name. What the client gives as user name plays no part. A claim inside of "
             "another one is named with a dot: `user.name`.",
     .example = R"("preferred_username")",
     .access = jwt_member<&JwtSettings::user_name_claim>},
    {.section = "jwt",
     .name = "client_id_claim",
     .type = Type::Text,
     .range = {0, 256},
     .reload = Reload::Now,
     .text = "The claim that says for which client identifier the token is good. Empty: for any.",
     .example = R"("client_id")",
     .access = jwt_member<&JwtSettings::client_id_claim>},
    {.section = "jwt",
     .name = "roles_claim",
     .type = Type::Text,
     .range = {0, 256},
     .reload = Reload::Now,
     .text = "The claim that has roles for the client, an array of texts or one text with spaces between. Those count "
             "that `jwt.roles_allowed` has. Empty: tokens give no roles.",
     .example = R"("realm_access.roles")",
     .access = jwt_member<&JwtSettings::roles_claim>},
    {.section = "jwt",
     .name = "roles_allowed",
     .type = Type::Texts,
     .range = {1, 256},
     .reload = Reload::Now,
     .text = "The roles that a token may give; all others that it names are passed over.",
     .example = R"(["editor", "viewer"])",
     .access = jwt_member<&JwtSettings::roles_allowed>},
    {.section = "jwt",
     .name = "roles",
     .type = Type::Texts,
     .range = {1, 256},
     .reload = Reload::Now,
     .text = "The roles of a client that comes with a token and has no account of that name, whatever else the token "
             "says.",
     .example = R"(["viewer"])",
     .access = jwt_member<&JwtSettings::roles>},

    {.section = "log",
     .name = "level",
     .type = Type::Choice,
     .choices = words<LogLevel>,
     .reload = Reload::Now,
     .option = "--log-level",
     .text = "The least important lines that are logged. `info` has a line when a client connects or leaves.",
     .example = R"("warning")",
     .access = log_member<&Log::level>},
    {.section = "log",
     .name = "format",
     .type = Type::Choice,
     .choices = words<LogFormat>,
     .reload = Reload::Now,
     .option = "--log-format",
     .text = "How a line of the log is written: as text for people, or as one JSON object for programs.",
     .example = R"("json")",
     .access = log_member<&Log::format>},
    {.section = "log",
     .name = "file",
     .type = Type::Path,
     .range = {0, path_length_max},
     .reload = Reload::Now,
     .text = "The file that the log is appended to. Without one the log goes to standard error. A reload opens the "
             "file again, so that it can be rotated.",
     .example = R"("/var/log/chappe.log")",
     .access = log_member<&Log::file>},

    {.section = "limits",
     .name = "packet_size_max",
     .type = Type::Size,
     .range = {kib, mqtt::packet_size_limit},
     .reload = Reload::Now,
     .text = "The largest packet that a client may send. It is announced to clients of MQTT 5 as Maximum Packet "
             "Size; who sends a larger one is disconnected with reason code 0x95.",
     .example = R"("1 MiB")",
     .access = limit<&Limits::packet_size_max>},
    {.section = "limits",
     .name = "connect_packet_size_max",
     .type = Type::Size,
     .range = {kib, mqtt::packet_size_limit},
     .reload = Reload::Now,
     .text = "The largest packet before the client has been accepted. It bounds the memory that strangers can take, "
             "and has to hold a CONNECT with its will message.",
     .example = R"("64 KiB")",
     .access = limit<&Limits::connect_packet_size_max>},
    {.section = "limits",
     .name = "topic_length_max",
     .type = Type::Size,
     .range = {64, 65'535},
     .reload = Reload::Now,
     .text = "The longest topic name or topic filter, in bytes of UTF-8.",
     .example = "1024",
     .access = limit<&Limits::topic_length_max>},
    {.section = "limits",
     .name = "topic_levels_max",
     .type = Type::Integer,
     .unit = "levels",
     .range = {8, 1000},
     .reload = Reload::Now,
     .text = "The most levels of a topic name or topic filter: `site/hall/machine` has three.",
     .example = "32",
     .access = limit<&Limits::topic_levels_max>},
    {.section = "limits",
     .name = "user_properties_max",
     .type = Type::Integer,
     .unit = "properties",
     .range = {0, 1'000'000},
     .reload = Reload::Now,
     .text = "The most user properties of one packet; a will has its own. Who sends more is disconnected, or refused, "
             "with reason code 0x97. Each takes 32 bytes while its packet is handled, however short it is.",
     .example = "50",
     .access = limit<&Limits::user_properties_max>},
    {.section = "limits",
     .name = "filters_per_packet_max",
     .type = Type::Integer,
     .unit = "filters",
     .range = {1, 10'000'000},
     .reload = Reload::Now,
     .text = "The most topic filters of one SUBSCRIBE or UNSUBSCRIBE. Who sends more is disconnected with reason code "
             "0x97.",
     .example = "100",
     .access = limit<&Limits::filters_per_packet_max>},
    {.section = "limits",
     .name = "client_id_length_max",
     .type = Type::Size,
     .range = {23, 65'535},
     .reload = Reload::Now,
     .text = "The longest client identifier, in bytes of UTF-8. A client with a longer one is refused with reason code "
             "0x85. Every broker has to accept 23 bytes; many clients use more.",
     .example = "128",
     .access = limit<&Limits::client_id_length_max>},
    {.section = "limits",
     .name = "connections_max",
     .type = Type::Integer,
     .unit = "connections",
     .range = {1, 10'000'000},
     .reload = Reload::Now,
     .text = "How many connections there can be at once, on all listeners together. More are refused, but not the "
             "operator's. The operating "
             "system must allow the program as many open files (`ulimit -n`).",
     .example = "5000",
     .access = limit<&Limits::connections_max>},
    {.section = "limits",
     .name = "connect_timeout_seconds",
     .type = Type::Duration,
     .range = {1, 3600},
     .reload = Reload::Now,
     .text = "How long a connection may take until its CONNECT has arrived and the client has been accepted. After "
             "that it is closed.",
     .example = R"("30s")",
     .access = limit<&Limits::connect_timeout_seconds>},
    {.section = "limits",
     .name = "connections_before_login_max",
     .type = Type::Integer,
     .unit = "connections",
     .range = {1, 10'000'000},
     .reload = Reload::Now,
     .text = "How many connections there can be at once whose client has not been accepted yet. For one more, the one "
             "that has waited longest is closed: clients log in within moments, and who only holds connections open "
             "keeps nobody out.",
     .example = "2000",
     .access = limit<&Limits::connections_before_login_max>},
    {.section = "limits",
     .name = "logins_waiting_max",
     .type = Type::Integer,
     .unit = "clients",
     .range = {1, 1'000'000},
     .reload = Reload::Restart,
     .text = "How many clients may wait at once for an answer to who they are, where that takes long, as hashing a "
             "password does. Further ones are refused as by a server that is busy. Who gives up makes room.",
     .example = "100",
     .access = limit<&Limits::logins_waiting_max>},
    {.section = "limits",
     .name = "address_connects_per_minute_max",
     .type = Type::Integer,
     .unit = "connects",
     .range = {0, 10'000'000},
     .reload = Reload::Now,
     .text =
         "How often clients may connect from one address in a minute, all at once or one after the other; of IPv6, "
         "the first 64 bits are one address. More are refused with reason code 0x9F, and beyond twice as many their "
         "connections are closed as soon as they are accepted. Loopback addresses and `server.trusted_proxies` are "
         "not counted; who comes by such a proxy is, with the address that the proxy tells. 0 is no bound.",
     .example = "600",
     .access = limit<&Limits::address_connects_per_minute_max>},
    {.section = "limits",
     .name = "client_connects_per_minute_max",
     .type = Type::Integer,
     .unit = "connects",
     .range = {0, 10'000'000},
     .reload = Reload::Now,
     .text =
         "How often a client identifier may connect in a minute. One that has done so as often is refused for "
         "`limits.flapping_wait_seconds`, with reason code 0x9F. It is meant for devices that share an identifier by "
         "mistake and take the session from each other, or that fail again and again: a connection that its client "
         "ends with DISCONNECT does not count. 0 is no bound.",
     .example = "15",
     .access = limit<&Limits::client_connects_per_minute_max>},
    {.section = "limits",
     .name = "flapping_wait_seconds",
     .type = Type::Duration,
     .range = {1, 86'400},
     .reload = Reload::Now,
     .text = "How long a client identifier is kept out once it has reached `limits.client_connects_per_minute_max`.",
     .example = R"("5m")",
     .access = limit<&Limits::flapping_wait_seconds>},
    {.section = "limits",
     .name = "tls_handshakes_per_second_max",
     .type = Type::Integer,
     .unit = "handshakes",
     .range = {0, 1'000'000},
     .reload = Reload::Now,
     .text = "How many TLS handshakes each shard begins in a second. Further connections wait to be accepted, so that "
             "clients that are connected are served meanwhile; nobody is turned away. 0 is no bound.",
     .example = "200",
     .access = limit<&Limits::tls_handshakes_per_second_max>},
    {.section = "limits",
     .name = "keep_alive_max_seconds",
     .type = Type::Duration,
     .range = {1, 65'535},
     .reload = Reload::Now,
     .text = "The longest keep alive that a client is granted. A client of MQTT 5 that asks for more, or for none "
             "at all, is told this one (Server Keep Alive). At the default every client has what it asks for.",
     .example = R"("5m")",
     .access = limit<&Limits::keep_alive_max_seconds>},
    {.section = "limits",
     .name = "unsent_bytes_max",
     .type = Type::Size,
     .range = {4 * kib, memory_most},
     .reload = Reload::Now,
     .text = "How much may wait to be written to one connection whose client does not read. Beyond it messages of "
             "QoS 0 are dropped and counted, and messages of QoS 1 and 2 wait in the session's queue.",
     .example = R"("1 MiB")",
     .access = limit<&Limits::unsent_bytes_max>},
    {.section = "limits",
     .name = "unsent_bytes_total_max",
     .type = Type::Size,
     .range = {64 * kib, memory_most},
     .reload = Reload::Now,
     .text = "How much memory all that waits to be written can take, of all connections together; a payload that waits "
             "for many connections counts once. Beyond it a connection that has something unsent is treated as at "
             "`unsent_bytes_max`; one that takes what it is sent has up to a quarter more.",
     .example = R"("256 MiB")",
     .access = limit<&Limits::unsent_bytes_total_max>},
    {.section = "limits",
     .name = "unfinished_bytes_total_max",
     .type = Type::Size,
     .range = {kib, memory_most},
     .reload = Reload::Now,
     .text = "How much memory the beginnings of packets that have not come whole yet can take, of all connections "
             "together. The connection that would add to them beyond this is ended with reason code 0x97; packets "
             "below 4 KiB are waited for in any case.",
     .example = R"("100 MiB")",
     .access = limit<&Limits::unfinished_bytes_total_max>},
    {.section = "limits",
     .name = "topic_alias_max",
     .type = Type::Integer,
     .unit = "aliases",
     .range = {0, 65'535},
     .reload = Reload::Now,
     .text = "How many topic aliases a connection has in each direction. 0 uses none.",
     .example = "10",
     .access = limit<&Limits::topic_alias_max>},
    {.section = "limits",
     .name = "sessions_max",
     .type = Type::Integer,
     .unit = "sessions",
     .range = {1, 100'000'000},
     .reload = Reload::Now,
     .text = "How many sessions there can be, those of clients that are away included. A CONNECT that would need "
             "one more is refused.",
     .example = "20000",
     .access = limit<&Limits::sessions_max>},
    {.section = "limits",
     .name = "sessions_bytes_max",
     .type = Type::Size,
     .range = {64 * kib, memory_most},
     .reload = Reload::Now,
     .text =
         "How much memory all sessions together can take by themselves: with client identifiers, user names and "
         "wills, but not with subscriptions and messages, which have bounds of their own. A CONNECT that would need "
         "more is refused with reason code 0x97.",
     .example = R"("256 MiB")",
     .access = limit<&Limits::sessions_bytes_max>},
    {.section = "limits",
     .name = "session_expiry_max_seconds",
     .type = Type::Duration,
     .range = {0, never.value},
     .word = never,
     .reload = Reload::Now,
     .text = "How long a session is kept at most after its client has left. Clients of MQTT 5 that ask for more are "
             "told; the sessions of older clients that do not ask for a clean one are kept for this time. "
             "`\"never\"` lets sessions stay until their client ends them.",
     .example = R"("90d")",
     .access = limit<&Limits::session_expiry_max_seconds>},
    {.section = "limits",
     .name = "will_delay_max_seconds",
     .type = Type::Duration,
     .range = {0, never.value},
     .word = never,
     .reload = Reload::Now,
     .text = "How long a will message can be delayed at most. `\"never\"` sets no bound of its own; the will is "
             "published when the session ends in any case.",
     .example = R"("1h")",
     .access = limit<&Limits::will_delay_max_seconds>},
    {.section = "limits",
     .name = "subscriptions_per_session_max",
     .type = Type::Integer,
     .unit = "subscriptions",
     .range = {1, 10'000'000},
     .reload = Reload::Now,
     .text = "How many subscriptions one session can have. More are refused with reason code 0x97.",
     .example = "100",
     .access = limit<&Limits::subscriptions_per_session_max>},
    {.section = "limits",
     .name = "subscriptions_max",
     .type = Type::Integer,
     .unit = "subscriptions",
     .range = {1, 1'000'000'000},
     .reload = Reload::Now,
     .text = "How many subscriptions all sessions can have together. More are refused with reason code 0x97.",
     .example = "100000",
     .access = limit<&Limits::subscriptions_max>},
    {.section = "limits",
     .name = "subscription_bytes_max",
     .type = Type::Size,
     .range = {kib, memory_most},
     .reload = Reload::Now,
     .text = "How much memory all subscriptions together can take, with their topic filters: long filters of many "
             "levels take more than short ones. When it is used up, more are refused with reason code 0x97.",
     .example = R"("100 MiB")",
     .access = limit<&Limits::subscription_bytes_max>},
    {.section = "limits",
     .name = "receive_maximum",
     .type = Type::Integer,
     .unit = "messages",
     .range = {1, 65'535},
     .reload = Reload::Now,
     .text = "How many messages of QoS 1 and 2 one client may send before the first of them is acknowledged. "
             "Clients of MQTT 5 are told, and disconnected with reason code 0x93 when they send more.",
     .example = "100",
     .access = limit<&Limits::receive_maximum>},
    {.section = "limits",
     .name = "inflight_max",
     .type = Type::Integer,
     .unit = "messages",
     .range = {1, 65'535},
     .reload = Reload::Now,
     .text = "How many messages of QoS 1 and 2 are sent to one client before it has acknowledged the first of them. "
             "A client of MQTT 5 can ask for fewer with its Receive Maximum. The others wait in the session's queue.",
     .example = "20",
     .access = limit<&Limits::inflight_max>},
    {.section = "limits",
     .name = "queue_messages_max",
     .type = Type::Integer,
     .unit = "messages",
     .range = {1, 1'000'000'000},
     .reload = Reload::Now,
     .text = "How many messages can wait for one session, or for one shared subscription. What happens to the next "
             "one is for `policy.when_full` to say.",
     .example = "1000",
     .access = limit<&Limits::queue_messages_max>},
    {.section = "limits",
     .name = "queue_bytes_max",
     .type = Type::Size,
     .range = {kib, memory_most},
     .reload = Reload::Now,
     .text = "How many bytes of messages can wait for one session, or for one shared subscription. What the client has "
             "been sent and not acknowledged counts as well, but when it has acknowledged everything it is sent the "
             "next message of any size. What happens to a message that does not fit is for `policy.when_full` to say.",
     .example = R"("10 MiB")",
     .access = limit<&Limits::queue_bytes_max>},
    {.section = "limits",
     .name = "queued_bytes_total_max",
     .type = Type::Size,
     .range = {kib, memory_most},
     .reload = Reload::Now,
     .text = "How many bytes of messages can wait for all sessions together, or have been sent and not acknowledged. "
             "At this bound a session's queue counts as full; a message that can be sent at once may take up to a "
             "quarter more.",
     .example = R"("256 MiB")",
     .access = limit<&Limits::queued_bytes_total_max>},
    {.section = "limits",
     .name = "mailbox_bytes_max",
     .type = Type::Size,
     .range = {64 * kib, memory_most},
     .reload = Reload::Now,
     .text = "How many bytes of messages can be on their way from all shards to one. Publishers are slowed down at "
             "this bound by not reading their sockets.",
     .example = R"("16 MiB")",
     .access = limit<&Limits::mailbox_bytes_max>},
    {.section = "limits",
     .name = "retained_messages_max",
     .type = Type::Integer,
     .unit = "messages",
     .range = {0, 1'000'000'000},
     .reload = Reload::Now,
     .text = "How many retained messages are kept. At this bound a topic that has none gets none: the message is "
             "refused with reason code 0x97 where the publisher can be told (MQTT 5, QoS 1 and 2), and otherwise "
             "delivered, not retained, and counted.",
     .example = "10000",
     .access = limit<&Limits::retained_messages_max>},
    {.section = "limits",
     .name = "retained_bytes_max",
     .type = Type::Size,
     .range = {0, memory_most},
     .reload = Reload::Now,
     .text = "How many bytes of retained messages are kept, with their topics and properties. What does not fit is "
             "treated as at `retained_messages_max`.",
     .example = R"("100 MiB")",
     .access = limit<&Limits::retained_bytes_max>},

    {.section = "policy",
     .name = "when_full",
     .type = Type::Choice,
     .choices = words<broker::WhenFull>,
     .reload = Reload::Now,
     .text = "What becomes of the next message of QoS 1 or 2 for a session whose queue is full. `drop_oldest` drops "
             "the one that has waited longest, `drop_newest` the new one. `reject` refuses it to its publisher, "
             "with reason code 0x97 in MQTT 5 and by closing the connection in older versions, which have no code "
             "for it. `end_session` ends the session, so that its client finds out at once. All that is dropped is "
             "counted with its reason.",
     .example = R"("reject")",
     .access = policy<&Policy::when_full>},
    {.section = "policy",
     .name = "shared_strategy",
     .type = Type::Choice,
     .choices = words<broker::SharedStrategy>,
     .reload = Reload::Now,
     .text = "Which member of a shared subscription gets the next message. `round_robin` takes turns and `random` "
             "draws lots. `sticky` stays with one member while it is connected. `hash_topic` gives all messages of "
             "a topic to the same member, and `hash_client` all messages of a publisher.",
     .example = R"("hash_topic")",
     .access = policy<&Policy::shared_strategy>},
};

}  // namespace

std::span<const Section> sections() { return all_sections; }
std::span<const Key> keys() { return all_keys; }

const Section* find_section(std::string_view name) {
    const auto* found = std::ranges::find(all_sections, name, &Section::name);
    return found == std::end(all_sections) ? nullptr : found;
}

const Key* find_key(std::string_view section, std::string_view name) {
    const auto* found =
        std::ranges::find_if(all_keys, [&](const Key& key) { return key.section == section && key.name == name; });
    return found == std::end(all_keys) ? nullptr : found;
}

const Key* find_key(std::string_view full_name) {
    const auto dot = full_name.find('.');
    if (dot == std::string_view::npos) return nullptr;
    return find_key(full_name.substr(0, dot), full_name.substr(dot + 1));
}

std::size_t index_of(const Key& key) {
    ASSERT(&key >= std::begin(all_keys) && &key < std::end(all_keys));
    return static_cast<std::size_t>(&key - std::begin(all_keys));
}

}  // namespace chappe::server
