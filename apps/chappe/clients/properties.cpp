#include "apps/chappe/clients/properties.h"

#include <algorithm>
#include <string_view>

#include "base/result.h"
#include "mqtt/topic.h"

namespace chappe::app {
namespace {

constexpr std::uint32_t any32 = 0xFFFF'FFFF;

// Offers one identifier and value to each property that a packet may have. The one of that name takes the value; if
// there is none, what was offered is what would have been right.
class Assignment {
public:
    Assignment(std::string_view identifier, const std::string& value) : identifier_(identifier), value_(value) {}

    template <class Number>
    Assignment& number(std::string_view name, Number& to, std::uint32_t min, std::uint32_t max) {
        if (is(name)) set(parse_number(value_, min, max), to);
        return *this;
    }
    Assignment& expiry(std::string_view name, std::optional<std::uint32_t>& to) {
        if (is(name)) set(parse_session_expiry(value_), to);
        return *this;
    }
    Assignment& bytes(std::string_view name, std::optional<std::string>& to) {
        if (is(name)) to = value_;
        return *this;
    }
    Assignment& text(std::string_view name, std::optional<std::string>& to) {
        if (is(name)) check(mqtt::is_valid_utf8(value_), "the value is not text that MQTT allows (UTF-8)", to);
        return *this;
    }
    Assignment& topic(std::string_view name, std::optional<std::string>& to) {
        const bool valid = mqtt::is_valid_utf8(value_) && mqtt::is_valid_topic_name(value_);
        if (is(name)) check(valid, "\"" + value_ + "\" is not a topic to publish to (no # or +, not empty)", to);
        return *this;
    }

    [[nodiscard]] bool found() const noexcept { return found_; }
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
    [[nodiscard]] const std::vector<std::string_view>& offered() const noexcept { return offered_; }

private:
    [[nodiscard]] bool is(std::string_view name) {
        offered_.push_back(name);
        found_ = found_ || name == identifier_;
        return name == identifier_;
    }
    template <class Number>
    void set(const Checked<std::uint32_t>& value, Number& to) {
        if (!value) {
            problem_ = value.error();
        } else if constexpr (requires { typename Number::value_type; }) {
            to = static_cast<Number::value_type>(*value);
        } else {
            to = static_cast<Number>(*value);
        }
    }
    void check(bool valid, std::string problem, std::optional<std::string>& to) {
        if (valid) {
            to = value_;
        } else {
            problem_ = std::move(problem);
        }
    }

