#include "accounts/valid.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

#include "accounts/network.h"
#include "base/utf8.h"

namespace chappe::accounts {

namespace {

constexpr std::size_t fingerprint_size = 64;
constexpr std::size_t mqtt_text_size_max = 65'535;

std::unexpected<Error> invalid(std::string text) { return std::unexpected(Error(Fault::Invalid, std::move(text))); }

// Of valid UTF-8: U+0000 to U+001F, U+007F to U+009F, and U+2028 and U+2029, which end a line as well.
bool has_control_characters(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<std::uint8_t>(text[i]);
        if (byte < 0x20 || byte == 0x7F) return true;
        if (byte == 0xC2 && static_cast<std::uint8_t>(text[i + 1]) < 0xA0) return true;
        if (text.substr(i).starts_with("\xE2\x80\xA8") || text.substr(i).starts_with("\xE2\x80\xA9")) return true;
    }
    return false;
}

Result<void> check_line(std::string_view what, std::string_view text, std::size_t size_max) {
    const auto the = "the " + std::string(what);
    if (text.size() > size_max) return invalid(the + " is longer than " + std::to_string(size_max) + " bytes");
    if (!is_valid_utf8(text)) return invalid(the + " is not valid UTF-8");
    if (has_control_characters(text)) return invalid(the + " has control characters");
    return {};
}

}  // namespace

Result<void> check_name(std::string_view what, std::string_view name) {
    if (name.empty()) return invalid("the " + std::string(what) + " is empty");
    TRY(check_line(what, name, name_size_max));
    if (name.front() == ' ' || name.back() == ' ') {
        return invalid("the " + std::string(what) + " begins or ends with a space");
    }
    return {};
}

std::optional<std::string> name_warning(std::string_view name) {
    if (name.find_first_of("/+#") == std::string_view::npos) return std::nullopt;
    return "the name " + std::string(name) + " has a '/', '+' or '#': rules with ${username} will never match for it";
}

Result<void> check_rule(std::string_view rule) {
    if (rule.find_first_not_of(' ') == std::string_view::npos) return invalid("the rule is empty");
    return check_line("rule", rule, rule_size_max);
}

Result<void> check_text(std::string_view what, std::string_view text) { return check_line(what, text, text_size_max); }

Result<void> check_password(const Password& password) {
    for (const auto& [what, text] :
         {std::pair("password hash", &password.hash), {"text of SCRAM keys", &password.scram_keys}}) {
        if (!*text) continue;
        if ((*text)->empty()) return invalid("the " + std::string(what) + " is empty");
        TRY(check_text(what, **text));
    }
    return {};
}

Result<std::string> plain_fingerprint(std::string_view text) {
    std::string digits;
    for (const char letter : text) {
        if (letter == ':') continue;
        if (std::isxdigit(static_cast<unsigned char>(letter)) == 0) break;
        digits += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    }
    const auto colons = std::ranges::count(text, ':');
    if (digits.size() != fingerprint_size || digits.size() + static_cast<std::size_t>(colons) != text.size()) {
        return invalid(
            "the fingerprint of a certificate is its SHA-256: 64 hexadecimal digits, with or without colons");
    }
    return digits;
}

Result<std::string> plain_ban_value(BanKind kind, std::string_view value) {
    if (kind == BanKind::Address) {
        if (auto network = plain_network(value)) return *std::move(network);
        return invalid("'" + std::string(value.substr(0, name_size_max)) +
                       "' is no IP address and no network such as 192.0.2.0/24");
    }
    const auto what = std::string(kind == BanKind::User ? "user name" : "client identifier");
    if (value.empty()) return invalid("the " + what + " is empty");
    if (value.size() > mqtt_text_size_max) return invalid("the " + what + " is longer than MQTT allows");
    if (!is_valid_utf8(value)) return invalid("the " + what + " is not valid UTF-8");
    return std::string(value);
}

}  // namespace chappe::accounts
