#pragma once

// What the tests of this folder share.

#include <cstdlib>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

#include "accounts/account_store.h"
#include "store/test_support.h"

namespace chappe::accounts::test {

// The value, or a failure of the test that says why there is none.
template <class Type>
Type must(Result<Type> result) {
    if (!result) {
        ADD_FAILURE() << result.error().text;
        std::abort();
    }
    if constexpr (!std::is_void_v<Type>) return std::move(*result);
}

// Why it failed; an error of storage without text if it has not.
template <class Type>
Error fault(const Result<Type>& result) {
    return result ? Error(Fault::Storage, "") : result.error();
}

class AccountFile : public testing::Test {
protected:
    [[nodiscard]] AccountStore open(const Limits& limits = {}) const {
        return must(AccountStore::open(path, {.limits = limits}));
    }

    store::test::Folder folder;
    std::string path = folder.file("chappe.db");
    AccountStore accounts = open();
};

}  // namespace chappe::accounts::test
