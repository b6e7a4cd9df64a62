#include "net/file_descriptor.h"

#include <unistd.h>

namespace chappe::net {

void FileDescriptor::close() noexcept {
    // Not repeated on EINTR: Linux has let go of the number by then, and another thread may have it already.
    if (fd_ >= 0) (void)::close(std::exchange(fd_, -1));
}

}  // namespace chappe::net
