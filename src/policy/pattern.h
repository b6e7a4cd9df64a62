#pragma once

// A topic filter in which variables may stand for what is known of a client: "sensors/${username}/#".

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/policy.h"

namespace chappe::policy {

struct Escape;

// What is wrong with a text, and where in it.
struct TextError {
    std::size_t at;  // From 0.
    std::string text;
};

class Pattern {
public:
    [[nodiscard]] static std::expected<Pattern, TextError> parse(std::string_view text);

    // What a variable without a usable value (none, or one with a "/", "+" or "#", or with a "$" first) stands for.
    enum class Unusable : std::uint8_t {
        Nothing,   // No level is like it: for rules that allow.
        AnyLevel,  // Every level is: for rules that deny.
    };

    // Whether a topic name is among those that it stands for. Wildcards do not match a first level that begins with "$"
    // ([MQTT-4.7.2-1]).
    [[nodiscard]] bool matches(std::string_view topic, const Subject& subject, Unusable unusable) const noexcept;
    // Whether all topics that `filter` matches are among them.
    [[nodiscard]] bool covers(std::string_view filter, const Subject& subject, Unusable unusable) const noexcept;

    // Whether all topics that `other` stands for are among them, whoever the client is. `unusable` is what a variable
    // of `other` without a usable value stands for, and one of this where that is AnyLevel.
    [[nodiscard]] bool covers(const Pattern& other, Unusable unusable) const noexcept;
    // Each variable of `tenant` in whose place this has a wildcard, so that it gets at the topics of others: "a/+/x"
    // out of "a/${username}/#". The levels before must agree: be equal, or one of the two a wildcard.
    [[nodiscard]] std::vector<Escape> escapes(const Pattern& tenant) const;

    [[nodiscard]] std::string text() const;             // As written.
    [[nodiscard]] bool is_everything() const noexcept;  // "#"
    // The first of its variables that has no usable value; empty: all have.
    [[nodiscard]] std::string_view without_value(const Subject& subject) const noexcept;

private:
    struct Part {
        enum class Kind : std::uint8_t { Text, UserName, ClientId, CertificateName, Claim };

        Kind kind;
        std::string text;  // Or the claim's name.
        std::string name;  // As written: "${claim.site}".

        friend bool operator==(const Part&, const Part&) = default;
    };

    struct Level {
        enum class Kind : std::uint8_t { Parts, Plus, Hash };

        Kind kind = Kind::Parts;
        std::vector<Part> parts;

        [[nodiscard]] const Part* variable() const noexcept;  // The first; null: none.
        [[nodiscard]] bool begins_with_dollar() const noexcept;
        friend bool operator==(const Level&, const Level&) = default;
    };

    [[nodiscard]] std::optional<Pattern> reach(const Pattern& tenant, std::size_t place) const;
    [[nodiscard]] static std::string text_of(const Level& level);
    [[nodiscard]] bool is_all_of_one_level_and_more() const noexcept;
    [[nodiscard]] static std::expected<Level, TextError> parse_level(std::string_view text, std::size_t at);
    [[nodiscard]] static std::expected<Part, TextError> parse_variable(std::string_view name, std::size_t at);
    [[nodiscard]] static std::optional<std::string_view> value_of(const Part& part, const Subject& subject) noexcept;
    [[nodiscard]] static bool level_matches(const Level& level, std::string_view text, const Subject& subject,
                                            Unusable unusable) noexcept;

    std::vector<Level> levels_;
};

struct Escape {
    std::string variable;  // "${username}"
    Pattern topics;        // Those that it gets at, its client's own among them: "a/+/x".
};

}  // namespace chappe::policy
