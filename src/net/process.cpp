#include "net/process.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdlib>

#include "net/file_descriptor.h"

namespace chappe::net {

Result<std::uint64_t> raise_open_file_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return io_error("ask for the limit of open files", errno);
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return io_error("raise the limit of open files", errno);
    return limit.rlim_cur;
}

void ignore_broken_pipes() noexcept { (void)std::signal(SIGPIPE, SIG_IGN); }

Result<void> notify_service_manager(std::string_view state) {
    constexpr std::string_view tried = "notify the service manager";
    const char* variable = std::getenv("NOTIFY_SOCKET");
    if (variable == nullptr) return {};
    const std::string_view path = variable;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) return io_error(tried, EINVAL);
    std::ranges::copy(path, address.sun_path);
    if (path.front() == '@') address.sun_path[0] = '\0';  // An abstract socket, which has no file.
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    const FileDescriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    if (!socket.is_open()) return io_error(tried, errno);
    const auto* where = reinterpret_cast<const sockaddr*>(&address);
    if (sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, where, size) < 0) return io_error(tried, errno);
    return {};
}

}  // namespace chappe::net
