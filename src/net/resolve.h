#pragma once

#include <functional>
#include <string>
#include <vector>

#include "net/endpoint.h"
#include "net/io_error.h"

namespace chappe::net {

// The addresses of a host, best first, as the system's resolver orders them (RFC 6724); never empty. An address written
// out is itself. Otherwise asks /etc/hosts, the name server and so on, which may take many seconds.
[[nodiscard]] Result<std::vector<IpAddress>> resolve(const std::string& host);

// Something that answers like resolve(), on any thread.
using Resolver = std::function<Result<std::vector<IpAddress>>(const std::string& host)>;

}  // namespace chappe::net
