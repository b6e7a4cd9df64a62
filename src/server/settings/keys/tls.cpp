#include "server/settings/keys/parts.h"

namespace chappe::server {
namespace {

template <auto Member>
constexpr auto tls_member = at<Settings, &Settings::tls, Member>();

constexpr Key rows[] = {
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
     .name = "psk_file",
     .type = Type::Path,
     .range = {0, path_length_max},
     .reload = Reload::Now,
     .text = "The keys of clients that use no certificates (TLS-PSK): a file with a line `IDENTITY:KEY` for each, with "
             "the key in hexadecimal digits, as Mosquitto's. Such a client is known by its key, and shows no "
             "certificate even where others must; `access.methods` has `psk` for it. A listener that has such keys "
             "needs no certificate of its own.",
     .example = R"("/etc/chappe/psk")",
     .access = tls_member<&TlsSettings::psk_file>},
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
};

}  // namespace

std::span<const Key> tls_keys() { return rows; }

}  // namespace chappe::server
