#pragma once

// Writes the broker's events to the log.

#include "broker/ports.h"
#include "server/logger.h"

namespace chappe::server {

class EventRecorder final : public broker::EventLog {
public:
    explicit EventRecorder(Logger& logger) noexcept : logger_(logger) {}

    void record(const broker::Event& event) override;

private:
    Logger& logger_;
};

}  // namespace chappe::server
