#include "policy/pattern.h"

#include <algorithm>
#include <utility>

#include "base/result.h"
#include "mqtt/topic.h"

namespace chappe::policy {
namespace {

// The levels of a topic, one after the other.
class Levels {
public:
    explicit Levels(std::string_view text) noexcept : rest_(text) {}

    [[nodiscard]] bool at_end() const noexcept { return at_end_; }
    [[nodiscard]] std::string_view next() noexcept {
        const auto slash = rest_.find('/');
        const auto level = rest_.substr(0, slash);
        at_end_ = slash == rest_.npos;
        if (!at_end_) rest_.remove_prefix(slash + 1);
        return level;
    }

private:
    std::string_view rest_;
    bool at_end_ = false;
};

bool is_claim_name(std::string_view name) noexcept {
    constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    return !name.empty() && name.find_first_not_of(allowed) == name.npos;
}

}  // namespace

std::expected<Pattern, TextError> Pattern::parse(std::string_view text) {
    Pattern pattern;
    if (text.starts_with("$share/")) {
        return std::unexpected(TextError{0, "write the filter without $share/NAME/; shared=yes is for shared ones"});
    }
    Levels levels(text);
    std::size_t at = 0;
    while (!levels.at_end()) {
        const auto level = levels.next();
        pattern.levels_.push_back(TRY(parse_level(level, at)));
        if (pattern.levels_.back().kind == Level::Kind::Hash && !levels.at_end()) {
            return std::unexpected(TextError{at, "# stands at the end only"});
        }
        at += level.size() + 1;
    }
    if (text.empty()) return std::unexpected(TextError{0, "the topic filter is missing"});
    if (text.size() > 65'535 || text.contains('\0') || !mqtt::is_valid_utf8(text)) {
        return std::unexpected(TextError{0, "this is no topic filter that MQTT can carry"});
    }
    return pattern;
}

std::expected<Pattern::Level, TextError> Pattern::parse_level(std::string_view text, std::size_t at) {
    Level level;
    if (text == "+") level.kind = Level::Kind::Plus;
    if (text == "#") level.kind = Level::Kind::Hash;
    if (level.kind != Level::Kind::Parts) return level;
    while (!text.empty()) {
        const auto variable = text.find("${");
        const auto plain = text.substr(0, variable);
        if (const auto wildcard = plain.find_first_of("+#"); wildcard != plain.npos) {
            return std::unexpected(TextError{at + wildcard, "a wildcard stands alone between slashes"});
        }
        if (!plain.empty()) level.parts.push_back({Part::Kind::Text, std::string(plain), {}});
        if (variable == text.npos) break;
        const auto end = text.find('}', variable);
        if (end == text.npos) return std::unexpected(TextError{at + variable, "${ without its }"});
        const auto name = text.substr(variable + 2, end - variable - 2);
        level.parts.push_back(TRY(parse_variable(name, at + variable)));
        text.remove_prefix(end + 1);
        at += end + 1;
    }
    return level;
}

std::expected<Pattern::Part, TextError> Pattern::parse_variable(std::string_view name, std::size_t at) {
    const auto written = "${" + std::string(name) + "}";
    if (name == "username") return Part{Part::Kind::UserName, {}, written};
    if (name == "client_id") return Part{Part::Kind::ClientId, {}, written};
    if (name == "cert.cn") return Part{Part::Kind::CertificateName, {}, written};
    constexpr std::string_view claim = "claim.";
    if (name.starts_with(claim) && is_claim_name(name.substr(claim.size()))) {
        return Part{Part::Kind::Claim, std::string(name.substr(claim.size())), written};
    }
    return std::unexpected(TextError{
        at, "there is no " + written + "; there are ${username}, ${client_id}, ${cert.cn} and ${claim.NAME}"});
}

// Nothing where it has none that could stand in a level.
std::optional<std::string_view> Pattern::value_of(const Part& part, const Subject& subject) noexcept {
    std::string_view value;
    switch (part.kind) {
        case Part::Kind::Text:
            return part.text;
        case Part::Kind::UserName:
            value = subject.user_name;
            break;
        case Part::Kind::ClientId:
            value = subject.client_id;
            break;
        case Part::Kind::CertificateName:
            value = subject.certificate_name;
            break;
        case Part::Kind::Claim: {
            const auto found =
                std::ranges::find(subject.claims, part.text, &std::pair<std::string, std::string>::first);
            if (found != subject.claims.end()) value = found->second;
            break;
        }
    }
    constexpr std::string_view unusable("/+#\0", 4);
    const bool is_system = value.starts_with('$');  // Nobody gets at $SYS by calling itself so.
    if (value.empty() || is_system || value.find_first_of(unusable) != value.npos) return std::nullopt;
    return value;
}

bool Pattern::level_matches(const Level& level, std::string_view text, const Subject& subject,
                            Unusable unusable) noexcept {
    for (const auto& part : level.parts) {
        const auto value = value_of(part, subject);
        if (!value) return unusable == Unusable::AnyLevel;
        if (!text.starts_with(*value)) {
            // Another part may yet have no value, and then a rule that denies stands.
            return unusable == Unusable::AnyLevel &&
                   std::ranges::any_of(level.parts, [&](const Part& other) { return !value_of(other, subject); });
        }
        text.remove_prefix(value->size());
    }
    return text.empty();
}

bool Pattern::matches(std::string_view topic, const Subject& subject, Unusable unusable) const noexcept {
    Levels levels(topic);
    const bool is_system = topic.starts_with('$');
    for (std::size_t index = 0; index != levels_.size(); ++index) {
        const auto& level = levels_[index];
        const bool is_wildcard = level.kind != Level::Kind::Parts;
        if (is_wildcard && is_system && index == 0) return false;
        if (level.kind == Level::Kind::Hash) return true;  // Also where the topic has ended: "a/#" matches "a".
        if (levels.at_end()) return false;
        const auto text = levels.next();
        if (level.kind == Level::Kind::Parts && !level_matches(level, text, subject, unusable)) return false;
    }
    return levels.at_end();
}

bool Pattern::covers(std::string_view filter, const Subject& subject, Unusable unusable) const noexcept {
    Levels levels(filter);
    const bool is_system = filter.starts_with('$');
    for (std::size_t index = 0; index != levels_.size(); ++index) {
        const auto& level = levels_[index];
        if (level.kind != Level::Kind::Parts && is_system && index == 0) return false;
        if (level.kind == Level::Kind::Hash) return true;
        // "a/+" at its end does not cover "a/#", which also matches "a".
        if (levels.at_end()) return false;
        const auto text = levels.next();
        if (text == "#") return index == 0 && is_all_of_one_level_and_more();
        if (level.kind == Level::Kind::Plus) continue;
        if (text == "+" || !level_matches(level, text, subject, unusable)) {
            const bool any =
                text == "+" && unusable == Unusable::AnyLevel &&
                std::ranges::any_of(level.parts, [&](const Part& part) { return !value_of(part, subject); });
            if (!any) return false;
        }
    }
    return levels.at_end();
}

const Pattern::Part* Pattern::Level::variable() const noexcept {
    const auto found = std::ranges::find_if(parts, [](const Part& part) { return part.kind != Part::Kind::Text; });
    return found == parts.end() ? nullptr : &*found;
}

// A usable value of a variable does not.
bool Pattern::Level::begins_with_dollar() const noexcept {
    return !parts.empty() && parts.front().kind == Part::Kind::Text && parts.front().text.starts_with('$');
}

// Two different sequences of parts differ for some values, so only equal ones cover each other.
bool Pattern::covers(const Pattern& other, Unusable unusable) const noexcept {
    for (std::size_t index = 0; index != levels_.size(); ++index) {
        const auto& level = levels_[index];
        const bool is_wildcard = level.kind != Level::Kind::Parts;
        if (index == other.levels_.size()) return level.kind == Level::Kind::Hash;  // "a/#" covers "a".
        const auto& theirs = other.levels_[index];
        const bool is_any = unusable == Unusable::AnyLevel && theirs.variable() != nullptr;
        const bool may_be_system = index == 0 && (is_any || theirs.begins_with_dollar());
        if (is_wildcard && may_be_system) return false;
        if (level.kind == Level::Kind::Hash) return true;
        if (theirs.kind == Level::Kind::Hash) return index == 0 && is_all_of_one_level_and_more();
        if (!is_wildcard && level != theirs) return false;
    }
    return levels_.size() == other.levels_.size();
}

std::vector<Escape> Pattern::escapes(const Pattern& tenant) const {
    std::vector<Escape> escapes;
    for (std::size_t place = 0; place != tenant.levels_.size(); ++place) {
        const auto* variable = tenant.levels_[place].variable();
        if (variable == nullptr) continue;
        if (auto topics = reach(tenant, place)) escapes.push_back({variable->name, *std::move(topics)});
    }
    return escapes;
}

// What this has in common with the trees of all values of the variable that stands in `tenant` at `place`; nothing
// where this has no wildcard there.
std::optional<Pattern> Pattern::reach(const Pattern& tenant, std::size_t place) const {
    const Level any{.kind = Level::Kind::Plus, .parts = {}};
    const Level rest{.kind = Level::Kind::Hash, .parts = {}};
    Pattern common;
    for (std::size_t index = 0; index <= place; ++index) {
        if (index == levels_.size()) return std::nullopt;
        const auto& level = levels_[index];
        const auto& theirs = index == place ? any : tenant.levels_[index];
        const bool is_wildcard = level.kind != Level::Kind::Parts;
        if (index == 0 && is_wildcard && theirs.begins_with_dollar()) return std::nullopt;
        if (level.kind == Level::Kind::Hash) {
            for (; index < place; ++index) common.levels_.push_back(tenant.levels_[index]);
            common.levels_.push_back(any);
            common.levels_.push_back(rest);
            return common;
        }
        const bool agrees = is_wildcard || level == theirs || theirs.kind == Level::Kind::Plus;
        const bool reaches_system = index == 0 && theirs.kind == Level::Kind::Plus && level.begins_with_dollar();
        if (!agrees || reaches_system || (index == place && !is_wildcard)) return std::nullopt;
        common.levels_.push_back(is_wildcard ? theirs : level);
    }
    common.levels_.insert(common.levels_.end(), levels_.begin() + static_cast<std::ptrdiff_t>(place) + 1,
                          levels_.end());
    return common;
}

std::string Pattern::text_of(const Level& level) {
    if (level.kind != Level::Kind::Parts) return level.kind == Level::Kind::Plus ? "+" : "#";
    std::string text;
    for (const auto& part : level.parts) text += part.kind == Part::Kind::Text ? part.text : part.name;
    return text;
}

std::string Pattern::text() const {
    std::string text;
    for (const auto& level : levels_) text += (&level == levels_.data() ? "" : "/") + text_of(level);
    return text;
}

// "+/#", which is "#" in other words.
bool Pattern::is_all_of_one_level_and_more() const noexcept {
    return levels_.size() == 2 && levels_[0].kind == Level::Kind::Plus && levels_[1].kind == Level::Kind::Hash;
}

bool Pattern::is_everything() const noexcept {
    return levels_.size() == 1 && levels_.front().kind == Level::Kind::Hash;
}

std::string_view Pattern::without_value(const Subject& subject) const noexcept {
    for (const auto& level : levels_) {
        for (const auto& part : level.parts) {
            if (!value_of(part, subject)) return part.name;
        }
    }
    return {};
}

}  // namespace chappe::policy
