#pragma once

// The option -D, --property: COMMAND IDENTIFIER VALUE, or COMMAND user-property NAME VALUE, as in mosquitto_pub.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/chappe/clients/text.h"
#include "client/options.h"

namespace chappe::app {

// What -D can set, by the packet that carries it.
struct Properties {
    client::Options connect;  // Of this only the properties.
    std::optional<std::uint32_t> session_expiry_seconds;
    client::OwnedProperties publish;
    std::optional<std::uint16_t> topic_alias;
    client::OwnedProperties will;
    std::uint32_t will_delay_seconds = 0;
    std::optional<std::uint32_t> subscription_identifier;
    client::OwnedUserProperties subscribe;
    client::OwnedUserProperties unsubscribe;
    client::OwnedUserProperties disconnect;
    std::optional<std::uint32_t> disconnect_session_expiry_seconds;
    bool any_of_will = false;  // To refuse them without a will.
};

// Takes one -D with its three or four words.
[[nodiscard]] Checked<> add_property(const std::vector<std::string>& words, Properties& properties);

// "3600", or "-1", "never" and the sign for infinity for a session that does not expire.
[[nodiscard]] Checked<std::uint32_t> parse_session_expiry(std::string_view text);

// For --help: what each command may have.
[[nodiscard]] std::string list_properties();

}  // namespace chappe::app
