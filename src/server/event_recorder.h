#pragma once

// Writes the broker's events to the log, and those of them that say who came and who was refused what to where these
// are looked for.

#include <memory>

#include "broker/ports.h"
#include "server/logger.h"
#include "server/refusal_log.h"
#include "server/rolling_log.h"

namespace chappe::server {

class EventRecorder final : public broker::EventLog {
public:
    EventRecorder(Logger& logger, RefusalLog& refusals) noexcept : logger_(logger), refusals_(refusals) {}

    // Called before there is an event. Without it logins are written to the log only.
    void write_logins(std::unique_ptr<RollingLog> logins, LoginsLogged which) noexcept;

    void record(const broker::Event& event) override;

private:
    Logger& logger_;
    RefusalLog& refusals_;
    std::unique_ptr<RollingLog> logins_;
    LoginsLogged logins_logged_ = LoginsLogged::Off;
};

}  // namespace chappe::server
