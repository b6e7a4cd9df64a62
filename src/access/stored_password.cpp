#include "access/stored_password.h"

#include "crypto/password_hash.h"
#include "crypto/random.h"
#include "crypto/scram.h"

namespace chappe::access {
namespace {

constexpr std::size_t scram_salt_size = 16;

}  // namespace

std::expected<accounts::Password, std::string> stored_password(const crypto::Secret& password) {
    const auto keys = crypto::make_scram_keys(password.reveal(), crypto::random_bytes(scram_salt_size));
    if (!keys) return std::unexpected(keys.error().text);
    return accounts::Password{.hash = crypto::hash_password(password.reveal()), .scram_keys = crypto::to_text(*keys)};
}

}  // namespace chappe::access
