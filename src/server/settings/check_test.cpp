// What settings that are right by themselves say about one another.

#include "server/settings/check.h"

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/settings/load.h"

namespace chappe::server {

namespace {

std::vector<std::string> findings_of(const std::string& text, const std::vector<Override>& overrides = {}) {
    const ConfigurationFile file{"c.toml", text};
    std::vector<std::string> lines;
    for (const auto& finding : load(&file, overrides, {}).findings) lines.push_back(to_string(finding));
    return lines;
}

struct Row {
    std::string_view name;
    std::string text;
    std::vector<std::string> findings;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class Check : public testing::TestWithParam<Row> {};

TEST_P(Check, Says) { EXPECT_THAT(findings_of(GetParam().text), testing::ElementsAreArray(GetParam().findings)); }

std::string name_of(const testing::TestParamInfo<Row>& info) { return std::string(info.param.name); }

const std::string in_clear_text =
    " unencrypted, and so does all else; where others could listen, use mqtts:// (chappe cert makes what it needs)";
const std::string nobody_is_known =
    ": access.methods is empty, so nobody is known, and anonymous clients are not allowed; write allow_anonymous = "
    "true, or methods = [\"accounts\"]";
const std::string open_to_everybody =
    " may publish and subscribe as they like (allow_anonymous); be sure that the Internet does not reach it";

const std::vector<Row> who_may_connect = {
    {"LocalListenersNeedNothing",
     "[server]\nlisten = [\"mqtt://127.0.0.1\", \"mqtt://[::1]\", \"unix:/x\", \"mqtt://localhost:2000\"]\n",
     {}},
    {"OtherListenersNeedAccounts", "[server]\nlisten = [\"mqtt://192.168.1.10\"]\n", {}},
    {"AllAddressesInClearText",
     "[server]\nlisten = [\"mqtt://0.0.0.0\"]\n",
     {"c.toml:2: warning: passwords reach mqtt://0.0.0.0:1883" + in_clear_text}},
    {"PrivateNetworkWithPermission", "[server]\nallow_anonymous = true\nlisten = [\"mqtt://192.168.1.10\"]\n", {}},
    {"OneListenerWithoutPermissionAndNoMethods",
     "[access]\nmethods = []\n[server]\nlisten = [\"mqtt://10.0.0.1\"]\n[[listener]]\n"
     "url = \"mqtt://10.0.0.2\"\nallow_anonymous = true\n",
     {"c.toml:4: error: nobody could connect to mqtt://10.0.0.1:1883" + nobody_is_known}},
    {"MethodsThatThereAreNot",
     "[access]\nmethods = [\"accounts\", \"kerberos\"]\n",
     {"c.toml:2: error: access.methods has \"kerberos\", and there are only: certificate, psk, accounts, jwt, http, "
      "ldap"}},
    {"TokensThatNothingIsSaidOf",
     "[access]\nmethods = [\"jwt\"]",
     {"c.toml:2: error: jwt.algorithms: it must be said how tokens are signed: [\"RS256\"]",
      "c.toml:2: error: jwt.key: it must be said where the key is: \"file:/etc/chappe/jwt.pem\""}},
    {"TokensThatAreNotSigned",
     "[jwt]\nalgorithms = [\"RS256\", \"none\"]",
     {"c.toml:2: error: jwt.algorithms: \"none\" is none of them"}},
    {"TokensThatMayGiveNoRole",
     "[access]\nmethods = [\"jwt\"]\n[jwt]\nalgorithms = [\"RS256\"]\nkey = \"file:x\"\nroles_claim = \"roles\"",
     {"c.toml:2: error: jwt.roles_allowed: jwt.roles_claim gives no roles as long as none is allowed here"}},
    {"NoServerToAsk",
     "[access]\nmethods = [\"http\"]",
     {"c.toml:2: error: hook.url: it must be said which server is asked: \"https://users.example.com/mqtt-login\""}},
    {"ServerThatIsNoServer",
     "[hook]\nurl = \"users.example.com\"",
     {"c.toml:2: error: hook.url: \"users.example.com\": not a URL; write SCHEME://HOST:PORT, for example "
      "mqtt://127.0.0.1:1883, or unix:PATH"}},
    {"ServerThatDoesNotSpeakHttp",
     "[hook]\nurl = \"mqtt://users.example.com\"",
     {"c.toml:2: error: hook.url: \"mqtt://users.example.com\" is neither https:// nor http://"}},
    {"ServerThatHearsPasswordsInClearText",
     "[access]\nmethods = [\"http\"]\n[hook]\nurl = \"http://users.example.com/x\"",
     {"c.toml:4: warning: hook.url: passwords are sent to http://users.example.com/x unencrypted; where others could "
      "listen, use https://"}},
    {"ServerThatMayTakeLongerThanClients",
     "[access]\nmethods = [\"http\"]\n[hook]\nurl = \"https://users.example.com\"\ntimeout_seconds = 20",
     {"c.toml:5: warning: hook.timeout_seconds (\"20s\") is above limits.connect_timeout_seconds (\"10s\" by default): "
      "clients "
      "would be refused before the server has answered; lower the first or raise the second"}},
    {"ServerOnThisMachineInClearText", "[access]\nmethods = [\"http\"]\n[hook]\nurl = \"http://127.0.0.1:8000/x\"", {}},
    {"AllAddressesWithPermission",
     "[server]\nallow_anonymous = true\nlisten = [\"mqtt://0.0.0.0\"]\n",
     {"c.toml:3: warning: whoever reaches mqtt://0.0.0.0:1883" + open_to_everybody}},
    {"PublicAddressWithPermission",
     "[[listener]]\nurl = \"mqtt://203.0.113.5\"\nallow_anonymous = true\n",
     {"c.toml:2: warning: whoever reaches mqtt://203.0.113.5:1883" + open_to_everybody}},
    {"ListenerForAccountsOnly", "[[listener]]\nurl = \"mqtt://127.0.0.1\"\nallow_anonymous = false\n", {}},
    {"NoListener",
     "[server]\nlisten = []\n",
     {"c.toml:2: error: there is no listener, so nobody could connect: write listen = [\"mqtt://127.0.0.1:1883\"]"}},
    {"NoListenerBecauseOfAMistake",
     "[server]\nlisten = [5]\n",
     {"c.toml:2: error: server.listen wants a URL in quotes, such as \"mqtt://127.0.0.1:1883\", not 5"}},
};
INSTANTIATE_TEST_SUITE_P(WhoMayConnect, Check, testing::ValuesIn(who_may_connect), name_of);

// What [ldap] has, where the method is used.
std::string ldap(std::string_view settings) {
    return "[access]\nmethods = [\"ldap\"]\n[ldap]\n" + std::string(settings);
}

const std::string found_below = "base = \"dc=org\"\n";
const std::string local = "url = \"ldap://localhost\"\n";

const std::vector<Row> directories = {
    {"NothingIsSaidOf",
     ldap(""),
     {"c.toml:2: error: ldap.url: it must be said where the directory server is: \"ldaps://ldap.example.org\"",
      "c.toml:2: error: ldap.base: it must be said below which entry users are: \"ou=people,dc=example,dc=org\"; or "
      "user_dn what their entries are called"}},
    {"IsNotAsked", "[ldap]\nurl = \"http://x\"", {}},
    {"FoundBelow", ldap(local + found_below), {}},
    {"BoundDirectly", ldap("url = \"ldaps://a.org ldaps://b.org:636\"\nuser_dn = \"uid=${username},dc=org\""), {}},
    {"OfAnotherUrl",
     ldap("url = \"http://x\"\n" + found_below),
     {"c.toml:4: error: ldap.url: \"http://x\" is neither ldaps://HOST nor ldap://HOST, with or without :PORT; several "
      "have one space between"}},
    {"InClearText",
     ldap("url = \"ldap://a.org\"\n" + found_below),
     {"c.toml:4: warning: ldap.url: passwords travel to ldap://a.org unencrypted; write ldaps://, or start_tls = "
      "true"}},
    {"StartTls", ldap("url = \"ldap://a.org\"\nstart_tls = true\n" + found_below), {}},
    {"TwiceTls",
     ldap("url = \"ldaps://a.org\"\nstart_tls = true\n" + found_below),
     {"c.toml:5: error: ldap.start_tls: ldaps://a.org has TLS from its beginning; remove start_tls, or write ldap://"}},
    {"TooPatient",
     ldap(local + found_below + "timeout_seconds = \"60s\"\n[limits]\nconnect_timeout_seconds = 30\n"),
     {"c.toml:6: warning: ldap.timeout_seconds (\"1m\") is above limits.connect_timeout_seconds (\"30s\"): clients "
      "would be refused before the server has answered; lower the first or raise the second"}},
    {"TlsHereAndNotThere",
     ldap("url = \"LDAPS://a.org ldap://localhost\"\n" + found_below),
     {"c.toml:4: error: ldap.url: it has both ldaps:// and ldap://, so passwords could travel unencrypted whenever a "
      "server does not answer; write the same for all"}},
    {"SeveralWithACommaBetween",
     ldap("url = \"ldaps://a.org,b.org\"\n" + found_below),
     {"c.toml:4: error: ldap.url: \"ldaps://a.org,b.org\" is neither ldaps://HOST nor ldap://HOST, with or without "
      ":PORT; several have one space between"}},
    {"OneNameForAll",
     ldap(local + "user_dn = \"uid=x,dc=org\"\nuser_name_attribute = \"uid\""),
     {"c.toml:5: error: ldap.user_dn: it has no ${username}, so all users would be one"}},
    {"FilterForAll",
     ldap(local + found_below + "filter = \"(uid=*)\"\nuser_name_attribute = \"uid\""),
     {"c.toml:6: error: ldap.filter: it has no ${username}, so it finds everybody"}},
    {"FilterThatIsNone",
     ldap(local + found_below + "filter = \"(&(objectClass=user)(uid=${username})\""),
     {"c.toml:6: error: ldap.filter: \"(&(objectClass=user)(uid=${username})\" is no filter, as in "
      "\"(uid=${username})\"; its parentheses belong to it"}},
    {"UnknownName",
     ldap(local + "user_dn = \"${username}@example.org\""),
     {"c.toml:2: error: ldap.user_name_attribute: it must be said which attribute of an entry is the user name: "
      "\"uid\""}},
    {"BaseThatIsNone",
     ldap(local + "base = \"people\""),
     {"c.toml:5: error: ldap.base: \"people\" is no distinguished name, as in \"dc=example,dc=org\""}},
    {"NoPassword",
     ldap(local + found_below + "bind_dn = \"cn=x\""),
     {"c.toml:2: error: ldap.bind_password: it must be said where the password of bind_dn is: "
      "\"file:/etc/chappe/ldap\""}},
    {"NobodysPassword",
     ldap(local + found_below + "bind_password = \"env:X\""),
     {"c.toml:2: error: ldap.bind_dn: it must be said whose password bind_password is"}},
    {"Groups", ldap(local + found_below + "group_base = \"dc=org\"\ngroup_roles = [\"cn=a=editor\"]"), {}},
    {"GroupsWithoutRoles",
     ldap(local + found_below + "group_base = \"dc=org\""),
     {"c.toml:2: error: ldap.group_roles: groups give no roles as long as none is named here: "
      "[\"operators=editor\"]"}},
    {"GroupsNowhere",
     ldap(local + found_below + "group_roles = [\"a=editor\", \"operators\"]"),
     {"c.toml:2: error: ldap.group_base: it must be said below which entry the groups of group_roles are",
      "c.toml:6: error: ldap.group_roles: \"operators\" is not GROUP=ROLE, as in \"operators=editor\""}},
    {"GroupsOfAll",
     ldap(local + found_below + "group_base = \"dc=org\"\ngroup_roles = [\"a=editor\"]\ngroup_filter = \"(cn=*)\""),
     {"c.toml:8: error: ldap.group_filter: it has neither ${dn} nor ${username}, so everybody would be in all "
      "groups"}},
};
INSTANTIATE_TEST_SUITE_P(Directories, Check, testing::ValuesIn(directories), name_of);

const std::vector<Row> listeners = {
    {"Mqtts",
     "[server]\nlisten = [\"mqtts://127.0.0.1\"]\n",
     {"c.toml:2: error: mqtts://127.0.0.1:8883 needs a certificate: write certificates and keys below [tls], or "
      "--tls-certificate FILE --tls-key FILE"}},
    {"MqttsWithACertificateThatIsNotThere",
     "[server]\nlisten = [\"mqtts://127.0.0.1\"]\n[tls]\ncertificates = [\"/no/c.pem\"]\nkeys = [\"/no/c.key\"]\n",
     {"c.toml:2: error: mqtts://127.0.0.1:8883: /no/c.pem: No such file or directory"}},
    {"MqttsWithoutItsKey",
     "[tls]\ncertificates = [\"/no/c.pem\", \"/no/d.pem\"]\nkeys = [\"/no/c.key\"]\n[[listener]]\n"
     "url = \"mqtts://127.0.0.1\"\ntls_certificates = [\"/no/x.pem\"]\n",
     {"c.toml:2: error: tls.certificates has 2 files and tls.keys 1: each certificate needs its key",
      "c.toml:5: error: tls_certificates of mqtts://127.0.0.1:8883 has 1 files and tls_keys 0: each certificate needs "
      "its key"}},
    {"MqttsWithoutItsCa",
     "[tls]\ncertificates = [\"/no/c.pem\"]\nkeys = [\"/no/c.key\"]\nclient_crl = \"/no/crl.pem\"\n[[listener]]\n"
     "url = \"mqtts://127.0.0.1\"\ntls_client_certificates = \"required\"\n",
     {"c.toml:6: error: mqtts://127.0.0.1:8883 requires certificates of its clients, and there is no client_ca to say "
      "which are good"}},
    {"RevokedClientsOfNoCa",
     "[tls]\ncertificates = [\"/no/c.pem\"]\nkeys = [\"/no/c.key\"]\n[[listener]]\nurl = \"mqtts://127.0.0.1\"\n"
     "tls_client_crl = \"/no/crl.pem\"\n",
     {"c.toml:5: error: mqtts://127.0.0.1:8883 has a list of revoked certificates (client_crl), but clients are not "
      "asked "
      "for one: it needs a client_ca, and client_certificates not \"ignored\""}},
    {"TlsWhereThereIsNone",
     "[[listener]]\nurl = \"mqtt://127.0.0.1\"\ntls_client_ca = \"/no/ca.pem\"\n",
     {"c.toml:2: error: mqtt://127.0.0.1:1883 has settings of TLS, which it does not speak; write mqtts:// or remove "
      "them"}},
    {"HttpAndHttps",
     "[server]\nlisten = [\"http://127.0.0.1\",\n\"https://127.0.0.1\"]\n",
     {"c.toml:3: error: https://127.0.0.1:443 needs a certificate: write certificates and keys below [tls], or "
      "--tls-certificate FILE --tls-key FILE"}},
    {"TlsWhereThereIsOnlyHttp",
     "[[listener]]\nurl = \"http://127.0.0.1\"\ntls_client_ca = \"/no/ca.pem\"\n",
     {"c.toml:2: error: http://127.0.0.1:80 has settings of TLS, which it does not speak; write https:// or remove "
      "them"}},
    {"OriginsAndProxies",
     "[web]\norigins = [\"*\", \"null\", \"https://a.example:8443\"]\n"
     "[server]\ntrusted_proxies = [\"127.0.0.1\", \"fd00::/8\"]\n",
     {}},
    {"OriginsAndProxiesThatAreNone",
     "[web]\norigins = [\"a.example\", \"https://a.example/\"]\n[server]\ntrusted_proxies = [\"10.0.0.1/8\"]\n",
     {"c.toml:2: error: web.origins has \"a.example\", which no browser sends: write SCHEME://HOST or "
      "SCHEME://HOST:PORT, without a path, or \"*\" for all pages",
      "c.toml:2: error: web.origins has \"https://a.example/\", which no browser sends: write SCHEME://HOST or "
      "SCHEME://HOST:PORT, without a path, or \"*\" for all pages",
      "c.toml:4: error: server.trusted_proxies has \"10.0.0.1/8\", which is neither an address nor a network such as "
      "10.0.0.0/8"}},
    {"ProxyProtocol",
     "[server]\ntrusted_proxies = [\"127.0.0.1\"]\n"
     "[[listener]]\nurl = \"mqtt://127.0.0.1\"\nproxy_protocol = true\n",
     {}},
    {"ProxyProtocolOfNobody",
     "[[listener]]\nurl = \"mqtt://127.0.0.1\"\nproxy_protocol = true\n",
     {"c.toml:2: error: nobody could connect to mqtt://127.0.0.1:1883: it has proxy_protocol, and "
      "server.trusted_proxies is empty; write there the addresses of the proxies"}},
    {"ProxyProtocolAtAUnixSocket",
     "[server]\ntrusted_proxies = [\"127.0.0.1\"]\n[[listener]]\nurl = \"unix:/run/x.sock\"\nproxy_protocol = true\n",
     {"c.toml:4: error: unix:/run/x.sock cannot have proxy_protocol, since the proxies that may use it are known by "
      "their addresses; remove it, or listen at mqtt://127.0.0.1"}},
    {"TheSameTwice",
     "[server]\nlisten = [\"mqtt://127.0.0.1\"]\n[[listener]]\nurl = \"mqtt://127.0.0.1:1883\"\n",
     {"c.toml:4: error: mqtt://127.0.0.1:1883 is there twice, the first time from c.toml:2; remove one"}},
    {"AllAddressesAndOne",
     "[server]\nallow_anonymous = true\nlisten = [\"mqtt://127.0.0.1\",\n\"mqtt://0.0.0.0\"]\n",
     {"c.toml:4: warning: whoever reaches mqtt://0.0.0.0:1883" + open_to_everybody,
      "c.toml:4: error: mqtt://127.0.0.1:1883 takes the port of mqtt://0.0.0.0:1883 as well; remove one, or change its "
      "port"}},
    {"ModeWithoutUnixSocket",
     "[[listener]]\nurl = \"mqtt://127.0.0.1\"\nmode = \"0600\"\n",
     {"c.toml:2: error: mode is for Unix sockets, and mqtt://127.0.0.1:1883 is none; remove it"}},
    {"MoreConnectionsThanAllTogether",
     "[[listener]]\nurl = \"unix:/x\"\nconnections_max = 11\n[limits]\nconnections_max = 10\n",
     {"c.toml:2: warning: connections_max of unix:/x is above limits.connections_max (10), so it could never be "
      "reached"}},
};
INSTANTIATE_TEST_SUITE_P(Listeners, Check, testing::ValuesIn(listeners), name_of);

const std::vector<Row> limits = {
    {"LargerPacketsForStrangers",
     "[limits]\npacket_size_max = \"64 KiB\"\nconnect_packet_size_max = \"128 KiB\"\n",
     {"c.toml:3: error: limits.connect_packet_size_max (\"128 KiB\") is above limits.packet_size_max (\"64 KiB\"): "
      "strangers "
      "could send larger packets than clients; lower the first or raise the second"}},
    {"LargerPacketsForStrangersByDefault",
     "[limits]\npacket_size_max = \"64 KiB\"\n",
     {"c.toml:2: error: limits.connect_packet_size_max (\"256 KiB\" by default) is above limits.packet_size_max (\"64 "
      "KiB\"): "
      "strangers could send larger packets than clients; lower the first or raise the second"}},
    {"EqualIsFine", "[limits]\npacket_size_max = \"256 KiB\"\n", {}},
    {"LessUnsentThanAPacket", "[limits]\nunsent_bytes_max = \"64 KiB\"\n", {}},
    {"PacketsLargerThanQueues",
     "[limits]\nqueue_bytes_max = \"1 MiB\"\n",
     {"c.toml:2: warning: limits.packet_size_max (\"16 MiB\" by default) is above limits.queue_bytes_max (\"1 MiB\"): "
      "the "
      "largest messages could never be queued; lower the first or raise the second"}},
    {"PacketsLargerThanWhatIsRetained",
     "[limits]\nretained_bytes_max = \"1 MiB\"\n",
     {"c.toml:2: warning: limits.packet_size_max (\"16 MiB\" by default) is above limits.retained_bytes_max (\"1 "
      "MiB\"): the "
      "largest messages could never be retained; lower the first or raise the second"}},
    {"PacketsLargerThanMailboxes",
     "[limits]\nmailbox_bytes_max = \"1 MiB\"\n",
     {"c.toml:2: warning: limits.packet_size_max (\"16 MiB\" by default) is above limits.mailbox_bytes_max (\"1 "
      "MiB\"): one of "
      "the largest messages would fill a mailbox by itself; lower the first or raise the second"}},
    {"OneQueueAboveAll",
     "[limits]\nqueue_bytes_max = \"2 GiB\"\n",
     {"c.toml:2: warning: limits.queue_bytes_max (\"2 GiB\") is above limits.queued_bytes_total_max (\"1 GiB\" by "
      "default): the "
      "first bound could never be reached; lower the first or raise the second"}},
    {"OneSessionsSubscriptionsAboveAll",
     "[limits]\nsubscriptions_max = 100\n",
     {"c.toml:2: warning: limits.subscriptions_per_session_max (10000 by default) is above limits.subscriptions_max "
      "(100): the "
      "first bound could never be reached; lower the first or raise the second"}},
    {"MoreConnectionsThanSessions",
     "[limits]\nsessions_max = 100\n",
     {"c.toml:2: warning: limits.connections_max (100000 by default) is above limits.sessions_max (100): every "
      "connection has "
      "a session, so the first bound could never be reached; lower the first or raise the second"}},
    {"NothingOfARefusedValue",
     "[limits]\nconnect_packet_size_max = 1\npacket_size_max = \"64 KiB\"\n",
     {"c.toml:2: error: limits.connect_packet_size_max cannot be 1: the least is \"1 KiB\" and the most 268435460"}},
};
INSTANTIATE_TEST_SUITE_P(Limits, Check, testing::ValuesIn(limits), name_of);

TEST(CheckedSettings, HaveNoWildcardsInTheResponseTopic) {
    EXPECT_THAT(
        findings_of("[server]\nresponse_topic_prefix = \"a/+\"\n"),
        testing::ElementsAre("c.toml:2: error: server.response_topic_prefix cannot be \"a/+\": topics are published "
                             "to without the wildcards + and #"));
    EXPECT_THAT(findings_of("[server]\nresponse_topic_prefix = \"\"\n"), testing::IsEmpty());
}

TEST(CheckedSettings, PointsAtTheCommandLine) {
    EXPECT_THAT(findings_of("[server]\nallow_anonymous = true\n", {{"--listen", "server.listen", {"mqtt://0.0.0.0"}}}),
                testing::ElementsAre("--listen: warning: whoever reaches mqtt://0.0.0.0:1883" + open_to_everybody));
}

TEST(CheckedSettings, AWarningDoesNotStopTheBroker) {
    const ConfigurationFile file{"c.toml", "[limits]\nsessions_max = 100\n"};
    const auto loaded = load(&file, {}, {});
    EXPECT_EQ(loaded.findings.size(), 1u);
    EXPECT_FALSE(loaded.has_errors());
}

TEST(CheckedSettings, AnErrorDoes) {
    const ConfigurationFile file{"c.toml", "[limits]\nsessions_max = 0\n"};
    EXPECT_TRUE(load(&file, {}, {}).has_errors());
}

}  // namespace

}  // namespace chappe::server
