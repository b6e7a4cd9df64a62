#include "crypto/password_hash.h"

#include <argon2.h>

#include <string>
#include <variant>

#include "base/assert.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "crypto/stored_hash.h"

namespace chappe::crypto {

namespace {

constexpr std::size_t new_salt_size = 16;  // RFC 9106, 3.1.
constexpr std::size_t new_hash_size = 32;

argon2_type type_of(Argon2Variant variant) {
    switch (variant) {
        case Argon2Variant::D:
            return Argon2_d;
        case Argon2Variant::I:
            return Argon2_i;
        case Argon2Variant::Id:
            return Argon2_id;
    }
    return Argon2_id;
}

// The library does not write to what it takes as not constant, unless asked to by a flag.
std::uint8_t* bytes_of(std::string_view text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
}

// Hashes with the parameters of `like` into a hash of the same size. Empty where there is no memory.
std::string argon2(std::string_view password, const Argon2Hash& like) {
    std::string hash(like.hash.size(), '\0');
    argon2_context context{};
    context.out = bytes_of(hash);
    context.outlen = static_cast<std::uint32_t>(hash.size());
    context.pwd = bytes_of(password);
    context.pwdlen = static_cast<std::uint32_t>(password.size());
    context.salt = bytes_of(like.salt);
    context.saltlen = static_cast<std::uint32_t>(like.salt.size());
    context.t_cost = like.cost.passes;
    context.m_cost = like.cost.memory_kib;
    context.lanes = like.cost.lanes;
    context.threads = 1;  // The lanes one after the other: a stored hash starts no threads here.
    context.version = like.version;
    const auto outcome = argon2_ctx(&context, type_of(like.variant));
    if (outcome == ARGON2_MEMORY_ALLOCATION_ERROR) return {};
    ASSERT(outcome == ARGON2_OK);
    return hash;
}

std::string hash_of(std::string_view password, const Argon2Hash& stored) { return argon2(password, stored); }

std::string hash_of(std::string_view password, const Pbkdf2Hash& stored) {
    return pbkdf2(Hash::Sha512, password, stored.salt, stored.iterations, stored.hash.size());
}

std::string hash_of(std::string_view password, const Sha512Hash& stored) {
    auto salted = std::string(password).append(stored.salt);
    auto hash = digest(Hash::Sha512, salted);
    wipe(salted);
    return hash;
}

}  // namespace

std::string hash_password(std::string_view password, const Argon2Cost& cost) {
    ASSERT(is_within_bounds(cost));
    const Argon2Hash made{
        {random_bytes(new_salt_size), std::string(new_hash_size, '\0')}, Argon2Variant::Id, ARGON2_VERSION_13, cost};
    const auto hash = argon2(password, made);
    ASSERT(!hash.empty());
    return "$argon2id$v=19$m=" + std::to_string(cost.memory_kib) + ",t=" + std::to_string(cost.passes) +
           ",p=" + std::to_string(cost.lanes) + '$' + encode_base64(made.salt, Base64::Unpadded) + '$' +
           encode_base64(hash, Base64::Unpadded);
}

PasswordCheck verify_password(std::string_view password, std::string_view stored) {
    const auto parsed = parse_stored_hash(stored);
    if (!parsed) return PasswordCheck::Unreadable;
    const auto check = [&](const auto& like) {
        const auto hash = hash_of(password, like);
        if (hash.empty()) return PasswordCheck::Unreadable;
        return equal_in_constant_time(hash, like.hash) ? PasswordCheck::Match : PasswordCheck::Mismatch;
    };
    return std::visit(check, *parsed);
}

bool is_password_hash(std::string_view stored) { return parse_stored_hash(stored).has_value(); }

bool needs_rehash(std::string_view stored, const Argon2Cost& cost) {
    const auto parsed = parse_stored_hash(stored);
    if (!parsed) return true;
    const auto* argon2 = std::get_if<Argon2Hash>(&*parsed);
    if (argon2 == nullptr || argon2->variant != Argon2Variant::Id || argon2->version != ARGON2_VERSION_13) return true;
    return argon2->cost.memory_kib < cost.memory_kib || argon2->cost.passes < cost.passes;
}

}  // namespace chappe::crypto
