#include "server/settings/keys/parts.h"

namespace chappe::server {
namespace {

template <auto Member>
constexpr auto hook_member = at<Settings, &Settings::access, &AccessSettings::hook, Member>();

constexpr Key rows[] = {
    {.section = "hook",
     .name = "url",
     .type = Type::Text,
     .range = {0, 2048},
     .reload = Reload::Now,
     .text = "Where the server is asked, with POST. Passwords travel there: write `https://`, or keep it on this "
             "machine.",
     .example = R"("https://users.example.com/mqtt-login")",
     .access = hook_member<&HookSettings::url>},
    {.section = "hook",
     .name = "secret",
     .type = Type::Text,
     .range = {0, path_length_max},
     .reload = Reload::Now,
     .text = "Where the secret is that tells the server that it is the broker who asks: `file:PATH`, `env:NAME`, or "
             "`credential:NAME` for a credential of systemd. It is sent as `Authorization: Bearer SECRET`, and a file "
             "is read again when it changes. Empty: none is sent.",
     .example = R"("file:/etc/chappe/hook.secret")",
     .access = hook_member<&HookSettings::secret>},
    {.section = "hook",
     .name = "ca_file",
     .type = Type::Path,
     .range = {0, path_length_max},
     .reload = Reload::Now,
     .text = "The CAs whose certificates the server may have, PEM; no others are trusted then. Empty: the CAs of the "
             "system.",
     .example = R"("/etc/chappe/ca.pem")",
     .access = hook_member<&HookSettings::ca_file>},
    {.section = "hook",
     .name = "timeout_seconds",
     .type = Type::Duration,
     .range = {1, 60},
     .reload = Reload::Now,
     .text = "How long the server may take to answer. A client that it has not decided about by then is refused.",
     .example = R"("2s")",
     .access = hook_member<&HookSettings::timeout_seconds>},
    {.section = "hook",
     .name = "cache_seconds",
     .type = Type::Duration,
     .range = {0, 86'400},
     .word = off,
     .reload = Reload::Now,
     .text = "How long the server is not asked again about a client whom it has let in and who comes with the same "
             "name, password, client identifier, address, certificate and preshared key. A digest with a key that "
             "never leaves the "
             "memory is kept, no password, of at most 10,000 clients. Refusals are not kept.",
     .example = R"("10m")",
     .access = hook_member<&HookSettings::cache_seconds>},
    {.section = "hook",
     .name = "roles",
     .type = Type::Texts,
     .range = {1, 256},
     .reload = Reload::Now,
     .text = "The roles of a client that the server lets in and that has no account of its name, whatever else the "
             "answer says.",
     .example = R"(["viewer"])",
     .access = hook_member<&HookSettings::roles>},
    {.section = "hook",
     .name = "roles_allowed",
     .type = Type::Texts,
     .range = {1, 256},
     .reload = Reload::Now,
     .text = "The roles that an answer may give besides; all others that it names are passed over.",
     .example = R"(["editor", "viewer"])",
     .access = hook_member<&HookSettings::roles_allowed>},
};

}  // namespace

std::span<const Key> hook_keys() { return rows; }

}  // namespace chappe::server
