#include "base/version.h"

#include <cstdio>

#include "apps/chappe/command.h"

namespace chappe::app {

Run define_version(CLI::App& command) {
    command.footer("Examples:\n  chappe version");
    return [] {
        std::printf("chappe %s\n", version());
        return int{exit_success};
    };
}

}  // namespace chappe::app
