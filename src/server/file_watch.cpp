#include "server/file_watch.h"

#include <sys/stat.h>

namespace chappe::server {

void FileWatch::watch(const std::vector<std::string>& paths) {
    stamps_.clear();
    for (const auto& path : paths) stamps_[path] = stamp_of(path);
}

bool FileWatch::changed() {
    bool any = false;
    for (auto& [path, stamp] : stamps_) {
        const auto now = stamp_of(path);
        any |= now != stamp;
        stamp = now;
    }
    return any;
}

FileWatch::Stamp FileWatch::stamp_of(const std::string& path) {
    struct stat found{};
    if (stat(path.c_str(), &found) != 0) return {};
    return {.device = found.st_dev,
            .inode = found.st_ino,
            .size = found.st_size,
            .changed_at_ns = found.st_ctim.tv_sec * 1'000'000'000LL + found.st_ctim.tv_nsec};
}

}  // namespace chappe::server
