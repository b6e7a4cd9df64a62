#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "apps/chappe/clients/text.h"
#include "base/time.h"
#include "mqtt/packet.h"

namespace chappe::app {

// The format of -F, as mosquitto_sub has it: %-sequences for what a message has (%t topic, %p payload, ...),
// @-sequences for the time as in strftime(3), and backslash sequences for characters that are hard to type.
class MessageFormat {
public:
    // Says which sequence is not known and what is.
    [[nodiscard]] static Checked<MessageFormat> parse(std::string_view text);

    // One message as text. Fails only for %J, where the payload is not JSON.
    [[nodiscard]] Checked<std::string> print(const mqtt::Publish& message, WallTime time, bool pretty_json) const;

private:
    enum class Kind : std::uint8_t { Text, Message, Strftime, Nanoseconds };

    struct Piece {
        Kind kind = Kind::Text;
        std::string text;                           // Of Text.
        char sequence = 0;                          // Of Message and Strftime: the letter.
        bool left = false;                          // '-': aligned to the left.
        bool zeros = false;                         // '0': filled with zeros.
        std::size_t width = 0;                      // At least so wide, in bytes.
        std::size_t precision = std::string::npos;  // At most so many bytes.
    };

    [[nodiscard]] static Checked<Piece> parse_message_piece(std::string_view& rest);
    void add_text(char c);

    std::vector<Piece> pieces_;
};

}  // namespace chappe::app
