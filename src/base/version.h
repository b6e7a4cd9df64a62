#pragma once

namespace chappe {

[[nodiscard]] const char* version() noexcept;  // "0.1.0"

}  // namespace chappe
