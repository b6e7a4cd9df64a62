#pragma once

// What clients may do, by the roles and rules of now. On top of these: $SYS is published by the broker alone, except
// for the states of bridges; $CONTROL belongs to the operator, who may do everything.

#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "access/current.h"
#include "access/decision_record.h"
#include "broker/ports.h"

namespace chappe::access {

class Permissions final : public broker::Permissions {
public:
    // Both outlive it. Without a record (null) decisions are not recorded.
    explicit Permissions(const Current& current, DecisionRecord* record = nullptr)
        : current_(current), record_(record) {}

    [[nodiscard]] broker::Decision decide(const broker::Question& question) const override;
    [[nodiscard]] bool restricts_receiving() const noexcept override;
    [[nodiscard]] bool restricts_receiving_of(const broker::Identity& who) const noexcept override;

private:
    [[nodiscard]] std::string_view kept(std::string_view reason) const;

    [[nodiscard]] broker::Decision decide_by_policy(const broker::Question& question) const;

    const Current& current_;
    DecisionRecord* const record_;
    mutable std::mutex mutex_;
    mutable std::set<std::string, std::less<>> reasons_;  // They outlive the policy that gave them.
};

}  // namespace chappe::access
