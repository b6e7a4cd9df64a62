#include "policy/mosquitto_acl.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "base/text.h"
#include "base/utf8.h"
#include "policy/rule.h"

namespace chappe::policy {
namespace {

// Taken off the front, together with the blanks behind it.
std::string_view take_word(std::string_view& text) {
    const auto word = text.substr(0, text.find_first_of(blanks));
    text = trimmed(text.substr(word.size()));
    return word;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + by.size())) {
        text.replace(at, what.size(), by);
    }
    return text;
}

struct Permit {
    std::string_view word;  // Mosquitto's.
    std::string_view rule;  // Ours.
};

constexpr std::array permits{
    Permit{"read", "allow subscribe,receive"},
    Permit{"write", "allow publish"},
    Permit{"readwrite", "allow all"},
    Permit{"deny", "deny all"},
};

class Reader {
public:
    explicit Reader(const std::string& name) : name_(name) {}

    MosquittoAcl read(std::string_view text) && {
        while (!text.empty()) {
            ++line_;
            const auto end = std::min(text.find('\n'), text.size());
            read_line(trimmed(text.substr(0, end)));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        add_role("anonymous", std::move(anonymous_));
        add_role("everyone", std::move(everyone_));
        return std::move(read_);
    }

private:
    void report(std::string text) {
        read_.findings.push_back({.severity = Finding::Severity::Error, .source = source(), .text = std::move(text)});
    }

    [[nodiscard]] Source source() const { return {.file = name_, .line = line_, .role = {}}; }

    void read_line(std::string_view line) {
        if (line.empty() || line.front() == '#') return;
        const auto word = take_word(line);
        if (word == "user") return begin_user(line);
        const bool is_pattern = word == "pattern";
        if (!is_pattern && word != "topic") {
            return report("a line begins with topic, pattern, user or #, not \"" + std::string(word) + '"');
        }
        auto rule = rule_of(line, is_pattern);
        if (!rule.text.empty()) rules_for(is_pattern).push_back(std::move(rule));
    }

    void begin_user(std::string_view name) {
        if (name.empty()) return report("a user has a name");
        if (!is_valid_utf8(name)) return report("the user name is not UTF-8");
        const auto known = std::ranges::find(read_.users, name, &UserText::name);
        user_ = static_cast<std::size_t>(known - read_.users.begin());
        if (known == read_.users.end()) {
            read_.users.push_back({.name = std::string(name), .roles = {}, .rules = {}, .source = source()});
        }
        has_user_ = true;
    }

    [[nodiscard]] std::vector<RuleText>& rules_for(bool is_pattern) {
        if (is_pattern) return everyone_;
        return has_user_ ? read_.users[user_].rules : anonymous_;
    }

    // Without text where it cannot be used. The topic is the rest of the line, blanks in it included; a first word that
    // is no permission belongs to it.
    [[nodiscard]] RuleText rule_of(std::string_view rest, bool is_pattern) {
        auto after_word = rest;
        const auto word = take_word(after_word);
        const auto* permit = std::ranges::find(permits, word, &Permit::word);
        if (permit == permits.end() || after_word.empty()) {
            permit = std::ranges::find(permits, "readwrite", &Permit::word);
        } else {
            rest = after_word;
        }
        if (rest.find("${") != rest.npos) {
            report("a topic with ${ cannot be written as a rule");
            return {};
        }
        std::string topic(rest);
        if (is_pattern) topic = replaced(replaced(std::move(topic), "%c", "${client_id}"), "%u", "${username}");
        RuleText rule{.text = std::string(permit->rule) + ' ' + topic, .source = source()};
        if (const auto parsed = Rule::parse(rule.text, rule.source); !parsed) {
            report(parsed.error().text);
            return {};
        }
        return rule;
    }

    void add_role(std::string name, std::vector<RuleText> rules) {
        if (!rules.empty()) read_.roles.push_back({.name = std::move(name), .rules = std::move(rules)});
    }

    const std::string& name_;
    std::uint32_t line_ = 0;
    bool has_user_ = false;
    std::size_t user_ = 0;  // Of read_.users: the one whose topics come.
    std::vector<RuleText> anonymous_;
    std::vector<RuleText> everyone_;
    MosquittoAcl read_;
};

}  // namespace

MosquittoAcl read_mosquitto_acl(std::string_view text, const std::string& name) { return Reader(name).read(text); }

}  // namespace chappe::policy
