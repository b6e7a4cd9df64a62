#include "server/logger.h"

#include <pthread.h>

#include <atomic>
#include <csignal>
#include <mutex>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace chappe::server {
namespace {

constexpr std::size_t lines_waiting_max = 8192;

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

using Sink = std::shared_ptr<spdlog::sinks::sink>;

std::expected<Sink, std::string> open_sink(const Log& settings) {
    try {
        Sink sink;
        if (settings.file.empty()) {
            sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
        } else {
            sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(settings.file);
        }
        sink->set_pattern("%v");
        return sink;
    } catch (const spdlog::spdlog_ex& error) {
        return std::unexpected(std::string(error.what()));
    }
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

namespace {

// The log is there before anybody watches for signals, and its thread must not be the one that gets them.
void block_all_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

struct Logger::State {
    std::atomic<LogLevel> level = LogLevel::Info;
    std::atomic<LogFormat> format = LogFormat::Text;
    std::mutex mutex;  // Guards `logger`, which a reload replaces.
    std::shared_ptr<spdlog::async_logger> logger;
    // Destroyed first: it writes what still waits, and its thread has then done with the logger.
    std::shared_ptr<spdlog::details::thread_pool> pool =
        std::make_shared<spdlog::details::thread_pool>(lines_waiting_max, 1, block_all_signals);
};

Logger::Logger() : state_(std::make_unique<State>()) {}

Logger::~Logger() = default;

std::expected<std::unique_ptr<Logger>, std::string> Logger::create(const Log& settings) {
    auto logger = std::unique_ptr<Logger>(new Logger());
    TRY(logger->configure(settings));
    return logger;
}

std::expected<void, std::string> Logger::configure(const Log& settings) {
    auto sink = TRY(open_sink(settings));
    auto logger = std::make_shared<spdlog::async_logger>("chappe", std::move(sink), state_->pool,
                                                         spdlog::async_overflow_policy::overrun_oldest);
    logger->set_level(spdlog::level::trace);
    logger->flush_on(spdlog::level::trace);
    state_->level = settings.level;
    state_->format = settings.format;
    const std::lock_guard lock(state_->mutex);
    state_->logger = std::move(logger);
    return {};
}

void Logger::write(LogLevel level, std::string_view event, std::string_view text, std::initializer_list<Field> fields) {
    if (level < state_->level.load(std::memory_order_relaxed)) return;
    const auto line = format_line(state_->format.load(std::memory_order_relaxed), std::chrono::system_clock::now(),
                                  level, event, text, fields);
    std::shared_ptr<spdlog::async_logger> logger;
    {
        const std::lock_guard lock(state_->mutex);
        logger = state_->logger;
    }
    logger->info(spdlog::string_view_t(line));
}

}  // namespace chappe::server
