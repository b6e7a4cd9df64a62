#include "broker/message.h"

#include <cstring>
#include <limits>
#include <new>

namespace chappe::broker {
namespace {

std::uint8_t* copy(Bytes from, std::uint8_t* to) noexcept {
    if (!from.empty()) std::memcpy(to, from.data(), from.size());
    return to + from.size();
}

}  // namespace

Message::Message(const Fields& fields)
    : expires_at_(fields.expires_at.value_or(Instant::max())),
      publisher_(fields.publisher),
      payload_size_(static_cast<std::uint32_t>(fields.payload.size())),
      properties_size_(static_cast<std::uint32_t>(fields.properties.size())),
      topic_size_(static_cast<std::uint16_t>(fields.topic.size())),
      qos_(fields.qos),
      retain_(fields.retain) {}

MessagePtr Message::create(const Fields& fields) {
    ASSERT(fields.topic.size() <= std::numeric_limits<std::uint16_t>::max());
    ASSERT(fields.payload.size() <= mqtt::remaining_length_max);
    ASSERT(fields.properties.size() <= mqtt::remaining_length_max);
    const auto text_size = fields.topic.size() + fields.properties.size() + fields.payload.size();
    void* memory = ::operator new(sizeof(Message) + text_size);
    auto* message = new (memory) Message(fields);
    auto* place = reinterpret_cast<std::uint8_t*>(message + 1);
    place = copy(as_bytes(fields.topic), place);
    place = copy(fields.properties, place);
    copy(fields.payload, place);
    return MessagePtr(message);
}

void Message::destroy(const Message* message) noexcept {
    message->~Message();
    ::operator delete(const_cast<Message*>(message));
}

std::uint32_t Message::expiry_seconds_left(Instant now) const noexcept {
    if (expires_at_ <= now) return 0;
    return static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(expires_at_ - now).count());
}

}  // namespace chappe::broker
