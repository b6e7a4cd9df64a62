#pragma once

// What client and broker say to each other on one connection, read by somebody who stands between them and knows the
// standard: every packet of the broker must be one that it may send at that moment.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "fuzz/connection/ports.h"
#include "fuzz/connection/trace.h"
#include "mqtt/packet.h"

namespace chappe::fuzz {

// What a client has subscribed to on all of its connections, whatever became of it.
struct Asked {
    std::vector<std::string> filters;  // Without "$share/NAME/".
    std::vector<std::uint32_t> identifiers;
};
using AskedByClient = std::map<std::string, std::shared_ptr<Asked>, std::less<>>;

class Conversation {
public:
    // `name` is for the trace.
    Conversation(std::size_t name, AskedByClient& clients, const FuzzPermissions& permissions, const Trace& trace)
        : name_(name), clients_(clients), permissions_(permissions), trace_(trace) {}

    // The next bytes that the broker reads, or has written.
    void sent(Bytes bytes);
    void received(Bytes bytes);

    // A message of the broker that it waits for the client to acknowledge.
    struct Unacknowledged {
        mqtt::QoS qos = mqtt::QoS::AtLeastOnce;
        bool released = false;     // PUBREC has been sent.
        bool takes_quota = false;  // PUBLISH came on this connection.
    };
    [[nodiscard]] const std::map<mqtt::PacketId, Unacknowledged>& unacknowledged() const noexcept {
        return unacknowledged_;
    }
    // How much of the client's Receive Maximum is taken, at least; `exact` where it is just that.
    [[nodiscard]] std::size_t quota_taken() const noexcept;
    [[nodiscard]] bool exact() const noexcept { return exact_; }

    [[nodiscard]] mqtt::ProtocolVersion version() const noexcept { return version_; }
    [[nodiscard]] bool accepted() const noexcept { return state_ == State::Accepted; }
    [[nodiscard]] const std::string& client_id() const noexcept { return client_id_; }
    // Whether the broker has answered all that has to be answered. `withdrawn`: but for what it may have taken back.
    [[nodiscard]] bool all_answered(bool withdrawn) const noexcept;

private:
    enum class State : std::uint8_t {
        AwaitsConnect,
        Connecting,  // CONNECT has been sent, and CONNACK has not come.
        Accepted,
        Ended,  // DISCONNECT, or a CONNACK that refuses.
    };
    struct Answer {
        mqtt::PacketId packet_id;
        std::size_t reason_codes = 0;
    };
    struct OwedAck {
        mqtt::PacketId packet_id;
        mqtt::QoS qos = mqtt::QoS::AtLeastOnce;
    };

    void client_sends(const mqtt::Connect& connect);
    void client_sends(const mqtt::Publish& publish);
    void client_sends(const mqtt::PubAck& ack);
    void client_sends(const mqtt::PubRec& ack);
    void client_sends(const mqtt::PubRel& release);
    void client_sends(const mqtt::PubComp& complete);
    void client_sends(const mqtt::Subscribe& subscribe);
    void client_sends(const mqtt::Unsubscribe& unsubscribe);
    void client_sends(const mqtt::PingReq& ping);
    template <class Other>
    void client_sends(const Other&) {}

    void broker_sends(const mqtt::ConnAck& connack);
    void broker_sends(const mqtt::Publish& publish);
    void broker_sends(const mqtt::PubAck& ack);
    void broker_sends(const mqtt::PubRec& ack);
    void broker_sends(const mqtt::PubRel& release);
    void broker_sends(const mqtt::PubComp& complete);
    void broker_sends(const mqtt::SubAck& suback);
    void broker_sends(const mqtt::UnsubAck& unsuback);
    void broker_sends(const mqtt::PingResp& pong);
    void broker_sends(const mqtt::Disconnect& disconnect);
    void broker_sends(const mqtt::Auth& auth);
    template <class ClientsOnly>
    void broker_sends(const ClientsOnly& packet);

    template <class Packet>
    void check_problem_information(const Packet& packet) const;
    [[nodiscard]] std::string_view topic_of(const mqtt::Publish& publish);
    void note_early(mqtt::PacketId packet_id);
    void check_topic(std::string_view topic) const;
    void take_owed(mqtt::PacketId packet_id, mqtt::QoS qos);
    static void take_answer(std::deque<Answer>& owed, mqtt::PacketId packet_id, std::size_t reason_codes);

    const std::size_t name_;
    AskedByClient& clients_;
    const FuzzPermissions& permissions_;
    const Trace& trace_;
    Buffer from_client_;
    Buffer from_broker_;
    bool client_is_legible_ = true;  // What follows a malformed packet is not read by anybody.

    State state_ = State::AwaitsConnect;
    mqtt::ProtocolVersion version_ = mqtt::ProtocolVersion::V5;
    std::string client_id_;
    std::shared_ptr<Asked> asked_ = std::make_shared<Asked>();
    bool clean_start_ = true;
    bool legal_connect_ = false;
    bool problem_information_ = true;
    std::uint16_t receive_maximum_ = 65'535;
    std::uint32_t packet_size_max_ = mqtt::packet_size_limit;
    std::uint16_t topic_alias_maximum_ = 0;
    std::optional<std::string> authentication_method_;

    std::map<std::uint16_t, std::string> aliases_;
    std::map<mqtt::PacketId, Unacknowledged> unacknowledged_;
    std::set<mqtt::PacketId> early_;
    bool exact_ = true;
    std::deque<OwedAck> owed_acks_;  // For the client's PUBLISH packets, in their order.
    std::deque<Answer> subacks_;
    std::deque<Answer> unsubacks_;
    std::map<mqtt::PacketId, unsigned> pubrecs_;  // That the client has sent and that have no PUBREL yet.
    std::deque<mqtt::PacketId> pubcomps_;
    std::size_t pongs_ = 0;
};

}  // namespace chappe::fuzz
