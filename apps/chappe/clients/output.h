#pragma once

// How sub and request print messages.

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "apps/chappe/clients/format.h"
#include "apps/chappe/clients/text.h"
#include "base/time.h"
#include "mqtt/packet.h"

namespace chappe::app {

struct OutputArguments {
    std::string format;
    bool verbose = false;
    bool no_line_feed = false;
    bool json = false;
    bool pretty = false;
};

void add_output_options(CLI::App& command, OutputArguments& arguments);

// Prints messages to standard output. What is printed to a terminal (other than with -F, whose writer has asked for
// just this) has its control characters made visible, and colour.
class MessageOutput {
public:
    enum class Terminal : bool { No, Yes };

    [[nodiscard]] static Checked<MessageOutput> create(const OutputArguments& arguments);
    [[nodiscard]] static Checked<MessageOutput> create(const OutputArguments& arguments, Terminal terminal);

    // What print() would write; fails where the message does not fit the format.
    [[nodiscard]] Checked<std::string> text_of(const mqtt::Publish& message, WallTime time) const;

    // Written, and with flush() handed to the system. False when nobody takes it any more; `failure` then says why,
    // unless the reader has just gone, as `head` does.
    [[nodiscard]] bool write(const std::string& text);
    [[nodiscard]] bool flush();
    [[nodiscard]] const std::optional<std::string>& failure() const noexcept { return failure_; }

private:
    [[nodiscard]] bool note(bool written);

    std::optional<MessageFormat> format_;
    bool verbose_ = false;
    bool line_feed_ = true;
    bool json_ = false;
    bool pretty_ = false;
    Terminal terminal_ = Terminal::No;
    std::optional<std::string> failure_;
};

}  // namespace chappe::app
