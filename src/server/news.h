#pragma once

// Lines for the log that wait until what they say holds: whoever reads them may rely on it.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/logger.h"

namespace chappe::server {

class News {
public:
    void add(LogLevel level, std::string_view event, std::string_view text, std::string reason = {}) {
        lines_.push_back({level, std::string(event), std::string(text), std::move(reason)});
    }

    void tell(Logger& logger) {
        for (const auto& line : std::exchange(lines_, {})) {
            if (line.reason.empty()) {
                logger.write(line.level, line.event, line.text);
            } else {
                logger.write(line.level, line.event, line.text, {{"reason", line.reason}});
            }
        }
    }

private:
    struct Line {
        LogLevel level;
        std::string event;
        std::string text;
        std::string reason;  // Empty: none.
    };

    std::vector<Line> lines_;
};

}  // namespace chappe::server
