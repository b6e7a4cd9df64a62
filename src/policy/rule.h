#pragma once

// One rule: a line of text, the same in a file, in the database and on the command line:
//
//     allow publish sensors/${username}/#
//     deny publish,subscribe sensors/+/config
//     allow subscribe qos<=1 shared=no commands/${client_id}/#
//
// docs/access.md has the grammar.

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "policy/pattern.h"
#include "policy/policy.h"

namespace chappe::policy {

struct Rule {
    enum class Effect : std::uint8_t { Allow, Deny };

    std::string text;  // As written.
    Effect effect;
    bool publish = false;
    bool subscribe = false;  // And to receive what was subscribed to.
    bool receive = false;
    std::uint8_t qos_max = 2;
    std::optional<bool> retain;  // Publishing: only with or without RETAIN.
    std::optional<bool> shared;  // Subscribing: only to shared subscriptions, or only to others.
    Pattern pattern;
    Source source;

    [[nodiscard]] static std::expected<Rule, TextError> parse(std::string_view text, Source source);

    // Whether it is about this action at all.
    [[nodiscard]] bool is_about(Action action) const noexcept;
    // Whether it says something to this question, apart from the QoS.
    [[nodiscard]] bool applies(const Subject& subject, const Question& question) const noexcept;
    // Whether it makes `other` useless: allows all that the other allows, or denies all that the other says something
    // to.
    [[nodiscard]] bool covers(const Rule& other) const noexcept;
    // The same of what is done alone, not of where.
    [[nodiscard]] bool covers(Action action, const Rule& other) const noexcept;
    [[nodiscard]] bool is_allowing() const noexcept { return effect == Effect::Allow; }
};

}  // namespace chappe::policy
