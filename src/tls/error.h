#pragma once

// What OpenSSL says went wrong, for people.

#include <string>

namespace chappe::tls {

// The oldest error in this thread's queue, which is the cause of the others, and forgets them all. What is common is
// said in plain words: "the peer does not speak TLS".
[[nodiscard]] std::string take_error();

}  // namespace chappe::tls
