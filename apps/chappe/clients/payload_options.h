#pragma once

// What pub and request take as the payload of a message.

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "apps/chappe/clients/text.h"

namespace chappe::app {

struct PayloadArguments {
    std::optional<std::string> text;
    std::string file;
    bool standard_input = false;
    bool empty = false;

    [[nodiscard]] int given() const noexcept {
        return int{text.has_value()} + int{!file.empty()} + int{standard_input} + int{empty};
    }
};

void add_payload_options(CLI::App& command, PayloadArguments& arguments);

// Fails unless exactly one is given; `options` names them for the message.
[[nodiscard]] Checked<std::string> read_payload(const PayloadArguments& arguments, const std::string& options);

}  // namespace chappe::app
