#include <algorithm>
#include <cstdint>
#include <limits>

#include "server/settings/keys/parts.h"

namespace chappe::server {
namespace {

using broker::Limits;

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;
// Limits in bytes are std::size_t, which has 32 bits on the smaller Raspberry Pis.
constexpr std::uint64_t memory_most =
    std::min<std::uint64_t>(1024 * 1024 * mib, std::numeric_limits<std::size_t>::max());

constexpr Word never{"never", mqtt::session_never_expires};

template <auto Member>
constexpr auto limit = at<Settings, &Settings::limits, Member>();

constexpr Key rows[] = {
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
             "password does, and as many where another server is asked. Further ones are refused as by a server that "
             "is busy. Who gives up makes room.",
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
};

}  // namespace

std::span<const Key> limits_keys() { return rows; }

}  // namespace chappe::server
