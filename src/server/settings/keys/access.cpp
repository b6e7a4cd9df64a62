#include "server/settings/keys/parts.h"

namespace chappe::server {
namespace {

template <auto Member>
constexpr auto access_member = at<Settings, &Settings::access, Member>();

constexpr Key rows[] = {
    {.section = "access",
     .name = "methods",
     .type = Type::Texts,
     .range = {1, 32},
     .reload = Reload::Now,
     .text = "How it is found out who a client is, in the order in which they are asked until one knows it: "
             "`certificate` takes the name in a client certificate, `psk` the identity of a key of `tls.psk_file`, "
             "`accounts` knows the users of `chappe user` and "
             "their passwords, `jwt` takes a signed token as the password, `http` asks a server, `ldap` a directory. A "
             "client that says "
             "nothing of itself is "
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
     .name = "psk_roles",
     .type = Type::Texts,
     .range = {1, 256},
     .reload = Reload::Now,
     .text = "The roles of a client that comes by a key of `tls.psk_file` and has no account of that name.",
     .example = R"(["device"])",
     .access = access_member<&AccessSettings::psk_roles>},
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
     .name = "decision_log",
     .type = Type::Boolean,
     .reload = Reload::Now,
     .text = "Whether it is written to `decisions.log` in the data directory who was allowed or refused what: each "
             "kind of decision once a day, and not more than 100,000. `chappe explain --replay` compares what stands "
             "there with rules that you want to change.",
     .example = "true",
     .access = access_member<&AccessSettings::decision_log>},
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
};

}  // namespace

std::span<const Key> access_keys() { return rows; }

}  // namespace chappe::server
