#include "server/settings/keys/parts.h"

namespace chappe::server {
namespace {

using broker::Policy;

template <auto Member>
constexpr auto policy = at<Settings, &Settings::policy, Member>();

constexpr Key rows[] = {
    {.section = "policy",
     .name = "when_full",
     .type = Type::Choice,
     .choices = words<broker::WhenFull>,
     .reload = Reload::Now,
     .text = "What becomes of the next message of QoS 1 or 2 for a session whose queue is full. `drop_oldest` drops "
             "the one that has waited longest, `drop_newest` the new one. `reject` refuses it to its publisher, "
             "with reason code 0x97 in MQTT 5 and by closing the connection in older versions, which have no code "
             "for it. `end_session` ends the session, so that its client finds out at once. All that is dropped is "
             "counted with its reason.",
     .example = R"("reject")",
     .access = policy<&Policy::when_full>},
    {.section = "policy",
     .name = "shared_strategy",
     .type = Type::Choice,
     .choices = words<broker::SharedStrategy>,
     .reload = Reload::Now,
     .text = "Which member of a shared subscription gets the next message. `round_robin` takes turns and `random` "
             "draws lots. `sticky` stays with one member while it is connected. `hash_topic` gives all messages of "
             "a topic to the same member, and `hash_client` all messages of a publisher.",
     .example = R"("hash_topic")",
     .access = policy<&Policy::shared_strategy>},
};

}  // namespace

std::span<const Key> policy_keys() { return rows; }

}  // namespace chappe::server
