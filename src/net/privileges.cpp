#include "net/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "base/assert.h"

namespace chappe::net {
namespace {

constexpr std::size_t user_entry_size_max = std::size_t{64} * 1024;

struct User {
    uid_t uid;
    gid_t gid;
};

Result<User> find_user(const std::string& name) {
    passwd entry{};
    passwd* found = nullptr;
    std::vector<char> texts(user_entry_size_max);
    const int error = getpwnam_r(name.c_str(), &entry, texts.data(), texts.size(), &found);
    if (error != 0) return io_error("look up the user " + name, error);
    if (found == nullptr)
        return std::unexpected(IoError{.code = ENOENT, .what = "there is no user " + name + " on this machine"});
    return User{entry.pw_uid, entry.pw_gid};
}

// Of the calling thread; `bits` are those of the first 32 capabilities.
bool set_capabilities(std::uint32_t bits) noexcept {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, 2> sets{};
    sets[0].effective = sets[0].permitted = bits;
    return syscall(SYS_capset, &header, sets.data()) == 0;
}

}  // namespace

Result<void> become_user(const std::string& name) {
    const auto user = find_user(name);
    if (!user) return std::unexpected(user.error());
    if (geteuid() == user->uid) return {};
    if (geteuid() != 0) {
        return std::unexpected(
            IoError{.code = EPERM, .what = "only root can become " + name + ", and this is not root"});
    }
    const auto failed = [&] { return io_error("become the user " + name, errno); };
    if (prctl(PR_SET_KEEPCAPS, 1L) != 0) return failed();
    if (initgroups(name.c_str(), user->gid) != 0 || setgid(user->gid) != 0 || setuid(user->uid) != 0) return failed();
    if (!set_capabilities(1U << CAP_NET_BIND_SERVICE)) return failed();
    if (prctl(PR_SET_KEEPCAPS, 0L) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0) return failed();
    return {};
}

void give_up_capabilities() noexcept {
    const bool given_up = set_capabilities(0);
    ASSERT(given_up);  // Everybody may have less.
}

}  // namespace chappe::net
