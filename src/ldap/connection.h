#pragma once

// A connection to a directory server (LDAPv3, RFC 4511), by libldap.

#include <chrono>
#include <memory>
#include <string>

#include "ldap/session.h"

struct ldap;  // libldap's LDAP.

namespace chappe::ldap {

class Deadline;

struct Server {
    std::string url;                     // As parse_url() takes it, or several with a space between.
    bool start_tls = false;              // For ldap://
    std::string ca_file;                 // Empty: what the system trusts.
    std::chrono::seconds time_limit{5};  // To connect, and then for all that is asked.
};

// Blocks, as long as `time_limit` allows, and as the system takes to find an address. One thread at a
// time. The server's certificate and name are always verified. What ldap.conf and the environment say of these plays no
// part. Referrals are not followed: they would lead to servers that nobody has chosen.
class Connection final : public Session {
public:
    [[nodiscard]] static Result<std::unique_ptr<Session>> open(const Server& server);
    ~Connection() override;

    [[nodiscard]] Result<void> bind(const std::string& dn, std::string_view password) override;
    [[nodiscard]] Result<std::vector<Entry>> search(const Search& wanted) override;

private:
    struct Closer {
        void operator()(::ldap* handle) const noexcept;
    };
    using Handle = std::unique_ptr<::ldap, Closer>;

    Connection(std::unique_ptr<Deadline> deadline, Handle handle);

    // What is left of the time, which libldap gets told for its next operation; an error: nothing.
    [[nodiscard]] Result<std::chrono::microseconds> time_for(const std::string& what);

    const std::unique_ptr<Deadline> deadline_;  // Outlives the handle.
    const Handle handle_;
};

}  // namespace chappe::ldap
