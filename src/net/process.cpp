#include "net/process.h"

#include <sys/resource.h>

#include <csignal>

namespace chappe::net {

Result<std::uint64_t> raise_open_file_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return io_error("ask for the limit of open files", errno);
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return io_error("raise the limit of open files", errno);
    return limit.rlim_cur;
}

void ignore_broken_pipes() noexcept { (void)std::signal(SIGPIPE, SIG_IGN); }

}  // namespace chappe::net
