#include "apps/chappe/clients/format.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <optional>
#include <utility>

#include "apps/chappe/clients/message_json.h"
#include "base/result.h"

namespace chappe::app {
namespace {

constexpr std::string_view message_sequences = "%ACDEFIJPRSUXjlmpqrtx";
constexpr std::size_t width_max = 10'000;

std::optional<char> unescape(char c) {
    switch (c) {
        case '\\':
            return '\\';
        case '0':
            return '\0';
        case 'a':
            return '\a';
        case 'e':
            return '\x1b';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        case 'v':
            return '\v';
        default:
            return std::nullopt;
    }
}

// Takes a number off the front; nothing when there is no digit.
std::optional<std::size_t> take_number(std::string_view& rest) {
    const auto size = std::min(rest.find_first_not_of("0123456789"), rest.size());
    if (size == 0) return std::nullopt;
    std::size_t number = 0;
    for (const char digit : rest.substr(0, size)) number = std::min(width_max, number * 10 + std::size_t(digit - '0'));
    rest.remove_prefix(size);
    return number;
}

std::string time_text(const std::string& format, WallTime time) {
    const auto seconds = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
    std::tm parts{};
    localtime_r(&seconds, &parts);
    std::array<char, 256> text{};
    return {text.data(), std::strftime(text.data(), text.size(), format.c_str(), &parts)};
}

long nanoseconds_of(WallTime time) {
    const auto part = time - std::chrono::floor<std::chrono::seconds>(time);
    return static_cast<long>(std::chrono::duration_cast<std::chrono::nanoseconds>(part).count());
}

std::string nanoseconds_text(WallTime time) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%09ld", nanoseconds_of(time));
    return text.data();
}

template <class Number>
std::string number_text(const std::optional<Number>& number) {
    return number ? std::to_string(*number) : std::string();
}

std::string user_properties_text(const mqtt::UserProperties& properties) {
    std::string text;
    for (const auto& [name, value] : properties) {
        if (!text.empty()) text += ' ';
        text.append(name).append(":").append(value);
    }
    return text;
}

std::string identifiers_text(const std::vector<std::uint32_t>& identifiers) {
    std::string text;
    for (const auto identifier : identifiers) text += (text.empty() ? "" : " ") + std::to_string(identifier);
    return text;
}

// What stands for a sequence that does not need more than the message and the time.
std::string value_of(char sequence, const mqtt::Publish& message, WallTime time) {
    const auto& properties = message.properties;
    switch (sequence) {
        case 'A':
            return number_text(message.topic_alias);
        case 'C':
            return std::string(properties.content_type.value_or(""));
        case 'D':
            return std::string(as_text(properties.correlation_data.value_or(Bytes())));
        case 'E':
            return number_text(properties.message_expiry_interval_seconds);
        case 'F':
            return number_text(properties.payload_format_indicator);
        case 'I':
            return time_text("%Y-%m-%dT%H:%M:%S%z", time);
        case 'P':
            return user_properties_text(properties.user_properties);
        case 'R':
            return std::string(properties.response_topic.value_or(""));
        case 'S':
            return identifiers_text(message.subscription_identifiers);
        case 'U':
            return std::to_string(
                       std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time))) +
                   "." + nanoseconds_text(time);
        case 'X':
            return to_hex(message.payload, HexCase::Upper);
        case 'l':
            return std::to_string(message.payload.size());
        case 'm':
            return std::to_string(message.packet_id.value);
        case 'p':
            return std::string(as_text(message.payload));
        case 'q':
            return std::to_string(static_cast<int>(message.qos));
        case 'r':
            return message.retain ? "1" : "0";
        case 't':
            return std::string(message.topic);
        case 'x':
            return to_hex(message.payload, HexCase::Lower);
        default:
            return "%";
    }
}

bool may_have_zeros(char sequence) { return std::string_view("AEFSXlmx").find(sequence) != std::string_view::npos; }

}  // namespace

Checked<MessageFormat> MessageFormat::parse(std::string_view text) {
    MessageFormat format;
    auto rest = text;
    while (!rest.empty()) {
        const char c = rest.front();
        rest.remove_prefix(1);
        if (c != '%' && c != '@' && c != '\\') {
            format.add_text(c);
            continue;
        }
        if (rest.empty())
            return std::unexpected(std::string("the format ends with ") + c + "; write it twice for itself");
        if (c == '%') {
            format.pieces_.push_back(TRY(parse_message_piece(rest)));
            continue;
        }
        const char letter = rest.front();
        rest.remove_prefix(1);
        if (c == '\\') {
            const auto character = unescape(letter);
            if (!character)
                return std::unexpected(std::string("\\") + letter +
                                       " is not known; there are \\\\ \\0 \\a \\e \\n \\r \\t \\v");
            format.add_text(*character);
        } else if (letter == '@') {
            format.add_text('@');
        } else {
            format.pieces_.push_back(
                {.kind = letter == 'N' ? Kind::Nanoseconds : Kind::Strftime, .text = {}, .sequence = letter});
        }
    }
    return format;
}

void MessageFormat::add_text(char c) {
    if (pieces_.empty() || pieces_.back().kind != Kind::Text) pieces_.push_back({});
    pieces_.back().text += c;
}

// What follows a '%': flags, width, ".precision", letter.
Checked<MessageFormat::Piece> MessageFormat::parse_message_piece(std::string_view& rest) {
    Piece piece{.kind = Kind::Message, .text = {}};
    while (!rest.empty() && (rest.front() == '-' || rest.front() == '0')) {
        (rest.front() == '-' ? piece.left : piece.zeros) = true;
        rest.remove_prefix(1);
    }
    piece.width = take_number(rest).value_or(0);
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        piece.precision = take_number(rest).value_or(0);
    }
    const char letter = rest.empty() ? '\0' : rest.front();
    if (letter == '\0' || message_sequences.find(letter) == message_sequences.npos) {
        const auto shown = letter == '\0' ? std::string("% at the end") : std::string("%") + letter;
        return std::unexpected(
            shown + " is not known; there are %A %C %D %E %F %I %J %P %R %S %U %X %j %l %m %p %q %r %t %x %%");
    }
    rest.remove_prefix(1);
    piece.sequence = letter;
    return piece;
}

Checked<std::string> MessageFormat::print(const mqtt::Publish& message, WallTime time, bool pretty_json) const {
    std::string text;
    for (const auto& piece : pieces_) {
        if (piece.kind == Kind::Text) {
            text += piece.text;
        } else if (piece.kind == Kind::Strftime) {
            text += time_text(std::string("%") + piece.sequence, time);
        } else if (piece.kind == Kind::Nanoseconds) {
            text += nanoseconds_text(time);
        } else if (piece.sequence == 'j' || piece.sequence == 'J') {
            text += TRY(to_mosquitto_json(message, time, piece.sequence == 'J', pretty_json));
        } else {
            auto value = value_of(piece.sequence, message, time);
            if (value.size() > piece.precision) value.resize(piece.precision);
            const auto missing = piece.width > value.size() ? piece.width - value.size() : 0;
            const char fill = piece.zeros && !piece.left && may_have_zeros(piece.sequence) ? '0' : ' ';
            value.insert(piece.left ? value.size() : 0, missing, fill);
            text += value;
        }
    }
    return text;
}

}  // namespace chappe::app
