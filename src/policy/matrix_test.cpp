// Some thousand questions to random policies, answered by a naive model as well, which knows nothing of patterns: it
// compares texts level by level, and decides about a topic filter by all topics of a small alphabet.

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "policy/policy.h"

namespace chappe::policy {
namespace {

using Levels = std::vector<std::string>;

Levels split(std::string_view text) {
    Levels levels(1);
    for (const char letter : text) {
        if (letter == '/') {
            levels.emplace_back();
        } else {
            levels.back() += letter;
        }
    }
    return levels;
}

// MQTT's matching, by its definition: 4.7.1 and 4.7.2 of the standard.
bool matches(const Levels& filter, const Levels& topic, std::size_t at = 0) {
    if (at == 0 && topic[0].starts_with('$') && (filter[0] == "+" || filter[0] == "#")) return false;
    if (at == filter.size()) return at == topic.size();
    if (filter[at] == "#") return true;
    if (at == topic.size()) return false;
    return (filter[at] == "+" || filter[at] == topic[at]) && matches(filter, topic, at + 1);
}

std::vector<std::string> all_topics() {
    std::vector<std::string> topics;
    std::vector<std::string> last = {"a", "b", "u", "other", "$s"};
    for (int depth = 0; depth != 4; ++depth) {
        topics.insert(topics.end(), last.begin(), last.end());
        std::vector<std::string> longer;
        for (const auto& topic : last) {
            for (const auto* level : {"a", "b", "u", "other"}) longer.push_back(topic + "/" + level);
        }
        last = std::move(longer);
    }
    return topics;
}

struct NaiveRule {
    bool allows;
    bool publish = false, subscribe = false, receive = false;
    std::optional<bool> retain, shared;
    int qos_max = 2;
    std::string filter;  // With ${username} in it, perhaps.

    [[nodiscard]] std::string text() const {
        std::string text = allows ? "allow " : "deny ";
        std::string actions;
        const auto add = [&](bool is_one, const char* name) {
            if (is_one) actions += (actions.empty() ? "" : ",") + std::string(name);
        };
        add(publish, "publish");
        add(subscribe, "subscribe");
        add(receive, "receive");
        text += actions;
        if (qos_max != 2) text += " qos<=" + std::to_string(qos_max);
        if (retain) text += *retain ? " retain=yes" : " retain=no";
        if (shared) text += *shared ? " shared=yes" : " shared=no";
        return text + " " + filter;
    }
};

// The filter for a user; nothing: no value, so it allows nothing. What denies then has "+" in its place.
std::optional<Levels> filter_of(const NaiveRule& rule, const std::string& user) {
    auto levels = split(rule.filter);
    const bool usable = !user.empty() && user.find_first_of("/+#") == user.npos;
    for (auto& level : levels) {
        if (level != "${username}") continue;
        if (!usable && rule.allows) return std::nullopt;
        level = usable ? user : "+any";
    }
    return levels;
}

bool matches_with_any(const Levels& filter, const Levels& topic) {
    auto plain = filter;
    for (std::size_t i = 0; i != plain.size(); ++i) {
        if (plain[i] == "+any") plain[i] = i < topic.size() ? topic[i] : "+";  // Also a first level with "$".
    }
    return matches(plain, topic);
}

// What a model without any thought for speed says.
struct NaiveAnswer {
    bool allowed = false;
    int qos_max = 2;
};

class Model {
public:
    Model(std::vector<NaiveRule> rules, std::string user)
        : rules_(std::move(rules)), user_(std::move(user)), topics_(all_topics()) {}

    [[nodiscard]] NaiveAnswer answer(const Question& question) const {
        int best = -1;
        for (const auto& rule : rules_) {
            if (!is_about(rule, question)) continue;
            const auto filter = filter_of(rule, user_);
            if (!filter || !holds(*filter, question)) continue;
            if (!rule.allows) return {};
            best = std::max(best, rule.qos_max);
        }
        const bool enough = question.action != Action::Publish || best >= question.qos;
        return {.allowed = best >= 0 && enough, .qos_max = best};
    }

private:
    static bool is_about(const NaiveRule& rule, const Question& question) {
        switch (question.action) {
            case Action::Publish:
                return rule.publish && (!rule.retain || *rule.retain == question.retain);
            case Action::Subscribe:
                return rule.subscribe && (!rule.shared || *rule.shared == question.shared);
            case Action::Receive:
                return rule.receive || (rule.subscribe && (rule.allows || !rule.shared));
        }
        return false;
    }

