#include "broker/retained_topics.h"

#include <utility>

namespace chappe::broker {

MessagePtr RetainedTopics::find(std::string_view topic) const {
    const auto id = id_of(topic);
    return id == none ? MessagePtr() : entries_[id].message;
}

MessagePtr RetainedTopics::find(std::string_view topic, const RetainedQuery& query) const {
    const auto id = id_of(topic);
    return id != none && is_wanted(entries_[id], query) ? entries_[id].message : MessagePtr();
}

MessagePtr RetainedTopics::put(MessagePtr message, RetainedStamp stamp) {
    auto id = id_of(message->topic());
    if (id == none) id = add(*message);
    auto& entry = entries_[id];
    entry.stamp = stamp;
    auto previous = std::exchange(entry.message, std::move(message));
    note_expiry(id);
    return previous;
}

MessagePtr RetainedTopics::remove(std::string_view topic) {
    const auto id = id_of(topic);
    return id == none ? MessagePtr() : remove(id);
}

MessagePtr RetainedTopics::remove_expired(Instant now) {
    if (expiry_.first_at() > now || expiry_.empty()) return {};
    return remove(expiry_.first());
}

std::optional<std::string> RetainedTopics::match(TopicScan& scan, std::string_view from, const RetainedQuery& query,
                                                 std::size_t& looks, std::vector<MessagePtr>& out) const {
    auto left = query.messages_max;
    for (auto at = position_of(from); at != order_.end();) {
        const auto& entry = entries_[order_.at(at)];
        prefetch_beyond(at);
        if (looks == 0 || left == 0) return std::string(entry.message->topic());
        --looks;
        const auto step = scan.look(entry.message->topic());
        if (step.matches && is_wanted(entry, query)) {
            out.push_back(entry.message);
            --left;
        }
        at = after(at, step);
    }
    return std::nullopt;
}

// The messages are scattered over memory, and waiting for each one in turn was most of the time that match() took.
void RetainedTopics::prefetch_beyond(Order::Position position) const noexcept {
    constexpr std::size_t distance = 8;
    const auto& block = order_.blocks()[position.block];
    if (position.offset + distance >= block.size()) return;
    const auto* message = entries_[block[position.offset + distance]].message.get();
    __builtin_prefetch(message);
    __builtin_prefetch(message + 1);  // The topic.
}

RetainedTopics::Order::Position RetainedTopics::after(Order::Position position, const TopicScan::Step& step) const {
    switch (step.next) {
        case TopicScan::Next::Following:
            return order_.next(position);
        case TopicScan::Next::From:
            return position_of(step.topic, position);
        case TopicScan::Next::Beyond:
            return order_.lower_bound(
                [&](Id id) {
                    return compare_topics(topic(id), step.topic) < 0 || is_at_or_below(topic(id), step.topic);
                },
                position);
        case TopicScan::Next::None:
            break;
    }
    return order_.end();
}

RetainedTopics::Id RetainedTopics::id_of(std::string_view topic) const {
    return index_.find(hash_(topic), [&](Id id) { return this->topic(id) == topic; });
}

RetainedTopics::Order::Position RetainedTopics::position_of(std::string_view topic, Order::Position from) const {
    return order_.lower_bound([&](Id id) { return compare_topics(this->topic(id), topic) < 0; }, from);
}

// The message itself is the caller's to put in its place.
RetainedTopics::Id RetainedTopics::add(const Message& message) {
    const auto id = entries_.take();
    index_.insert(hash_(message.topic()), id);
    order_.insert(position_of(message.topic()), id);
    return id;
}

MessagePtr RetainedTopics::remove(Id id) {
    index_.erase(hash_(topic(id)), id);
    order_.erase(position_of(topic(id)));
    expiry_.erase(id);
    auto message = std::move(entries_[id].message);
    entries_.give_back(id);
    if (count() == 0) *this = RetainedTopics(hash_);  // Which gives the memory back.
    return message;
}

void RetainedTopics::note_expiry(Id id) {
    const auto& message = *entries_[id].message;
    if (message.expires()) {
        expiry_.set(id, message.expires_at());
    } else {
        expiry_.erase(id);
    }
}

}  // namespace chappe::broker
