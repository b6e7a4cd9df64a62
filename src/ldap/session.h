#pragma once

// A conversation with a directory server, for those who ask one: a Connection, or what a test puts in its place.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chappe::ldap {

enum class Fault : std::uint8_t {
    WrongPassword,  // Or, at most servers, no such name.
    NoSuchEntry,
    Unreachable,  // No answer: it is down, does not trust or is not trusted, or takes too long.
    Refused,      // It has answered, and did not do it.
};

struct Error {
    Fault fault;
    std::string text;  // For people, with what the server says.
};

template <class T>
using Result = std::expected<T, Error>;

enum class Scope : std::uint8_t { Entry, Subtree };

struct Search {
    std::string base;
    Scope scope = Scope::Subtree;
    std::string filter;
    std::vector<std::string> attributes;
    std::size_t entries_max = 2;  // One more than is good tells that there are too many.
};

struct Entry {
    std::string dn;
    // As they were asked for; those that it does not have have no values.
    std::vector<std::pair<std::string, std::vector<std::string>>> attributes;

    [[nodiscard]] std::vector<std::string> values(std::string_view attribute) const {
        for (const auto& [name, values] : attributes) {
            if (name == attribute) return values;
        }
        return {};
    }
};

class Session {
public:
    virtual ~Session() = default;

    // An empty password is a wrong one: many servers take it for a wish to stay anonymous, and say yes (RFC
    // 4513, 5.1.2).
    [[nodiscard]] virtual Result<void> bind(const std::string& dn, std::string_view password) = 0;
    // Not more than `entries_max`; there may be others.
    [[nodiscard]] virtual Result<std::vector<Entry>> search(const Search& wanted) = 0;
};

}  // namespace chappe::ldap
