#include "crypto/stored_hash.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "crypto/base64.h"
#include "crypto/digest.h"

namespace chappe::crypto {

namespace {

constexpr std::size_t text_size_max = 2048;
constexpr std::size_t salt_size_max = 512;
constexpr std::size_t argon2_salt_size_min = 8;
// Of a shorter hash one could find another password that has it.
constexpr std::size_t argon2_hash_size_min = 12;
constexpr std::size_t argon2_hash_size_max = 512;

// A decimal number without sign and leading zeros.
std::optional<std::uint32_t> number(std::string_view text) {
    if (text.starts_with('0')) return std::nullopt;
    std::uint32_t value = 0;
    const auto* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || at != end) return std::nullopt;
    return value;
}

std::optional<std::uint32_t> number_after(std::string_view prefix, std::string_view text) {
    if (!text.starts_with(prefix)) return std::nullopt;
    return number(text.substr(prefix.size()));
}

using Parts = std::vector<std::string_view>;

Parts split(std::string_view text, char separator) {
    Parts parts;
    for (std::size_t end = 0; (end = text.find(separator)) != text.npos; text.remove_prefix(end + 1)) {
        parts.push_back(text.substr(0, end));
    }
    parts.push_back(text);
    return parts;
}

std::optional<SaltedHash> salted_hash(std::string_view salt, std::string_view hash, Base64 form) {
    auto salt_bytes = decode_base64(salt, form);
    auto hash_bytes = decode_base64(hash, form);
    if (!salt_bytes || !hash_bytes || salt_bytes->size() > salt_size_max) return std::nullopt;
    return SaltedHash{std::move(*salt_bytes), std::move(*hash_bytes)};
}

std::optional<Argon2Variant> variant_named(std::string_view name) {
    if (name == "argon2id") return Argon2Variant::Id;
    if (name == "argon2i") return Argon2Variant::I;
    if (name == "argon2d") return Argon2Variant::D;
    return std::nullopt;
}

std::optional<Argon2Cost> argon2_cost(std::string_view text) {
    const auto parts = split(text, ',');
    if (parts.size() != 3) return std::nullopt;
    const auto memory = number_after("m=", parts[0]);
    const auto passes = number_after("t=", parts[1]);
    const auto lanes = number_after("p=", parts[2]);
    if (!memory || !passes || !lanes) return std::nullopt;
    const Argon2Cost cost{.memory_kib = *memory, .passes = *passes, .lanes = *lanes};
    return is_within_bounds(cost) ? std::optional(cost) : std::nullopt;
}

// NAME, then "v=19" unless it is the first version, cost, salt and hash.
std::optional<StoredHash> argon2_hash(Argon2Variant variant, const Parts& parts) {
    if (parts.size() != 4 && parts.size() != 5) return std::nullopt;
    const auto version = parts.size() == 5 ? number_after("v=", parts[1]) : 0x10;
    if (version != 0x10 && version != 0x13) return std::nullopt;
    const auto cost = argon2_cost(parts[parts.size() - 3]);
    auto salted = salted_hash(parts[parts.size() - 2], parts[parts.size() - 1], Base64::Unpadded);
    if (!cost || !salted || salted->salt.size() < argon2_salt_size_min) return std::nullopt;
    if (salted->hash.size() < argon2_hash_size_min || salted->hash.size() > argon2_hash_size_max) return std::nullopt;
    return Argon2Hash{{std::move(*salted)}, variant, *version, *cost};
}

std::optional<StoredHash> pbkdf2_hash(const Parts& parts) {
    if (parts.size() != 4) return std::nullopt;
    const auto iterations = number(parts[1]);
    auto salted = salted_hash(parts[2], parts[3], Base64::Padded);
    if (!iterations || *iterations > pbkdf2_iterations_max || !salted) return std::nullopt;
    if (salted->hash.size() != size_of(Hash::Sha512)) return std::nullopt;
    return Pbkdf2Hash{{std::move(*salted)}, *iterations};
}

std::optional<StoredHash> sha512_hash(const Parts& parts) {
    if (parts.size() != 3) return std::nullopt;
    auto salted = salted_hash(parts[1], parts[2], Base64::Padded);
    if (!salted || salted->hash.size() != size_of(Hash::Sha512)) return std::nullopt;
    return Sha512Hash{{std::move(*salted)}};
}

}  // namespace

std::optional<StoredHash> parse_stored_hash(std::string_view text) {
    if (!text.starts_with('$') || text.size() > text_size_max) return std::nullopt;
    const auto parts = split(text.substr(1), '$');
    if (parts[0] == "6") return sha512_hash(parts);
    if (parts[0] == "7") return pbkdf2_hash(parts);
    if (const auto variant = variant_named(parts[0])) return argon2_hash(*variant, parts);
    return std::nullopt;
}

bool is_within_bounds(const Argon2Cost& cost) noexcept {
    if (cost.passes == 0 || cost.lanes == 0 || cost.lanes > argon2_lanes_max) return false;
    // Eight blocks for each lane: RFC 9106, 3.1.
    if (cost.memory_kib < 8 * cost.lanes || cost.memory_kib > argon2_memory_kib_max) return false;
    return std::uint64_t{cost.memory_kib} * cost.passes <= argon2_work_max;
}

}  // namespace chappe::crypto
