#include "broker/counters.h"

namespace chappe::broker {

std::string_view to_string(DropReason reason) noexcept {
    static constexpr auto names = std::to_array<std::string_view>({
        "queue_full",  // In the order of the enumerators.
        "queues_full",
        "rejected",
        "unsent_full",
        "offline",
        "expired",
        "packet_too_large",
        "session_ended",
        "not_authorized",
        "retained_full",
        "refused_by_subscriber",
        "no_member",
    });
    static_assert(names.size() == drop_reason_count);
    return names[static_cast<std::size_t>(reason)];
}

std::string_view to_string(Bound bound) noexcept {
    static constexpr auto names = std::to_array<std::string_view>({
        "packet_size_max",  // In the order of the enumerators.
        "connect_packet_size_max",
        "topic_length_max",
        "topic_levels_max",
        "user_properties_max",
        "filters_per_packet_max",
        "client_id_length_max",
        "connections_max",
        "connect_timeout_seconds",
        "connections_before_login_max",
        "logins_waiting_max",
        "address_connects_per_minute_max",
        "client_connects_per_minute_max",
        "flapping_wait_seconds",
        "tls_handshakes_per_second_max",
        "keep_alive_max_seconds",
        "unsent_bytes_max",
        "unsent_bytes_total_max",
        "unfinished_bytes_total_max",
        "topic_alias_max",
        "sessions_max",
        "sessions_bytes_max",
        "session_expiry_max_seconds",
        "will_delay_max_seconds",
        "subscriptions_per_session_max",
        "subscriptions_max",
        "subscription_bytes_max",
        "receive_maximum",
        "inflight_max",
        "queue_messages_max",
        "queue_bytes_max",
        "queued_bytes_total_max",
        "mailbox_bytes_max",
        "retained_messages_max",
        "retained_bytes_max",
    });
    static_assert(names.size() == bound_count);
    return names[static_cast<std::size_t>(bound)];
}

}  // namespace chappe::broker
