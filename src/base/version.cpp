#include "base/version.h"

namespace chappe {

const char* version() noexcept { return CHAPPE_VERSION; }

}  // namespace chappe
