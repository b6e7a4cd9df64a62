#pragma once

// A file of lines that is begun anew when it is full, so that strangers cannot fill the disk: logins.log and
// decisions.log in the data directory.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "server/log_writer.h"

namespace chappe::server {

// Thread-safe, and never waits for the disk but when a file is full: see LogWriter.
class RollingLog {
public:
    // Appends; made with mode 0600 where it is not there. A file that has reached `size_max` bytes is renamed to
    // PATH.1, in place of the one of that name, and begun anew. Fails with a text for people.
    [[nodiscard]] static std::expected<std::unique_ptr<RollingLog>, std::string> open(std::string path,
                                                                                      std::uint64_t size_max);

    void write(std::string line);

private:
    RollingLog(std::string path, std::uint64_t size_max, std::shared_ptr<const net::FileDescriptor> file);

    void begin_anew();

    const std::string path_;
    const std::uint64_t size_max_;
    std::mutex mutex_;
    std::uint64_t size_;  // Of the file, with what is still to be written.
    LogWriter writer_;
};

}  // namespace chappe::server
