#include "policy/rule.h"

#include <utility>

#include "base/result.h"

namespace chappe::policy {
namespace {

// Takes words off the front of a text, and knows where each stood.
class Words {
public:
    explicit Words(std::string_view text) noexcept : text_(text), rest_(text) { skip_spaces(); }

    [[nodiscard]] std::string_view rest() const noexcept { return rest_; }
    [[nodiscard]] std::size_t at() const noexcept { return text_.size() - rest_.size(); }
    [[nodiscard]] std::string_view peek() const noexcept { return rest_.substr(0, rest_.find_first_of(" \t")); }
    void take() noexcept {
        rest_.remove_prefix(peek().size());
        skip_spaces();
    }

private:
    void skip_spaces() noexcept {
        const auto begin = rest_.find_first_not_of(" \t");
        rest_.remove_prefix(begin == rest_.npos ? rest_.size() : begin);
    }

    std::string_view text_;
    std::string_view rest_;
};

std::unexpected<TextError> error(std::size_t at, std::string text) {
    return std::unexpected(TextError{at, std::move(text)});
}

std::expected<void, TextError> read_actions(Rule& rule, std::string_view words, std::size_t at) {
    while (true) {
        const auto comma = words.find(',');
        const auto word = words.substr(0, comma);
        if (word == "publish" || word == "all") rule.publish = true;
        if (word == "subscribe" || word == "all") rule.subscribe = true;
        if (word == "receive") rule.receive = true;
        if (word != "publish" && word != "subscribe" && word != "receive" && word != "all") {
            return error(at, "there is no action \"" + std::string(word) +
                                 "\"; there are publish, subscribe, receive and all, with commas between them");
        }
        if (comma == words.npos) return {};
        at += comma + 1;
        words.remove_prefix(comma + 1);
    }
}

std::expected<std::optional<bool>, TextError> read_flag(std::string_view word, std::size_t at) {
    const auto value = word.substr(word.find('=') + 1);
    if (value == "yes") return true;
    if (value == "no") return false;
    return error(at, std::string(word.substr(0, word.find('='))) + " is yes or no");
}

// False: this word is none, so the filter begins with it.
std::expected<bool, TextError> read_option(Rule& rule, std::string_view word, std::size_t at) {
    if (word.starts_with("qos")) {
        const bool is_option = word.starts_with("qos<=");
        if (!is_option && !word.starts_with("qos=") && !word.starts_with("qos<")) return false;
        const auto value = word.substr(is_option ? 5 : word.size());
        if (value != "0" && value != "1" && value != "2") return error(at, "write qos<=0, qos<=1 or qos<=2");
        if (!rule.is_allowing()) return error(at, "qos<= belongs to rules that allow");
        rule.qos_max = static_cast<std::uint8_t>(value.front() - '0');
        return true;
    }
    if (word.starts_with("retain=")) {
        if (!rule.publish) return error(at, "retain= belongs to rules about publishing");
        rule.retain = TRY(read_flag(word, at));
        return true;
    }
    if (word.starts_with("shared=")) {
        if (!rule.subscribe) return error(at, "shared= belongs to rules about subscribing");
        rule.shared = TRY(read_flag(word, at));
        return true;
    }
    return false;
}

}  // namespace

std::expected<Rule, TextError> Rule::parse(std::string_view text, Source source) {
    const auto end = text.find_last_not_of(" \t\r");
    text = text.substr(0, end == text.npos ? 0 : end + 1);
    Words words(text);
    Rule rule{.text = std::string(text), .effect = Effect::Allow, .pattern = {}, .source = std::move(source)};
    const auto effect = words.peek();
    if (effect != "allow" && effect != "deny") {
        return error(words.at(), "a rule begins with allow or deny, as in: allow publish sensors/#");
    }
    if (effect == "deny") rule.effect = Effect::Deny;
    words.take();
    TRY(read_actions(rule, words.peek(), words.at()));
    words.take();
    while (TRY(read_option(rule, words.peek(), words.at()))) words.take();
    const auto at = words.at();
    auto pattern = Pattern::parse(words.rest());
    if (!pattern) return error(at + pattern.error().at, std::move(pattern.error().text));
    rule.pattern = *std::move(pattern);
    return rule;
}

// A deny of some kinds of subscriptions says nothing about messages, which may have come by another.
bool Rule::is_about(Action action) const noexcept {
    switch (action) {
        case Action::Publish:
            return publish;
        case Action::Subscribe:
            return subscribe;
        case Action::Receive:
            return receive || (subscribe && (is_allowing() || !shared));
    }
    std::unreachable();
}

bool Rule::applies(const Subject& subject, const Question& question) const noexcept {
    if (!is_about(question.action)) return false;
    if (question.action == Action::Publish && retain && *retain != question.retain) return false;
    if (question.action == Action::Subscribe && shared && *shared != question.shared) return false;
    const auto unusable = is_allowing() ? Pattern::Unusable::Nothing : Pattern::Unusable::AnyLevel;
    return question.action == Action::Subscribe ? pattern.covers(question.topic, subject, unusable)
                                                : pattern.matches(question.topic, subject, unusable);
}

// A QoS says nothing of receiving: what it is for was decided when the subscription was made.
bool Rule::covers(Action action, const Rule& other) const noexcept {
    if (!is_about(action)) return false;
    if (action == Action::Publish && retain && retain != other.retain) return false;
    if (action == Action::Subscribe && shared && shared != other.shared) return false;
    return !is_allowing() || action == Action::Receive || qos_max >= other.qos_max;
}

bool Rule::covers(const Rule& other) const noexcept {
    if (is_allowing() && !other.is_allowing()) return false;
    for (const auto action : {Action::Publish, Action::Subscribe, Action::Receive}) {
        if (other.is_about(action) && !covers(action, other)) return false;
    }
    return pattern.covers(other.pattern,
                          other.is_allowing() ? Pattern::Unusable::Nothing : Pattern::Unusable::AnyLevel);
}

}  // namespace chappe::policy