    std::string_view identifier_;
    const std::string& value_;
    bool found_ = false;
    std::string problem_;
    std::vector<std::string_view> offered_;
};

void assign_to_message(Assignment& assignment, client::OwnedProperties& to) {
    assignment.text("content-type", to.content_type)
        .bytes("correlation-data", to.correlation_data)
        .number("message-expiry-interval", to.message_expiry_interval_seconds, 0, any32)
        .number("payload-format-indicator", to.payload_format_indicator, 0, 1)
        .topic("response-topic", to.response_topic);
}

void assign_to_connect(Assignment& assignment, Properties& to) {
    assignment.bytes("authentication-data", to.connect.authentication_data)
        .text("authentication-method", to.connect.authentication_method)
        .number("maximum-packet-size", to.connect.maximum_packet_size, 1, any32)
        .number("receive-maximum", to.connect.receive_maximum, 1, 65'535)
        .number("request-problem-information", to.connect.request_problem_information, 0, 1)
        .number("request-response-information", to.connect.request_response_information, 0, 1)
        .expiry("session-expiry-interval", to.session_expiry_seconds)
        .number("topic-alias-maximum", to.connect.topic_alias_maximum, 0, 65'535);
}

void assign_to_publish(Assignment& assignment, Properties& to) {
    assign_to_message(assignment, to.publish);
    assignment.number("topic-alias", to.topic_alias, 1, 65'535);
}

void assign_to_will(Assignment& assignment, Properties& to) {
    assign_to_message(assignment, to.will);
    assignment.number("will-delay-interval", to.will_delay_seconds, 0, any32);
}

void assign_to_subscribe(Assignment& assignment, Properties& to) {
    assignment.number("subscription-identifier", to.subscription_identifier, 1, mqtt::subscription_identifier_max);
}

void assign_to_disconnect(Assignment& assignment, Properties& to) {
    assignment.expiry("session-expiry-interval", to.disconnect_session_expiry_seconds);
}

struct Command {
    std::string_view name;
    void (*assign)(Assignment&, Properties&);
    client::OwnedUserProperties& (*user_properties)(Properties&);
};

constexpr Command commands[] = {
    {"connect", assign_to_connect,
     [](Properties& it) -> client::OwnedUserProperties& { return it.connect.user_properties; }},
    {"publish", assign_to_publish,
     [](Properties& it) -> client::OwnedUserProperties& { return it.publish.user_properties; }},
    {"will", assign_to_will, [](Properties& it) -> client::OwnedUserProperties& { return it.will.user_properties; }},
    {"subscribe", assign_to_subscribe, [](Properties& it) -> client::OwnedUserProperties& { return it.subscribe; }},
    {"unsubscribe", [](Assignment&, Properties&) {},
     [](Properties& it) -> client::OwnedUserProperties& { return it.unsubscribe; }},
    {"disconnect", assign_to_disconnect, [](Properties& it) -> client::OwnedUserProperties& { return it.disconnect; }},
};

std::string join(const std::vector<std::string_view>& words) {
    std::string text;
    for (const auto word : words) text += (text.empty() ? "" : ", ") + std::string(word);
    return text;
}

// The same over several lines, each after the first with `indent` spaces.
std::string join_wrapped(const std::vector<std::string_view>& words, std::size_t indent) {
    constexpr std::size_t line_max = 110;
    std::string text;
    std::size_t line = indent;
    for (const auto word : words) {
        if (!text.empty()) text += ",";
        if (line + word.size() + 2 > line_max) {
            text += "\n" + std::string(indent, ' ');
            line = indent;
        } else if (!text.empty()) {
            text += " ";
        }
        text += word;
        line += word.size() + 2;
    }
    return text;
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return text;
}

Checked<const Command*> find_command(const std::string& name) {
    const auto* command = std::ranges::find(commands, lower(name), &Command::name);
    if (command != std::end(commands)) return command;
    std::vector<std::string_view> names;
    for (const auto& known : commands) names.push_back(known.name);
    return std::unexpected("\"" + name + "\" is not a packet with properties; there are " + join(names));
}

Checked<> add_user_property(const std::vector<std::string>& words, client::OwnedUserProperties& to) {
    if (words.size() != 4) return std::unexpected("user-property needs a name and a value");
    if (!mqtt::is_valid_utf8(words[2]) || !mqtt::is_valid_utf8(words[3])) {
        return std::unexpected("the user property is not text that MQTT allows (UTF-8)");
    }
    to.emplace_back(words[2], words[3]);
    return {};
}

Checked<> add(const std::vector<std::string>& words, Properties& properties) {
    if (words.size() < 3) return std::unexpected("it takes COMMAND IDENTIFIER VALUE");
    const auto* command = TRY(find_command(words[0]));
    properties.any_of_will = properties.any_of_will || command->name == "will";
    if (words[1] == "user-property") return add_user_property(words, command->user_properties(properties));
    if (words.size() != 3) return std::unexpected("only user-property takes a name and a value");
    Assignment assignment(words[1], words[2]);
    command->assign(assignment, properties);
    if (!assignment.problem().empty()) return std::unexpected(words[1] + ": " + assignment.problem());
    if (assignment.found()) return {};
    auto offered = assignment.offered();
    offered.push_back("user-property");
    return std::unexpected("\"" + words[1] + "\" is not a property of " + lower(words[0]) + "; there are " +
                           join(offered));
}

}  // namespace

Checked<> add_property(const std::vector<std::string>& words, Properties& properties) {
    const auto added = add(words, properties);
    return added ? added : std::unexpected("-D: " + added.error());
}

Checked<std::uint32_t> parse_session_expiry(std::string_view text) {
    if (text == "-1" || text == "never" || text == "∞") return mqtt::session_never_expires;
    const auto number = parse_number(text, 0, any32);
    return number ? number : std::unexpected(number.error() + " seconds, or \"never\"");
}

std::string list_properties() {
    std::string text;
    for (const auto& command : commands) {
        Properties unused;
        const std::string no_value;
        Assignment nothing("", no_value);
        command.assign(nothing, unused);
        auto names = nothing.offered();
        names.push_back("user-property");
        constexpr std::size_t column = 14;
        auto name = "  " + std::string(command.name);
        name.resize(column, ' ');
        text += name + join_wrapped(names, column) + "\n";
    }
    return text;
}

}  // namespace chappe::app
