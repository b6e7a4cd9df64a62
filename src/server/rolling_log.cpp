#include "server/rolling_log.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <utility>

#include "base/result.h"
#include "net/io_error.h"
#include "server/logger.h"

namespace chappe::server {
namespace {

using File = std::shared_ptr<const net::FileDescriptor>;

std::expected<File, std::string> open_file(const std::string& path) {
    net::FileDescriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (file.is_open()) return std::make_shared<const net::FileDescriptor>(std::move(file));
    return std::unexpected(path + ": " + std::string(net::error_text(errno)));
}

std::uint64_t size_of(const net::FileDescriptor& file) {
    struct stat status{};
    return ::fstat(file.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::string say_lost(std::uint64_t lines) {
    const auto count = std::to_string(lines);
    return format_line(LogFormat::Json, std::chrono::system_clock::now(), LogLevel::Warning, "log_lines_lost",
                       "lines of the log were lost here", std::array{Field{"lines", count}});
}

}  // namespace

std::expected<std::unique_ptr<RollingLog>, std::string> RollingLog::open(std::string path, std::uint64_t size_max) {
    auto file = TRY(open_file(path));
    return std::unique_ptr<RollingLog>(new RollingLog(std::move(path), size_max, std::move(file)));
}

RollingLog::RollingLog(std::string path, std::uint64_t size_max, std::shared_ptr<const net::FileDescriptor> file)
    : path_(std::move(path)), size_max_(size_max), size_(size_of(*file)), writer_(std::move(file), say_lost) {}

void RollingLog::write(std::string line) {
    const std::scoped_lock lock(mutex_);
    if (size_ >= size_max_) begin_anew();
    size_ += line.size() + 1;
    writer_.write(std::move(line));
}

// Where that cannot be done, the old file grows on, and it is tried again after as many bytes: a line too many is
// better than one too few. Somebody may have taken the file away.
void RollingLog::begin_anew() {
    size_ = 0;
    if (std::rename(path_.c_str(), (path_ + ".1").c_str()) != 0 && errno != ENOENT) return;
    if (auto file = open_file(path_)) writer_.write_to(*std::move(file));
}

}  // namespace chappe::server
