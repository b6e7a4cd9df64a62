#pragma once

// The messages of QoS 1 and 2 sent to one client and not yet acknowledged (4.3, 4.4, 4.9), in the order of sending.
// Owned by a Session, so it outlives the network connection.
//
// Packet identifiers are given out in turn, so an identifier's place is its distance from the oldest one's, and
// acknowledgements are found without a table. An entry acknowledged out of order stays as a gap until those before it
// are gone; an entry that is not acknowledged while thousands after it are is set aside, so that a client that forgets
// one acknowledgement neither makes the gaps pile up nor stops all that follows. Two numbers are kept apart: which
// entries exist (they survive the connection) and how many PUBLISH packets of this connection await an answer (the
// quota of 4.9, which starts anew with each connection).

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/ring.h"
#include "broker/delivery.h"
#include "mqtt/types.h"

namespace chappe::broker {

class InflightWindow {
public:
    enum class State : std::uint8_t {
        Published,  // PUBLISH sent; PUBACK or PUBREC is awaited.
        Released,   // PUBREC received and PUBREL sent; PUBCOMP is awaited. The message itself is no longer needed.
        Gone,       // Acknowledged; a gap.
    };

    struct Entry {
        Delivery delivery;
        State state = State::Published;
        bool takes_quota = false;       // Its PUBLISH was sent on this connection.
        std::uint32_t released_at = 0;  // Its place in the order in which PUBREC packets came.
    };

    // A connection begins: everything is to be sent again, and at most `send_quota` PUBLISH at a time.
    void resume(std::uint16_t send_quota) noexcept;

    // Whether a new message may be sent: all old ones have been sent again and the quota is not used up.
    // Holds at most live_max entries, so that half of all identifiers are free whatever the client's Receive Maximum
    // is.
    [[nodiscard]] bool has_room() const noexcept { return room() != 0; }
    // For how many.
    [[nodiscard]] std::size_t room() const noexcept;
    // Takes a message that is being sent now. The caller has asked has_room().
    [[nodiscard]] mqtt::PacketId add(Delivery delivery);

    // The next PUBLISH to be sent again on this connection, the oldest first; nothing at the end, or while the quota is
    // used up. The caller then calls sent_again() or remove() for it.
    [[nodiscard]] std::optional<mqtt::PacketId> next_to_send_again() noexcept;
    void sent_again(mqtt::PacketId id);

    // Nothing when there is no such packet identifier in use.
    [[nodiscard]] Entry* find(mqtt::PacketId id) noexcept;

    // PUBREC received: the message is let go, its packet identifier stays in use.
    void release(mqtt::PacketId id);
    // The exchange is complete, or given up. Gives the delivery back; its message is null if it had been released.
    Delivery remove(mqtt::PacketId id);

    // All that await PUBCOMP, in the order in which their PUBREC packets came.
    [[nodiscard]] std::vector<mqtt::PacketId> released() const;

    // Removes the entries for which picked(const Entry&) is true, and appends their deliveries to `out` in order.
    template <class Picked>
    void extract(Picked picked, std::vector<Delivery>& out) {
        for (std::size_t index = 0; index != count(); ++index) {
            auto& entry = at(index);
            if (entry.state != State::Gone && picked(std::as_const(entry))) out.push_back(end(entry));
        }
        trim();
    }

    // Calls visit(const Entry&) for each, in order.
    template <class Visit>
    void for_each(Visit visit) const {
        for (std::size_t index = 0; index != count(); ++index) {
            if (at(index).state != State::Gone) visit(at(index));
        }
    }

    [[nodiscard]] std::size_t size() const noexcept { return live_; }
    // The memory that they take, with their messages.
    [[nodiscard]] std::size_t size_bytes() const noexcept { return bytes_; }
    // And that one more would take.
    [[nodiscard]] static std::size_t cost(const Message& message) noexcept {
        return sizeof(Entry) + message.size_bytes();
    }

private:
    struct Straggler {
        mqtt::PacketId id;
        Entry entry;
    };

    static constexpr std::size_t ids = 65'535;
    static constexpr std::size_t live_max = ids / 2;
    static constexpr std::size_t set_aside_from = 1024;  // Entries and gaps.

    // An index counts the stragglers first, which are the oldest, and then the entries in turn.
    [[nodiscard]] std::size_t count() const noexcept { return stragglers_.size() + entries_.size(); }
    [[nodiscard]] const Entry& at(std::size_t index) const noexcept {
        return index < stragglers_.size() ? stragglers_[index].entry : entries_[index - stragglers_.size()];
    }
    [[nodiscard]] Entry& at(std::size_t index) noexcept { return const_cast<Entry&>(std::as_const(*this).at(index)); }
    [[nodiscard]] mqtt::PacketId id_at(std::size_t index) const noexcept {
        return index < stragglers_.size() ? stragglers_[index].id : id_in_turn(index - stragglers_.size());
    }
    [[nodiscard]] mqtt::PacketId id_in_turn(std::size_t place) const noexcept {
        return mqtt::PacketId{static_cast<std::uint16_t>((first_id_ - 1U + place) % ids + 1)};
    }
    // Of the entry that has this identifier, or would have it; count() or more where there is none.
    [[nodiscard]] std::size_t index_of(mqtt::PacketId id) const noexcept;
    [[nodiscard]] bool is_straggler(mqtt::PacketId id) const noexcept;
    [[nodiscard]] static std::size_t cost(const Delivery& delivery) noexcept {
        return delivery.message ? cost(*delivery.message) : sizeof(Entry);
    }
    [[nodiscard]] Delivery end(Entry& entry);
    void trim();
    void pop_first_in_turn();
    void set_aside_oldest();

    std::vector<Straggler> stragglers_;
    Ring<Entry> entries_;
    std::size_t send_again_at_ = 0;  // Entries from here on have not been sent on this connection.
    std::size_t bytes_ = 0;
    std::uint32_t live_ = 0;
    std::uint16_t first_id_ = 1;  // Of entries_[0].
    std::uint16_t send_quota_ = 0;
    std::uint16_t quota_taken_ = 0;
    std::uint32_t releases_ = 0;  // So far; may start again at 0.
};

}  // namespace chappe::broker
