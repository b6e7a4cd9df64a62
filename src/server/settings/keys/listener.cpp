#include "server/settings/keys/parts.h"

namespace chappe::server {
namespace {

constexpr Access<Listener> listener_url = {
    .get = [](const Listener& listener) -> Value { return listener.url.text(); },
    .set = [](Listener& listener, const Value& value) { listener.url = parsed(std::get<std::string>(value)); },
};

constexpr Key rows[] = {
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
};

}  // namespace

std::span<const Key> listener_keys() { return rows; }

}  // namespace chappe::server
