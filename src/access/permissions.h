#pragma once

// What clients may do, by the roles and rules of now. On top of these: $SYS is published by the broker alone, except
// for the states of bridges; $CONTROL belongs to the operator, who may do everything.

#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "access/current.h"
#include "broker/ports.h"

namespace chappe::access {

class Permissions final : public broker::Permissions {
public:
    explicit Permissions(const Current& current) : current_(current) {}

    [[nodiscard]] broker::Decision decide(const broker::Question& question) const override;
    [[nodiscard]] bool restricts_receiving() const noexcept override;
    [[nodiscard]] bool restricts_receiving_of(const broker::Identity& who) const noexcept override;

private:
    [[nodiscard]] std::string_view kept(std::string_view reason) const;

    const Current& current_;
    mutable std::mutex mutex_;
    mutable std::set<std::string, std::less<>> reasons_;  // They outlive the policy that gave them.
};

}  // namespace chappe::access
