#pragma once

// The server's log: who, what, why, on one line; as text for people or as JSON for machines. Thread-safe, and never
// waits for the disk or the terminal: see LogWriter.

#include <cstdint>
#include <expected>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "server/settings/settings.h"

namespace chappe::server {

struct Field {
    std::string_view name;
    std::string_view value;  // A field without value is left out.
};

class Logger {
public:
    // Fails with a text for people when the log file cannot be opened.
    [[nodiscard]] static std::expected<std::unique_ptr<Logger>, std::string> create(const Log& settings);
    ~Logger();
    Logger(const Logger&) = delete;
    Logger& operator=(const Logger&) = delete;

    // `event` names the kind of line for machines ("client_connected"), `text` says it to people ("client connected").
    void write(LogLevel level, std::string_view event, std::string_view text, std::span<const Field> fields);
    void write(LogLevel level, std::string_view event, std::string_view text,
               std::initializer_list<Field> fields = {}) {
        write(level, event, text, std::span(fields.begin(), fields.size()));
    }

    // At a reload. The file is opened anew, so that it can be rotated. On failure the old settings stay.
    [[nodiscard]] std::expected<void, std::string> configure(const Log& settings);

    // How many lines could not be written since the start.
    [[nodiscard]] std::uint64_t lines_lost() const noexcept;

private:
    struct State;
    explicit Logger(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

// One line without the line feed, as Logger::write() would write it. The time is UTC, to the millisecond.
[[nodiscard]] std::string format_line(LogFormat format, WallTime time, LogLevel level, std::string_view event,
                                      std::string_view text, std::span<const Field> fields);

}  // namespace chappe::server
