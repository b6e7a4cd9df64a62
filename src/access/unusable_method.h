#pragma once

// Stands in for a method that cannot be used now: it lets nobody in, and nobody past it, for it might have refused
// them.

#include <string>
#include <string_view>
#include <utility>

#include "access/method.h"

namespace chappe::access {

class UnusableMethod final : public Method {
public:
    UnusableMethod(std::string name, std::string why) : name_(std::move(name)), why_(std::move(why)) {}

    [[nodiscard]] std::string_view name() const noexcept override { return name_; }
    [[nodiscard]] Effort effort(const Credentials&) const override { return Effort::Quick; }
    [[nodiscard]] Outcome check(const Credentials&) const override { return Refused{.why = why_, .cannot_tell = true}; }

private:
    const std::string name_;
    const std::string why_;
};

}  // namespace chappe::access
