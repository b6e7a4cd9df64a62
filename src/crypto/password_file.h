#pragma once

// Mosquitto's password file, as mosquitto_passwd writes it.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace chappe::crypto {

struct PasswordEntry {
    std::string name;  // 1 to 65,535 bytes of UTF-8 without control characters.
    std::string hash;  // For verify_password().
    std::size_t line;  // From 1.
};

struct PasswordFinding {
    std::size_t line;
    std::string text;  // Says what is wrong; never has anything of the hash, which may be a password.
};

struct PasswordFile {
    std::vector<PasswordEntry> entries;  // In the order of the file; no name twice.
    std::vector<PasswordFinding> findings;
};

// Each line is NAME:HASH, with a hash that password_hash.h knows; lines that are blank or begin with # are passed over.
// Blanks around name and hash are not part of them. Lines that cannot be used are findings, and the others still count.
[[nodiscard]] PasswordFile parse_password_file(std::string_view text);

}  // namespace chappe::crypto
