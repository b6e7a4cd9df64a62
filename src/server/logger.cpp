#include "server/logger.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "net/io_error.h"
#include "server/log_writer.h"

namespace chappe::server {
namespace {

std::string_view name_of(LogLevel level) noexcept {
    switch (level) {
        case LogLevel::Debug:
            return "debug";
        case LogLevel::Info:
            return "info";
        case LogLevel::Warning:
            return "warning";
        case LogLevel::Error:
            return "error";
    }
    return "";
}

// Names come from clients: whatever they contain, a line stays one line and its fields stay apart.
void append_escaped(std::string& out, std::string_view text) {
    for (const char c : text) {
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
                    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
                } else {
                    out += c;
                }
        }
    }
}

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    append_escaped(out, text);
    out += '"';
}

bool needs_quotes(std::string_view value) noexcept {
    for (const char c : value) {
        if (static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '\\' || c == '=' || c == 0x7F) return true;
    }
    return value.empty();
}

void append_json(std::string& out, std::string_view name, std::string_view value) {
    append_quoted(out, name);
    out += ':';
    append_quoted(out, value);
}

std::string timestamp(WallTime time) {
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(milliseconds);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", seconds, (milliseconds - seconds).count());
}

using File = std::shared_ptr<const net::FileDescriptor>;

std::expected<File, std::string> open_file(const Log& settings) {
    net::FileDescriptor file(settings.file.empty()
                                 ? ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
                                 : ::open(settings.file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
    if (file.is_open()) return std::make_shared<const net::FileDescriptor>(std::move(file));
    const auto name = settings.file.empty() ? std::string("standard error") : settings.file;
    return std::unexpected(name + ": " + std::string(net::error_text(errno)));
}

}  // namespace

std::string format_line(LogFormat format, WallTime time, LogLevel level, std::string_view event, std::string_view text,
                        std::span<const Field> fields) {
    std::string line;
    if (format == LogFormat::Text) {
        line = fmt::format("{} {:<7} ", timestamp(time), name_of(level));
        append_escaped(line, text);
        for (const auto& field : fields) {
            if (field.value.empty()) continue;
            line += ' ';
            line += field.name;
            line += '=';
            if (needs_quotes(field.value)) {
                append_quoted(line, field.value);
            } else {
                line += field.value;
            }
        }
        return line;
    }
    line = "{";
    append_json(line, "time", timestamp(time));
    line += ',';
    append_json(line, "level", name_of(level));
    line += ',';
    append_json(line, "event", event);
    line += ',';
    append_json(line, "message", text);
    for (const auto& field : fields) {
        if (field.value.empty()) continue;
        line += ',';
        append_json(line, field.name, field.value);
    }
    line += '}';
    return line;
}

struct Logger::State {
    State(const Log& settings, File file)
        : level(settings.level),
          format(std::make_shared<std::atomic<LogFormat>>(settings.format)),
          writer(std::move(file), [kept_format = format](std::uint64_t lines) {
              const auto count = std::to_string(lines);
              return format_line(*kept_format, std::chrono::system_clock::now(), LogLevel::Warning, "log_lines_lost",
                                 "lines of the log were lost here", std::array{Field{"lines", count}});
          }) {}

    std::atomic<LogLevel> level;
    const std::shared_ptr<std::atomic<LogFormat>> format;  // Shared with the writer's thread, which may outlive this.
    LogWriter writer;
};

Logger::Logger(std::unique_ptr<State> state) : state_(std::move(state)) {}

Logger::~Logger() = default;

std::expected<std::unique_ptr<Logger>, std::string> Logger::create(const Log& settings) {
    auto file = TRY(open_file(settings));
    return std::unique_ptr<Logger>(new Logger(std::make_unique<State>(settings, std::move(file))));
}

std::expected<void, std::string> Logger::configure(const Log& settings) {
    auto file = TRY(open_file(settings));
    state_->level = settings.level;
    *state_->format = settings.format;
    state_->writer.write_to(std::move(file));
    return {};
}

void Logger::write(LogLevel level, std::string_view event, std::string_view text, std::span<const Field> fields) {
    if (level < state_->level.load(std::memory_order_relaxed)) return;
    state_->writer.write(format_line(state_->format->load(std::memory_order_relaxed), std::chrono::system_clock::now(),
                                     level, event, text, fields));
}

std::uint64_t Logger::lines_lost() const noexcept { return state_->writer.lines_lost(); }

}  // namespace chappe::server
