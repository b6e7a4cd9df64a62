#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "client/event.h"
#include "client/packet_ids.h"
#include "client/stored_publish.h"

namespace chappe::client {

// The messages that the caller published: those that wait, and those in flight, which are sent and not yet
// acknowledged (4.4). It outlives the network connection. Messages go out in the order of publishing, whatever their
// QoS; after a reconnection those in flight go first, again in that order ([MQTT-4.6.0-1]).
class Outbox {
public:
    struct Bounds {
        std::size_t messages;
        std::size_t bytes;
    };

    explicit Outbox(const Bounds& bounds) : bounds_(bounds) {}

    [[nodiscard]] bool full() const noexcept { return size() >= bounds_.messages || bytes_ >= bounds_.bytes; }
    // A quarter below the bounds: for telling the caller to go on, without telling for each single message.
    [[nodiscard]] bool roomy() const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return waiting_.size() + in_flight_.size(); }
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

    PublishToken add(StoredPublish publish);

    // --- A connection

    // The server has kept its half of the session: what is in flight goes out again.
    void resume();
    // The server has none: what it had not taken over goes out as if for the first time. Returns the messages of QoS 2
    // that it had taken over (PUBREC had come), which are done.
    [[nodiscard]] std::vector<PublishToken> restart(PacketIds& ids);
    // Takes out the waiting messages that `allowed` refuses, calling `refused` for each.
    template <class Allowed, class Refused>
    void remove_waiting(Allowed allowed, Refused refused);

    // The packet ids of PUBREL to send again, in the order in which their PUBREC came ([MQTT-4.6.0-4]).
    [[nodiscard]] std::vector<mqtt::PacketId> unfinished_releases() const;

    // Sends the next PUBLISH with write(const StoredPublish&), and returns whether there was one to send: at most
    // `in_flight_max` may be unacknowledged on this connection.
    template <class Write>
    bool send_next(std::size_t in_flight_max, PacketIds& ids, Write write);

    // --- Acknowledgements. An id that is not in flight yields UnknownId, one of the other QoS ProtocolError.

    enum class Outcome : std::uint8_t {
        Done,       // The message has left the outbox.
        Release,    // PUBREL is due.
        UnknownId,  // Nothing in flight has this packet id.
        WrongKind,  // The packet does not go with the QoS or state of the message: the server broke the protocol.
    };
    struct Acknowledged {
        Outcome outcome = Outcome::UnknownId;
        PublishToken token;
    };

    [[nodiscard]] Acknowledged on_puback(mqtt::PacketId id, PacketIds& ids);
    [[nodiscard]] Acknowledged on_pubrec(mqtt::PacketId id, mqtt::ReasonCode code, PacketIds& ids);
    [[nodiscard]] Acknowledged on_pubcomp(mqtt::PacketId id, PacketIds& ids);

private:
    enum class Stage : std::uint8_t { AwaitsPubAck, AwaitsPubRec, AwaitsPubComp };

    struct Waiting {
        PublishToken token;
        StoredPublish publish;
    };
    struct InFlight {
        mqtt::PacketId packet_id;
        Stage stage;
        bool sent;              // On this connection.
        std::uint64_t release;  // Orders the PUBREL; 0 until PUBREC has come.
        StoredPublish publish;
    };
    using Entry = std::map<PublishToken, InFlight>::iterator;

    [[nodiscard]] Entry find(mqtt::PacketId id);
    Acknowledged finish(Entry entry, PacketIds& ids);
    [[nodiscard]] Entry next_unsent();
    InFlight& put_in_flight(Waiting waiting, PacketIds& ids);

    Bounds bounds_;
    std::uint64_t last_token_ = 0;
    std::uint64_t last_release_ = 0;
    std::size_t bytes_ = 0;
    std::deque<Waiting> waiting_;
    std::map<PublishToken, InFlight> in_flight_;  // In the order of publishing.
    std::unordered_map<mqtt::PacketId, PublishToken> by_id_;
    std::size_t sent_ = 0;    // Of those in flight, how many on this connection.
    PublishToken unsent_{0};  // No message in flight before this token is unsent.
};

template <class Allowed, class Refused>
void Outbox::remove_waiting(Allowed allowed, Refused refused) {
    std::erase_if(waiting_, [&](const Waiting& waiting) {
        if (allowed(waiting.publish)) return false;
        bytes_ -= waiting.publish.size();
        refused(waiting.token, waiting.publish);
        return true;
    });
}

template <class Write>
bool Outbox::send_next(std::size_t in_flight_max, PacketIds& ids, Write write) {
    const bool window_open = sent_ < in_flight_max;
    if (sent_ < in_flight_.size()) {  // Those of an earlier connection first.
        const auto entry = window_open ? next_unsent() : in_flight_.end();
        if (entry == in_flight_.end()) return false;
        write(std::as_const(entry->second.publish));
        entry->second.sent = true;
        ++sent_;
        return true;
    }
    if (waiting_.empty()) return false;
    if (waiting_.front().publish.qos() == mqtt::QoS::AtMostOnce) {
        write(std::as_const(waiting_.front().publish));
        bytes_ -= waiting_.front().publish.size();
        waiting_.pop_front();
        return true;
    }
    if (!window_open || !ids.available()) return false;
    auto waiting = std::move(waiting_.front());
    waiting_.pop_front();
    write(std::as_const(put_in_flight(std::move(waiting), ids).publish));
    return true;
}

}  // namespace chappe::client
