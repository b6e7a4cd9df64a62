#include "crypto/random.h"

#include <string_view>

#include <openssl/rand.h>

#include "base/assert.h"

namespace chappe::crypto {

namespace {

// Without 0, 1, i, l and o.
constexpr std::string_view readable = "abcdefghjkmnpqrstuvwxyz23456789";
static_assert(readable.size() == 31);

constexpr std::size_t group_count = 4;
constexpr std::size_t group_size = 5;

void fill(std::string& bytes) {
    ASSERT(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) == 1);
}

// Five bits of a byte choose; the one choice that names no character is made again, so that all are equally likely.
char random_character() {
    std::string byte(1, '\0');
    std::size_t choice = 0;
    do {
        fill(byte);
        choice = static_cast<unsigned char>(byte[0]) % 32U;
    } while (choice >= readable.size());
    wipe(byte);
    return readable[choice];
}

}  // namespace

std::string random_bytes(std::size_t size) {
    std::string bytes(size, '\0');
    fill(bytes);
    return bytes;
}

Secret random_password() {
    std::string password;
    password.reserve(group_count * (group_size + 1));  // Growing would leave a copy behind.
    for (std::size_t group = 0; group != group_count; ++group) {
        if (group != 0) password += '-';
        for (std::size_t index = 0; index != group_size; ++index) password += random_character();
    }
    return Secret::taken_from(password);
}

}  // namespace chappe::crypto