    [[nodiscard]] bool holds(const Levels& filter, const Question& question) const {
        if (question.action != Action::Subscribe) return matches_with_any(filter, split(question.topic));
        const auto asked = split(question.topic);
        bool any = false;
        for (const auto& topic : topics_) {
            const auto levels = split(topic);
            if (!matches(asked, levels)) continue;
            any = true;
            if (!matches_with_any(filter, levels)) return false;
        }
        return any;
    }

    std::vector<NaiveRule> rules_;
    std::string user_;
    std::vector<std::string> topics_;
};

class Generator {
public:
    explicit Generator(std::uint64_t seed) : random_(seed) {}

    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_.next() % bound; }

    NaiveRule rule() {
        NaiveRule rule{.allows = below(3) != 0, .filter = filter(true)};
        while (!rule.publish && !rule.subscribe && !rule.receive) {
            rule.publish = below(2) == 0;
            rule.subscribe = below(2) == 0;
            rule.receive = below(4) == 0;
        }
        if (rule.publish && below(3) == 0) rule.retain = below(2) == 0;
        if (rule.subscribe && below(3) == 0) rule.shared = below(2) == 0;
        if (rule.allows && below(3) == 0) rule.qos_max = static_cast<int>(below(3));
        return rule;
    }

    // Of at most three levels, so that the topics of the model, which have four, tell any two apart.
    std::string filter(bool with_variable) {
        static constexpr const char* first[] = {"a", "b", "$s", "+", "u"};
        static constexpr const char* others[] = {"a", "b", "+", "u"};
        const auto depth = 1 + below(3);
        std::string text = below(6) == 0 ? "#" : first[below(5)];
        for (std::uint64_t i = 1; i < depth && text != "#" && !text.ends_with("/#"); ++i) {
            text += "/";
            text += with_variable && below(4) == 0 ? "${username}" : below(4) == 0 ? "#" : others[below(4)];
        }
        return text;
    }

    std::string topic() {
        static constexpr const char* levels[] = {"a", "b", "u", "other"};
        std::string text = below(6) == 0 ? "$s" : levels[below(4)];
        for (auto depth = below(4); depth != 0; --depth) text += "/" + std::string(levels[below(4)]);
        return text;
    }

private:
    Random random_;
};

TEST(Matrix, AgreesWithTheNaiveModel) {
    constexpr std::uint64_t first_seed = 1;
    constexpr int policies = 150;
    constexpr int questions = 40;
    int allowed = 0;
    for (std::uint64_t seed = first_seed; seed != first_seed + policies; ++seed) {
        Generator generator(seed);
        static const std::string users[] = {"u", "u", "other", "", "a/b", "+"};
        const auto user = users[generator.below(6)];
        std::vector<NaiveRule> rules;
        std::vector<RoleText> roles(3);
        std::string listing;
        for (std::size_t i = 0; i != 3; ++i) roles[i].name = "r" + std::to_string(i);
        for (auto count = 2 + generator.below(6); count != 0; --count) {
            rules.push_back(generator.rule());
            roles[generator.below(3)].rules.push_back({.text = rules.back().text(), .source = {}});
            listing += rules.back().text() + "\n";
        }
        const auto made = Policy::make(roles, {});
        ASSERT_TRUE(made.usable()) << listing << made.findings.front().text;
        const std::vector<std::string> names = {"r0", "r1", "r2"};
        const Subject subject{.client_id = "c", .user_name = user, .certificate_name = {}, .claims = {}};
        const Model model(rules, user);
        for (int i = 0; i != questions; ++i) {
            const auto action = static_cast<Action>(generator.below(3));
            const auto topic = action == Action::Subscribe ? generator.filter(false) : generator.topic();
            const Question question{.action = action,
                                    .topic = topic,
                                    .qos = static_cast<std::uint8_t>(generator.below(3)),
                                    .retain = generator.below(2) == 0,
                                    .shared = generator.below(2) == 0};
            const auto expected = model.answer(question);
            const auto decision = made.policy->decide(subject, names, question);
            ASSERT_EQ(decision.allowed, expected.allowed)
                << "seed " << seed << ", user \"" << user << "\", action " << static_cast<int>(action) << ", \""
                << topic << "\", QoS " << int{question.qos} << ", retain " << question.retain << ", shared "
                << question.shared << "\n"
                << listing;
            if (action == Action::Subscribe && decision.allowed) {
                ASSERT_EQ(decision.qos_max, expected.qos_max) << "seed " << seed << ", " << topic << "\n" << listing;
            }
            allowed += decision.allowed ? 1 : 0;
        }
    }
    EXPECT_GT(allowed, 1000);  // Or the questions would not tell much.
    EXPECT_LT(allowed, policies * questions - 1000);
}

}  // namespace
}  // namespace chappe::policy
