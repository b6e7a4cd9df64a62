#include "accounts/utc.h"

#include <array>
#include <chrono>
#include <ctime>

namespace chappe::accounts {

Seconds seconds_since_1970() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string utc(Seconds time) {
    const std::time_t seconds = time;
    std::tm parts{};
    std::array<char, 64> text{};
    if (gmtime_r(&seconds, &parts) == nullptr) return std::to_string(time);  // Its year is no number that fits.
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace chappe::accounts
