#pragma once

// audit.log, beside chappe.db: who has changed what of the accounts, one JSON object on a line.

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "accounts/account.h"
#include "accounts/error.h"

namespace chappe::accounts {

// Never has a secret in it, nor what could be one.
struct AuditEntry {
    Seconds time = 0;
    std::string who;                   // A user of the operating system or of ours.
    std::optional<std::uint32_t> uid;  // Of the operating system.
    std::string from;                  // "command line", or a client's address.
    std::string what;                  // "user add"
    std::string target;                // The user, role or ban.
    std::string detail;                // "role viewer"; may be empty.
};

// Any number of threads and processes may append to one file: whole lines, in one call of the operating system for
// each append().
class AuditLog {
public:
    // Made with mode 0600 where it is not there.
    [[nodiscard]] static Result<AuditLog> open(const std::string& path);

    AuditLog(AuditLog&& other) noexcept;
    AuditLog& operator=(AuditLog&& other) = delete;
    ~AuditLog();

    // On the disk when it returns; blocks as long as that takes.
    [[nodiscard]] Result<void> append(std::span<const AuditEntry> entries) const;
    [[nodiscard]] Result<void> append(const AuditEntry& entry) const { return append({&entry, 1}); }

private:
    AuditLog(int descriptor, std::string path) noexcept : descriptor_(descriptor), path_(std::move(path)) {}

    int descriptor_;
    std::string path_;
};

}  // namespace chappe::accounts
