#include "accounts/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "accounts/utc.h"

namespace chappe::accounts {

namespace {

using Json = nlohmann::ordered_json;

std::string line_of(const AuditEntry& entry) {
    Json json{{"time", utc(entry.time)}, {"who", entry.who}};
    if (entry.uid) json["uid"] = *entry.uid;
    json["from"] = entry.from;
    json["what"] = entry.what;
    json["target"] = entry.target;
    if (!entry.detail.empty()) json["detail"] = entry.detail;
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

// Of the last call, which has set errno.
std::unexpected<Error> failed(std::string_view tried, const std::string& path) {
    const auto error_number = errno;
    return std::unexpected(Error(store::system_failure(error_number, std::string(tried) + path).error()));
}

}  // namespace

Result<AuditLog> AuditLog::open(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0) return failed("cannot open ", path);
    return AuditLog(descriptor, path);
}

AuditLog::AuditLog(AuditLog&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

AuditLog::~AuditLog() {
    if (descriptor_ >= 0) close(descriptor_);
}

Result<void> AuditLog::append(std::span<const AuditEntry> entries) const {
    std::string lines;
    for (const auto& entry : entries) lines += line_of(entry);
    for (std::string_view rest = lines; !rest.empty();) {
        const auto written = write(descriptor_, rest.data(), rest.size());
        if (written >= 0) {
            rest.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno != EINTR) {
            return failed("cannot write ", path_);
        }
    }
    if (fdatasync(descriptor_) != 0 && errno != EINVAL && errno != EROFS) return failed("cannot write ", path_);
    return {};
}

}  // namespace chappe::accounts
