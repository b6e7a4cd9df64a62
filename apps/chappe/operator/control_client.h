#pragma once

// Asks a running broker by its control socket. See server/control.h for the requests.

#include <expected>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

namespace chappe::app {

// Which broker: the one that uses a data directory, or that has a control socket.
struct ControlOptions {
    std::string data_directory;
    std::string socket;
};

void add_control_options(CLI::App& command, ControlOptions& options);

// Sends one request (a JSON object) and waits for the answer, another one. The error is a line for the person.
[[nodiscard]] std::expected<std::string, std::string> ask(const ControlOptions& options, std::string_view request,
                                                          std::string_view json);

}  // namespace chappe::app
