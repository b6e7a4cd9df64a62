// The topic tree, the match cache and the retained store against the obvious: maps, and mqtt::matches().
//
// The input is lines, each a letter, a digit, and a topic filter or a topic:
//   s1a/+  session 1 subscribes to a/+        u1a/+  session 1 unsubscribes from it
//   r1a/b  a message is retained for a/b      r0a/b  it is removed
//   m1a/b  a message is published to a/b      w1a/+  retained messages for a new subscription to a/+

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "broker/match_cache.h"
#include "broker/retained_store.h"
#include "broker/topic_scan.h"
#include "broker/topic_tree.h"
#include "mqtt/topic.h"

namespace chappe::broker {
namespace {

constexpr std::size_t cached_topics_max = 4;

struct ByTopic {
    bool operator()(const std::string& a, const std::string& b) const { return compare_topics(a, b) < 0; }
};

class Comparison {
public:
    void run(std::string_view line) {
        if (line.size() < 3) return;
        const auto digit = static_cast<std::uint64_t>(line[1]) % 8;
        const std::string text(line.substr(2));
        const bool filter = mqtt::is_valid_topic_filter(text) && !text.starts_with("$share/");
        const bool topic = mqtt::is_valid_topic_name(text);
        if (line[0] == 's' && filter) subscribe(text, digit);
        if (line[0] == 'u' && filter) unsubscribe(text, digit);
        if (line[0] == 'w' && filter) match_retained(text);
        if (line[0] == 'r' && topic) retain(text, digit != 0);
        if (line[0] == 'm' && topic) publish(text);
    }

    ~Comparison() {
        for (const auto& [filter, id] : subscriptions_) ASSERT(tree_.remove(filter, session(id)));
        ASSERT(tree_.subscription_count() == 0);
        ASSERT(tree_.node_count() == 0);
    }

private:
    static SubscriberId session(std::uint64_t id) {
        return {ShardId{static_cast<std::uint16_t>(id % 2)}, SubscriberKind::Session, id};
    }

    void subscribe(const std::string& filter, std::uint64_t id) {
        ASSERT(tree_.add(filter, {.subscriber = session(id)}) == subscriptions_.emplace(filter, id).second);
    }

    void unsubscribe(const std::string& filter, std::uint64_t id) {
        ASSERT(tree_.remove(filter, session(id)) == (subscriptions_.erase({filter, id}) == 1));
    }

    void publish(const std::string& topic) {
        std::multimap<SubscriberId, std::string> expected;
        for (const auto& [filter, id] : subscriptions_) {
            if (mqtt::matches(filter, topic)) expected.emplace(session(id), filter);
        }
        for (const auto& matches : {tree_.match(topic), cache_.match(topic)}) {
            ASSERT(matches->all().size() == expected.size());
            auto next = expected.begin();
            for (const auto& one : matches->all()) ASSERT(one.subscriber == next++->first);
        }
    }

    void retain(const std::string& topic, bool keep) {
        const auto payload = keep ? std::string_view("x") : std::string_view();
        const auto message = Message::create({.topic = topic, .payload = as_bytes(payload), .retain = true});
        retained_.set(message);
        if (keep) {
            messages_[topic] = message;
        } else {
            messages_.erase(topic);
        }
        ASSERT(retained_.count() == messages_.size());
    }

    void match_retained(const std::string& filter) {
        std::vector<MessagePtr> expected;
        for (const auto& [topic, message] : messages_) {
            if (mqtt::matches(filter, topic)) expected.push_back(message);
        }
        std::vector<MessagePtr> found;
        RetainedStore::Place place;
        for (bool more = true; more;) {
            std::size_t looks = 1 + filter.size() % 3;
            more = retained_.read({.filter = filter, .until = retained_.stamp(), .now = {}}, place, looks, found);
        }
        // Topics with different first levels come in any order.
        std::ranges::sort(found, [](auto& a, auto& b) { return compare_topics(a->topic(), b->topic()) < 0; });
        ASSERT(found == expected);
    }

    TopicTree tree_;
    MatchCache cache_{tree_, cached_topics_max};
    RetainedStore retained_{std::numeric_limits<std::uint32_t>::max(), std::numeric_limits<std::size_t>::max()};
    std::set<std::pair<std::string, std::uint64_t>> subscriptions_;
    std::map<std::string, MessagePtr, ByTopic> messages_;
};

}  // namespace
}  // namespace chappe::broker

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    chappe::broker::Comparison comparison;
    for (auto rest = chappe::as_text({data, size}); !rest.empty();) {
        const auto line = rest.substr(0, rest.find('\n'));
        comparison.run(line);
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    }
    return 0;
}
