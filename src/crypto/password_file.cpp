#include "crypto/password_file.h"

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "base/utf8.h"
#include "crypto/password_hash.h"

namespace chappe::crypto {

namespace {

constexpr std::size_t name_size_max = 65'535;  // Of a user name in MQTT.

// What is wrong with a name, or nothing.
std::string_view fault_of_name(std::string_view name) {
    if (name.empty()) return "there is no name before the colon";
    if (name.size() > name_size_max) return "the name is longer than 65,535 bytes, the most that MQTT can carry";
    if (std::ranges::any_of(name, is_control)) return "the name has a control character";
    if (!is_valid_utf8(name)) return "the name is not UTF-8";
    return {};
}

std::string_view fault_of_hash(std::string_view hash) {
    if (hash.empty()) return "there is no hash behind the colon";
    if (is_password_hash(hash)) return {};
    if (hash.starts_with('$')) {
        return "the hash is damaged, asks for too much, or is of an unknown kind: known are $argon2id$, $6$ and $7$";
    }
    return "the password stands there as it is, which is not accepted: mosquitto_passwd -U FILE hashes those of a file";
}

class Reader {
public:
    void read(std::string_view line, std::size_t number) {
        if (trimmed(line).empty() || line.starts_with('#')) return;
        const auto colon = line.find(':');
        if (colon == line.npos) return find(number, "there is no colon: a line is NAME:HASH");
        const auto name = trimmed(line.substr(0, colon));
        const auto hash = trimmed(line.substr(colon + 1));
        if (const auto fault = fault_of_name(name); !fault.empty()) return find(number, fault);
        if (const auto fault = fault_of_hash(hash); !fault.empty()) return find(number, fault);
        const auto [first, is_new] = lines_.emplace(name, number);
        if (!is_new)
            return find(number, "the name is that of line " + std::to_string(first->second) + ", which counts");
        file_.entries.push_back({std::string(name), std::string(hash), number});
    }

    [[nodiscard]] PasswordFile take() { return std::move(file_); }

private:
    void find(std::size_t number, std::string_view text) { file_.findings.push_back({number, std::string(text)}); }

    PasswordFile file_;
    std::unordered_map<std::string, std::size_t> lines_;  // Of each name.
};

}  // namespace

PasswordFile parse_password_file(std::string_view text) {
    Reader reader;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        reader.read(text.substr(0, end), number);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return reader.take();
}

}  // namespace chappe::crypto
