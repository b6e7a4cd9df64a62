#include "apps/chappe/clients/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "apps/chappe/clients/message_json.h"
#include "base/result.h"
#include "net/io_error.h"

namespace chappe::app {
namespace {

constexpr auto output_group = "Output";
constexpr std::string_view topic_colour = "\x1b[36m";
constexpr std::string_view no_colour = "\x1b[0m";

// https://no-color.org: set and not empty turns colour off.
bool colour_wanted() {
    const auto* no_color = std::getenv("NO_COLOR");
    return no_color == nullptr || *no_color == '\0';
}

}  // namespace

void add_output_options(CLI::App& command, OutputArguments& arguments) {
    const auto flag = [&](const char* names, bool& value, const char* text) {
        command.add_flag(names, value, text)->group(output_group);
    };
    flag("-v,--verbose", arguments.verbose, "Print the topic before the payload");
    command
        .add_option("-F,--format", arguments.format,
                    "What to print: %t topic, %p payload, %x payload in hex, %q QoS, %I time, %j JSON, ...")
        ->group(output_group)
        ->type_name("FORMAT");
    flag("--json", arguments.json, "Print each message as one JSON object on one line, properties included");
    flag("--pretty", arguments.pretty, "With %j and %J: over several lines");
    flag("-N,--no-line-feed", arguments.no_line_feed, "No line feed after each message");
}

Checked<MessageOutput> MessageOutput::create(const OutputArguments& arguments) {
    return create(arguments, isatty(STDOUT_FILENO) == 1 ? Terminal::Yes : Terminal::No);
}

Checked<MessageOutput> MessageOutput::create(const OutputArguments& arguments, Terminal terminal) {
    if (arguments.json && !arguments.format.empty()) return std::unexpected("give only one of --json and -F");
    MessageOutput output;
    if (!arguments.format.empty()) {
        auto format = MessageFormat::parse(arguments.format);
        if (!format) return std::unexpected("-F: " + format.error());
        output.format_ = std::move(*format);
    }
    output.verbose_ = arguments.verbose;
    output.line_feed_ = !arguments.no_line_feed;
    output.json_ = arguments.json;
    output.pretty_ = arguments.pretty;
    output.terminal_ = terminal;
    return output;
}

Checked<std::string> MessageOutput::text_of(const mqtt::Publish& message, WallTime time) const {
    const std::string_view end = line_feed_ ? "\n" : "";
    if (json_) return to_json(message, time).append(end);
    if (format_) return TRY(format_->print(message, time, pretty_)).append(end);
    auto topic = std::string(message.topic);
    auto payload = std::string(as_text(message.payload));
    if (terminal_ == Terminal::Yes) {
        payload = without_control_characters(payload);
        topic = without_control_characters(topic);
        if (verbose_ && colour_wanted()) topic = std::string(topic_colour) + topic + std::string(no_colour);
    }
    if (!verbose_) return payload.append(end);
    return topic.append(" ").append(message.payload.empty() ? "(null)" : payload).append(end);
}

bool MessageOutput::write(const std::string& text) {
    return note(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
}

bool MessageOutput::flush() { return note(std::fflush(stdout) == 0); }

bool MessageOutput::note(bool written) {
    if (!written && errno != EPIPE) {
        failure_ = "cannot write to standard output: " + std::string(net::error_text(errno));
    }
    return written;
}

}  // namespace chappe::app
