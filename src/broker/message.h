#pragma once

// An application message on its way: immutable, shared by all who are owed it, in one block of memory.

#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/time.h"
#include "mqtt/types.h"

namespace chappe::broker {

class Message;

// Counts references; may be copied to other threads, since a Message never changes.
class MessagePtr {
public:
    MessagePtr() noexcept = default;
    MessagePtr(const MessagePtr& other) noexcept;
    MessagePtr(MessagePtr&& other) noexcept : message_(std::exchange(other.message_, nullptr)) {}
    MessagePtr& operator=(MessagePtr other) noexcept {
        std::swap(message_, other.message_);
        return *this;
    }
    ~MessagePtr();

    const Message& operator*() const noexcept { return *message_; }
    const Message* operator->() const noexcept { return message_; }
    [[nodiscard]] const Message* get() const noexcept { return message_; }
    explicit operator bool() const noexcept { return message_ != nullptr; }
    friend bool operator==(const MessagePtr& a, const MessagePtr& b) noexcept = default;

private:
    friend class Message;
    explicit MessagePtr(const Message* adopted) noexcept : message_(adopted) {}

    const Message* message_ = nullptr;
};

// Who published a message: a client, by the hash of its identifier, since that is what No Local compares
// ([MQTT-3.8.3-3]), whatever has become of the session meanwhile. Zero: the broker itself, or a feature of it. The hash
// is keyed: whoever keeps messages for longer than the process lasts keeps its key as well.
using ClientKey = Id<struct ClientKeyTag, std::uint64_t>;

[[nodiscard]] inline ClientKey client_key(const TextHash& hash, std::string_view client_id) noexcept {
    return ClientKey{hash(client_id) | 1};
}

class Message {
public:
    struct Fields {
        std::string_view topic;
        Bytes payload;
        Bytes properties;  // As mqtt::encode_forwarded_properties() writes them.
        mqtt::QoS qos = mqtt::QoS::AtMostOnce;
        bool retain = false;
        std::optional<Instant> expires_at;
        ClientKey publisher;
    };

    // Copies what the views point to: the one copy that a message costs.
    [[nodiscard]] static MessagePtr create(const Fields& fields);

    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;

    [[nodiscard]] std::string_view topic() const noexcept {
        return {reinterpret_cast<const char*>(text()), topic_size_};
    }
    [[nodiscard]] Bytes properties() const noexcept { return {text() + topic_size_, properties_size_}; }
    [[nodiscard]] Bytes payload() const noexcept { return {text() + topic_size_ + properties_size_, payload_size_}; }
    [[nodiscard]] mqtt::QoS qos() const noexcept { return qos_; }
    [[nodiscard]] bool retain() const noexcept { return retain_; }
    [[nodiscard]] ClientKey publisher() const noexcept { return publisher_; }

    [[nodiscard]] bool expires() const noexcept { return expires_at_ != Instant::max(); }
    [[nodiscard]] Instant expires_at() const noexcept { return expires_at_; }
    [[nodiscard]] bool expired(Instant now) const noexcept { return expires_at_ <= now; }
    // The Message Expiry Interval to send: what was received less the full seconds waited ([MQTT-3.3.2-6]).
    [[nodiscard]] std::uint32_t expiry_seconds_left(Instant now) const noexcept;

    // Outputs that refer to it, of all shards, so that it counts once however many those are. Return whether it is the
    // first, and whether it was the last.
    [[nodiscard]] bool begin_unsent() const noexcept { return unsent_.fetch_add(1, std::memory_order_relaxed) == 0; }
    [[nodiscard]] bool end_unsent() const noexcept { return unsent_.fetch_sub(1, std::memory_order_relaxed) == 1; }

    // The memory it takes, which bounds in bytes count.
    [[nodiscard]] std::size_t size_bytes() const noexcept {
        return sizeof(Message) + topic_size_ + properties_size_ + payload_size_;
    }

private:
    friend class MessagePtr;
    explicit Message(const Fields& fields);

    [[nodiscard]] const std::uint8_t* text() const noexcept { return reinterpret_cast<const std::uint8_t*>(this + 1); }
    static void destroy(const Message* message) noexcept;

    Instant expires_at_;  // Instant::max(): never.
    ClientKey publisher_;
    mutable std::atomic<std::uint32_t> references_ = 1;
    mutable std::atomic<std::uint32_t> unsent_ = 0;
    std::uint32_t payload_size_;
    std::uint32_t properties_size_;
    std::uint16_t topic_size_;
    mqtt::QoS qos_;
    bool retain_;
};

inline MessagePtr::MessagePtr(const MessagePtr& other) noexcept : message_(other.message_) {
    if (message_ != nullptr) message_->references_.fetch_add(1, std::memory_order_relaxed);
}

inline MessagePtr::~MessagePtr() {
    if (message_ != nullptr && message_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        Message::destroy(message_);
    }
}

}  // namespace chappe::broker
