#include "server/settings/finding.h"

namespace chappe::server {

std::string to_string(const Origin& origin) {
    if (origin.kind == Origin::Kind::Default) return "default";
    auto text = origin.place;
    if (origin.line != 0) text += ':' + std::to_string(origin.line);
    if (origin.column != 0) text += ':' + std::to_string(origin.column);
    return text;
}

std::string_view to_string(Severity severity) noexcept { return severity == Severity::Error ? "error" : "warning"; }

std::string to_string(const Finding& finding) {
    return to_string(finding.origin) + ": " + std::string(to_string(finding.severity)) + ": " + finding.message;
}

}  // namespace chappe::server
