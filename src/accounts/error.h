#pragma once

// Why an account could not be read or changed, as a value with a text for people: "there is no user bob".

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>

#include "store/error.h"

namespace chappe::accounts {

enum class Fault : std::uint8_t {
    NoSuchUser,
    UserExists,
    NoSuchRole,
    RoleExists,
    RoleInUse,
    NoSuchRule,
    NoSuchFingerprint,
    FingerprintTaken,  // By another user.
    NoSuchBan,
    Invalid,       // A name, rule, fingerprint or other value is not what it has to be.
    LimitReached,  // One of Limits.
    Storage,       // The file could not be read or written: see Error::storage.
};

struct Error {
    Error(Fault what, std::string why) : fault(what), text(std::move(why)) {}
    // NOLINTNEXTLINE(google-explicit-constructor): so that TRY passes errors of the store on.
    Error(store::Error error) : fault(Fault::Storage), text(error.text), storage(std::move(error)) {}

    Fault fault;
    std::string text;
    std::optional<store::Error> storage;
};

template <class T>
using Result = std::expected<T, Error>;

}  // namespace chappe::accounts
