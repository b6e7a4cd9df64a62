#include "server/settings/keys/parts.h"

namespace chappe::server {
namespace {

template <auto Member>
constexpr auto ldap_member = at<Settings, &Settings::access, &AccessSettings::ldap, Member>();

constexpr std::size_t name_length_max = 4096;

constexpr Key rows[] = {
    {.section = "ldap",
     .name = "url",
     .type = Type::Text,
     .range = {0, name_length_max},
     .reload = Reload::Now,
     .text = "Where the directory server is: `ldaps://HOST[:PORT]` with TLS, `ldap://HOST[:PORT]` without unless "
             "`ldap.start_tls` is set. Of several, with one space between, the first one that answers is asked.",
     .example = R"("ldaps://ldap.example.org")",
     .access = ldap_member<&LdapSettings::url>},
    {.section = "ldap",
     .name = "start_tls",
     .type = Type::Boolean,
     .reload = Reload::Now,
     .text = "Whether a connection to `ldap://` turns to TLS before anything else is said; one that cannot is given "
             "up.",
     .example = "true",
     .access = ldap_member<&LdapSettings::start_tls>},
    {.section = "ldap",
     .name = "ca_file",
     .type = Type::Path,
     .range = {0, path_length_max},
     .reload = Reload::Now,
     .text = "A PEM file of the CAs that the server's certificate may be of. Empty: those that the system trusts, in "
             "`/etc/ssl/certs/ca-certificates.crt`. Certificate and host name are always verified.",
     .example = R"("/etc/chappe/ldap-ca.pem")",
     .access = ldap_member<&LdapSettings::ca_file>},
    {.section = "ldap",
     .name = "timeout_seconds",
     .type = Type::Duration,
     .range = {1, 60},
     .reload = Reload::Now,
     .text = "How long it may take to connect to a server, and then, for one login, all its answers together.",
     .example = R"("10s")",
     .access = ldap_member<&LdapSettings::timeout_seconds>},
    {.section = "ldap",
     .name = "user_dn",
     .type = Type::Text,
     .range = {0, name_length_max},
     .reload = Reload::Now,
     .text = "What to bind as with the password of a client, where `${username}` stands for its user name: the "
             "distinguished name of its entry, or at Active Directory also `${username}@example.org`. Empty: the entry "
             "is looked for below `ldap.base` first, and what it is called is bound as.",
     .example = R"("uid=${username},ou=people,dc=example,dc=org")",
     .access = ldap_member<&LdapSettings::user_dn>},
    {.section = "ldap",
     .name = "base",
     .type = Type::Text,
     .range = {0, name_length_max},
     .reload = Reload::Now,
     .text = "The entry below which those of users are looked for. Empty: `ldap.user_dn` says what they are called.",
     .example = R"("ou=people,dc=example,dc=org")",
     .access = ldap_member<&LdapSettings::base>},
    {.section = "ldap",
     .name = "filter",
     .type = Type::Text,
     .range = {0, name_length_max},
     .reload = Reload::Now,
     .text = "What an entry below `ldap.base` must be like to be the one of a user (RFC 4515), where `${username}` "
             "stands for the user name. Where it fits more than one entry, nobody is let in.",
     .example = R"x("(&(objectClass=person)(mail=${username}))")x",
     .access = ldap_member<&LdapSettings::filter>},
    {.section = "ldap",
     .name = "user_name_attribute",
     .type = Type::Text,
     .range = {0, 256},
     .reload = Reload::Now,
     .text = "The attribute of an entry that is the user name for rules and bans, since a directory finds `Bob` for "
             "`bob`. Of several values it is the one that the client has given, or else the first. Empty: the one that "
             "`ldap.filter`, or without `ldap.base` `ldap.user_dn`, compares the user name with.",
     .example = R"("sAMAccountName")",
     .access = ldap_member<&LdapSettings::user_name_attribute>},
    {.section = "ldap",
     .name = "bind_dn",
     .type = Type::Text,
     .range = {0, name_length_max},
     .reload = Reload::Now,
     .text = "Who looks for users and groups. Empty: without a name for users, and with the client's own name for all "
             "that comes after its password was right.",
     .example = R"("cn=chappe,ou=services,dc=example,dc=org")",
     .access = ldap_member<&LdapSettings::bind_dn>},
    {.section = "ldap",
     .name = "bind_password",
     .type = Type::Text,
     .range = {0, path_length_max},
     .reload = Reload::Now,
     .text = "Where the password of `ldap.bind_dn` is: `file:PATH`, `env:NAME`, or `credential:NAME` for a credential "
             "of systemd. A file is read again when it changes; one that cannot be used is reported, and the old "
             "password stays in use.",
     .example = R"("file:/etc/chappe/ldap-password")",
     .access = ldap_member<&LdapSettings::bind_password>},
    {.section = "ldap",
     .name = "roles",
     .type = Type::Texts,
     .range = {1, 256},
     .reload = Reload::Now,
     .text = "The roles of a client that the directory knows and that has no account of that name here.",
     .example = R"(["viewer"])",
     .access = ldap_member<&LdapSettings::roles>},
    {.section = "ldap",
     .name = "group_base",
     .type = Type::Text,
     .range = {0, name_length_max},
     .reload = Reload::Now,
     .text = "The entry below which groups are looked for. Empty: groups give no roles.",
     .example = R"("ou=groups,dc=example,dc=org")",
     .access = ldap_member<&LdapSettings::group_base>},
    {.section = "ldap",
     .name = "group_filter",
     .type = Type::Text,
     .range = {0, name_length_max},
     .reload = Reload::Now,
     .text = "What a group must be like for a user to be in it, where `${dn}` stands for what the entry of the user is "
             "called, and `${username}` for the user name.",
     .example = R"x("(&(objectClass=posixGroup)(memberUid=${username}))")x",
     .access = ldap_member<&LdapSettings::group_filter>},
    {.section = "ldap",
     .name = "group_attribute",
     .type = Type::Text,
     .range = {1, 256},
     .reload = Reload::Now,
     .text = "The attribute of a group that `ldap.group_roles` names it by.",
     .example = R"("sAMAccountName")",
     .access = ldap_member<&LdapSettings::group_attribute>},
    {.section = "ldap",
     .name = "group_roles",
     .type = Type::Texts,
     .range = {3, 1024},
     .reload = Reload::Now,
     .text = "Which role a group gives, as `GROUP=ROLE`; upper and lower case of a group are the same. Other groups "
             "give nothing. These roles come to those of `ldap.roles`, or of the account.",
     .example = R"(["operators=editor", "staff=viewer"])",
     .access = ldap_member<&LdapSettings::group_roles>},
    {.section = "ldap",
     .name = "cache_seconds",
     .type = Type::Duration,
     .range = {0, 86'400},
     .word = off,
     .reload = Reload::Now,
     .text = "How long the server is not asked again about a user and password that it has let in, with the groups "
             "that were found. Of the password a digest with a key that never leaves the memory is kept.",
     .example = R"("10m")",
     .access = ldap_member<&LdapSettings::cache_seconds>},
};

}  // namespace

std::span<const Key> ldap_keys() { return rows; }

}  // namespace chappe::server
