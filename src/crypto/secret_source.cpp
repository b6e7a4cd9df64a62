#include "crypto/secret_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <system_error>

#include "base/result.h"

namespace chappe::crypto {

namespace {

using Outcome = std::expected<Secret, std::string>;

std::unexpected<std::string> wrong(std::string_view what, std::string_view why) {
    return std::unexpected(std::string(what) + ": " + std::string(why));
}

std::unexpected<std::string> failed(std::string_view what, int code) {
    return wrong(what, std::generic_category().message(code));
}

class OpenFile {
public:
    explicit OpenFile(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile() {
        if (is_open()) ::close(descriptor_);
    }

    [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }

    // How large it is; nothing where that is not known before it has been read.
    [[nodiscard]] std::optional<std::size_t> size() const noexcept {
        struct stat status{};
        if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
        return static_cast<std::size_t>(status.st_size);
    }

    // As many bytes as there are up to `size`, or an errno.
    [[nodiscard]] std::expected<std::size_t, int> read(char* to, std::size_t size) const {
        std::size_t done = 0;
        while (done != size) {
            const auto count = ::read(descriptor_, to + done, size - done);
            if (count == 0) break;
            if (count > 0) {
                done += static_cast<std::size_t>(count);
            } else if (errno != EINTR) {
                return std::unexpected(errno);
            }
        }
        return done;
    }

private:
    int descriptor_;
};

std::string_view without_line_end(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

Outcome read_variable(const std::string& name) {
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nobody here calls setenv().
    if (value == nullptr) return wrong(name, "there is no such environment variable");
    if (*value == '\0') return wrong(name, "the environment variable is empty");
    return Secret(value);
}

Outcome read_credential(const std::string& name) {
    const char* directory = std::getenv("CREDENTIALS_DIRECTORY");  // NOLINT(concurrency-mt-unsafe): as above.
    if (directory == nullptr) {
        return wrong("credential:" + name, "systemd has given no credentials: LoadCredential= in the unit does");
    }
    if (name.find('/') != std::string::npos || name == "." || name == "..") {
        return wrong("credential:" + name, "is not the name of a credential: those are file names without a folder");
    }
    return read_secret_file(std::string(directory) + '/' + name);
}

// What follows the prefix, where the source has it and something follows.
std::optional<std::string> after(std::string_view prefix, std::string_view source) {
    if (!source.starts_with(prefix) || source.size() == prefix.size()) return std::nullopt;
    return std::string(source.substr(prefix.size()));
}

}  // namespace

std::expected<Secret, std::string> read_secret(std::string_view source) {
    if (source.find('\0') == std::string_view::npos) {
        if (const auto path = after("file:", source)) return read_secret_file(*path);
        if (const auto name = after("env:", source)) return read_variable(*name);
        if (const auto name = after("credential:", source)) return read_credential(*name);
    }
    return std::unexpected(
        "a secret does not stand in the configuration itself: say where it is, with file:PATH, env:NAME or "
        "credential:NAME");
}

std::string file_of_secret(std::string_view source) { return after("file:", source).value_or(""); }

// Read without a stream, whose buffer would keep a copy.
std::expected<Secret, std::string> read_secret_file(const std::string& path, std::size_t size_max) {
    const OpenFile file(path);
    if (!file.is_open()) return failed(path, errno);
    std::string text(std::min(file.size().value_or(size_max), size_max) + 1, '\0');
    const auto size = file.read(text.data(), text.size());
    if (!size) return failed(path, size.error());
    Secret secret(without_line_end(std::string_view(text).substr(0, *size)));
    wipe(text);
    if (*size > size_max) return wrong(path, "is larger than " + std::to_string(size_max / 1024) + " KiB");
    if (secret.empty()) return wrong(path, "is empty");
    return secret;
}

bool is_readable_by_others(const std::string& path) {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0;
}

}  // namespace chappe::crypto
