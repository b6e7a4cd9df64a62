#pragma once

// What happens, line by line, for looking at one input: CHAPPE_FUZZ_TRACE=1 connection_fuzz FILE. Costs nothing
// otherwise, since lines are only made where somebody reads them.

#include <cstdio>
#include <string>

namespace chappe::fuzz {

class Trace {
public:
    explicit Trace(bool on) noexcept : on_(on) {}

    template <class MakeLine>
    void operator()(MakeLine make_line) const {
        if (!on_) return;
        const std::string line = make_line();
        std::fprintf(stderr, "%s\n", line.c_str());
    }

private:
    bool on_;
};

}  // namespace chappe::fuzz
