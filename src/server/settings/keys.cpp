#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/assert.h"
#include "server/settings/key.h"
#include "server/settings/keys/parts.h"

namespace chappe::server {
namespace {

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
    {"hook",
     "An HTTP server that is asked who a client is, for the method `http` of `access.methods`; see "
     "[access](access.md#an-http-server-that-decides).",
     false},
    {"ldap",
     "Accounts in LDAP or Active Directory, for the method `ldap` of `access.methods`; see "
     "[access](access.md#accounts-in-ldap-or-active-directory).",
     false},
    {"log", "What is written about the broker's work, and where.", false},
    {"limits",
     "The bounds of memory and of what one client can ask for. What happens at each bound is counted under its name "
     "below `$SYS/broker/`.",
     false},
    {"policy", "Where the standard leaves the server a choice.", false},
};

const std::vector<Key>& all_keys() {
    static const auto all = [] {
        std::vector<Key> joined;
        for (const auto& part : {server_keys(), listener_keys(), tls_keys(), web_keys(), access_keys(), jwt_keys(),
                                 hook_keys(), ldap_keys(), log_keys(), limits_keys(), policy_keys()}) {
            joined.insert(joined.end(), part.begin(), part.end());
        }
        return joined;
    }();
    return all;
}

}  // namespace

std::span<const Section> sections() { return all_sections; }
std::span<const Key> keys() { return all_keys(); }

const Section* find_section(std::string_view name) {
    const auto* found = std::ranges::find(all_sections, name, &Section::name);
    return found == std::end(all_sections) ? nullptr : found;
}

const Key* find_key(std::string_view section, std::string_view name) {
    const auto found =
        std::ranges::find_if(all_keys(), [&](const Key& key) { return key.section == section && key.name == name; });
    return found == all_keys().end() ? nullptr : &*found;
}

const Key* find_key(std::string_view full_name) {
    const auto dot = full_name.find('.');
    if (dot == std::string_view::npos) return nullptr;
    return find_key(full_name.substr(0, dot), full_name.substr(dot + 1));
}

std::size_t index_of(const Key& key) {
    const auto& all = all_keys();
    ASSERT(&key >= all.data() && &key < all.data() + all.size());
    return static_cast<std::size_t>(&key - all.data());
}

}  // namespace chappe::server
