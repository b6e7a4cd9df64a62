#include "accounts/fault.h"

#include "accounts/valid.h"

namespace chappe::accounts {

std::string shown(std::string_view name) {
    return check_name("name", name) ? std::string(name) : std::string("of that name");
}

std::unexpected<Error> no_such_user(std::string_view name) {
    return std::unexpected(Error(Fault::NoSuchUser, "there is no user " + shown(name)));
}

std::unexpected<Error> no_such_role(std::string_view name) {
    return std::unexpected(Error(Fault::NoSuchRole, "there is no role " + shown(name)));
}

std::unexpected<Error> limit_reached(std::string_view what, std::size_t limit) {
    return std::unexpected(
        Error(Fault::LimitReached, std::string(what) + ": there may be at most " + std::to_string(limit)));
}

}  // namespace chappe::accounts
