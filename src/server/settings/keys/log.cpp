#include "server/settings/keys/parts.h"

namespace chappe::server {
namespace {

template <auto Member>
constexpr auto log_member = at<Settings, &Settings::log, Member>();

constexpr Key rows[] = {
    {.section = "log",
     .name = "level",
     .type = Type::Choice,
     .choices = words<LogLevel>,
     .reload = Reload::Now,
     .option = "--log-level",
     .text = "The least important lines that are logged. `info` has a line when a client connects or leaves.",
     .example = R"("warning")",
     .access = log_member<&Log::level>},
    {.section = "log",
     .name = "format",
     .type = Type::Choice,
     .choices = words<LogFormat>,
     .reload = Reload::Now,
     .option = "--log-format",
     .text = "How a line of the log is written: as text for people, or as one JSON object for programs.",
     .example = R"("json")",
     .access = log_member<&Log::format>},
    {.section = "log",
     .name = "file",
     .type = Type::Path,
     .range = {0, path_length_max},
     .reload = Reload::Now,
     .text = "The file that the log is appended to. Without one the log goes to standard error. A reload opens the "
             "file again, so that it can be rotated.",
     .example = R"("/var/log/chappe.log")",
     .access = log_member<&Log::file>},
};

}  // namespace

std::span<const Key> log_keys() { return rows; }

}  // namespace chappe::server
