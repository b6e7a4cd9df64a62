#pragma once

#include <string>

namespace chappe::server {

// docs/configuration.md: what every setting is for, in Markdown.
[[nodiscard]] std::string document_settings();

}  // namespace chappe::server
